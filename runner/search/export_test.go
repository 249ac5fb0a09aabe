package search

// PassOver are the sums passed over at this CPU's level and by plain Go.
func PassOver(sums []float32, worst uint32) (got, want int) {
	return passOver(sums, worst), passOverPlain(sums, worst)
}
