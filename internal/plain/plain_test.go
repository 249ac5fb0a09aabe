package plain_test

import (
	"testing"

	"headroom/internal/plain"
)

func TestWhatSteersIsShown(t *testing.T) {
	for text, want := range map[string]string{
		"Does k help? λ ≤ 1, 語":               "Does k help? λ ≤ 1, 語",
		"a\x1b[31mred":                        `a\x1b[31mred`,
		"two\nlines\tand\r":                   `two\nlines\tand\r`,
		"\u202egnp.exe":                       `\u202egnp.exe`,
		"zero\u200bwidth":                     `zero\u200bwidth`,
		"bell\a, NUL\x00, DEL\x7f, CSI\u009b": `bell\x07, NUL\x00, DEL\x7f, CSI\u009b`,
		"no \xff UTF-8":                       `no \xff UTF-8`,
		"\uFFFD itself":                       "\uFFFD itself",
		"no\u00a0break":                       "no\u00a0break",
	} {
		if got := plain.Line(text); got != want {
			t.Errorf("Line(%q) = %q, want %q", text, got, want)
		}
	}
	if got := plain.Lines("a\nb\x1b"); got != "a\nb\\x1b" {
		t.Errorf("Lines gives %q", got)
	}
}
