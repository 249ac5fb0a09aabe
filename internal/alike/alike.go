// Package alike shortens long lists of messages: many messages of one kind become one line
// with a count.
package alike

import (
	"fmt"
	"regexp"
	"strings"
)

// most is the largest number of lines of one kind that are all shown.
const most = 3

// details matches the parts in which two messages of one kind may differ: text in quotes,
// paths, digests and other numbers.
var details = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?:/[^\s:,;)]+)+|\b[0-9a-f]{8,64}\b|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?`)

// Lines keeps the order of messages. If more than three differ only in quoted words,
// paths and numbers, it keeps the first and adds how many more there are.
func Lines(messages []string) []string {
	kinds := make([]string, len(messages))
	counts := map[string]int{}
	for i, m := range messages {
		kinds[i] = details.ReplaceAllString(m, "#")
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
