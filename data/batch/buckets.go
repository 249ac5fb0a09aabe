package batch

// Buckets returns the lengths that texts are padded to, ascending and ending with max: few, since each pair of
// query and document length is a program of its own to compile and keep, and with 48 among them, where many
// short documents end and a third of the work of 64 is saved. A max below 1 gives none.
func Buckets(max int) []int {
	var lengths []int
	for _, length := range []int{16, 32, 48, 64} {
		if length < max {
			lengths = append(lengths, length)
		}
	}
	for length := 128; length < max; length *= 2 {
		lengths = append(lengths, length)
	}
	if max > 0 {
		lengths = append(lengths, max)
	}
	return lengths
}

// Bucket returns the smallest of the ascending buckets that holds a length. Beyond the largest it returns the
// largest: texts are truncated to it before. Without buckets it returns the length itself.
func Bucket(length int, buckets []int) int {
	for _, bucket := range buckets {
		if length <= bucket {
			return bucket
		}
	}
	if len(buckets) == 0 {
		return length
	}
	return buckets[len(buckets)-1]
}
