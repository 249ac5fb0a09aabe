// Package nouns writes numbers with their nouns, for people: "1 run", "2 runs".
package nouns

import "strconv"

// Count returns a number with its noun, whose plural ends in s.
func Count(n int, noun string) string { return CountOf(n, noun, noun+"s") }

// CountOf returns a number with its noun, given as singular and plural.
func CountOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
