package sweeps

import "strings"

// nearest returns the valid key most like the unknown one, or "" when none is
// close. A key that differs only in case, or that only lacks its table
// ("steps" for "train.steps"), counts as closest.
func nearest(key string, valid []string) string {
	if len(key) > 100 {
		return ""
	}
	lower := strings.ToLower(key)
	for _, candidate := range valid {
		if lower == candidate {
			return candidate
		}
	}
	if !strings.Contains(lower, ".") {
		for _, candidate := range valid {
			if candidate[strings.LastIndexByte(candidate, '.')+1:] == lower {
				return candidate
			}
		}
	}
	best, bestDistance := "", 1+max(2, len(lower)/4)
	for _, candidate := range valid {
		if d := distance(lower, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
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
