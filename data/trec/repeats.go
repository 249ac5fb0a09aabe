package trec

import "hash/maphash"

// Repeats finds documents that occur twice among rows. The zero value is ready. It is for one goroutine; using it again
// saves allocations.
type Repeats struct {
	seed  maphash.Seed
	ready bool
	table []uint32 // by hash: a row's number from 1; 0 is free
}

// First returns the number of the first row whose document is also in an earlier row, and the number of that row; -1
// if there is none.
func (r *Repeats) First(n int, doc func(i int) string) (row, before int) {
	if !r.ready {
		r.seed, r.ready = maphash.MakeSeed(), true
	}
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(r.table) < size {
		r.table = make([]uint32, size)
	}
	table := r.table[:size]
	clear(table)
	for i := range n {
		this := doc(i)
		at := int(maphash.String(r.seed, this)) & (size - 1)
		for ; table[at] != 0; at = (at + 1) & (size - 1) {
			if before := int(table[at] - 1); doc(before) == this {
				return i, before
			}
		}
		table[at] = uint32(i + 1)
	}
	return -1, -1
}
