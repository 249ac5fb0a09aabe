// Package near finds the word that a misspelt one was meant to be.
package near

// Distance is the number of insertions, deletions, substitutions and swaps of neighbouring bytes that turn a
// into b.
func Distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// longest is the largest length of a word that may be a misspelling.
const longest = 100

// Word returns the first of the words with the least distance to word, or "" if the least is above
// max(2, a quarter of the word's length).
func Word(word string, words []string) string {
	if len(word) > longest {
		return ""
	}
	best, least := "", 1+max(2, len(word)/4)
	for _, candidate := range words {
		if d := Distance(word, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}
