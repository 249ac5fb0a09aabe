package search

import "headroom/internal/atomic"

// SaveOn is Save on another disk.
func SaveOn(disk atomic.Disk, x *Index, dir string) error { return x.save(disk, dir) }

// Compare are the sums above the worst at this CPU's level and by plain Go: a bit for each of whole groups of 64.
func Compare(sums []float32, worst uint32) (got, want []uint64) {
	got, want = make([]uint64, len(sums)/group), make([]uint64, len(sums)/group)
	compare(got, sums, worst)
	comparePlain(want, sums, worst)
	return got, want
}
