// Package alike shortens long lists of messages: many of one kind become one line with a
// count.
package alike

import (
	"fmt"
	"regexp"
	"strings"
)

// most is how many lines of one kind are all shown.
const most = 3

// told are the parts in which two messages of one kind differ: what stands in quotes,
// paths, digests and other numbers.
var told = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?:/[^\s:,;)]+)+|\b[0-9a-f]{8,64}\b|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?`)

// Lines keeps the order of messages. Of more than three that differ only in quoted words,
// paths and numbers it keeps the first, which says how many more there are.
func Lines(messages []string) []string {
	kinds := make([]string, len(messages))
	counts := map[string]int{}
	for i, m := range messages {
		kinds[i] = told.ReplaceAllString(m, "#")
		counts[kinds[i]]++
	}
	shown := map[string]bool{}
	var lines []string
	for i, m := range messages {
		n := counts[kinds[i]]
		switch {
		case n <= most:
			lines = append(lines, m)
		case !shown[kinds[i]]:
			shown[kinds[i]] = true
			lines = append(lines, fmt.Sprintf("%s (and %d more of this kind)", strings.TrimRight(m, "\n"), n-1))
		}
	}
	return lines
}
