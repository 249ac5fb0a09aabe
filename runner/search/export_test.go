package search

import "headroom/internal/atomic"

// SaveOn is Save on another disk.
func SaveOn(disk atomic.Disk, x *Index, dir string) error { return x.save(disk, dir) }

// PassOver are the sums passed over at this CPU's level and by plain Go.
func PassOver(sums []float32, worst uint32) (got, want int) {
	return passOver(sums, worst), passOverPlain(sums, worst)
}
