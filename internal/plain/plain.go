// Package plain shows text that somebody else wrote: a question, a name, a label, data.
// Characters that control a terminal, are invisible, or change the reading direction are
// shown as escapes and have no effect.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns a text for one line: line ends are shown as escapes too.
func Line(s string) string { return escape(s, false) }

// Lines returns a text that may have several lines, separated by "\n".
func Lines(s string) string { return escape(s, true) }

func escape(s string, lines bool) string {
	harmless := func(r rune) bool {
		return unicode.IsPrint(r) || lines && (r == '\n' || r == '\t') || unicode.Is(unicode.Zs, r)
	}
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !harmless(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"): // no UTF-8
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case harmless(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
