package search

import (
	"slices"

	"headroom/internal/atomic"
)

// SaveOn is Save on another disk.
func SaveOn(disk atomic.Disk, x *Index, dir string) error {
	_, err := create(disk, dir, x.eachBlock)
	return err
}

// Compare are the sums above the worst at this CPU's level and by plain Go: a bit for each of whole groups of 64.
func Compare(sums []float32, worst uint32) (got, want []uint64) {
	got, want = make([]uint64, len(sums)/group), make([]uint64, len(sums)/group)
	compare(got, sums, worst)
	comparePlain(want, sums, worst)
	return got, want
}

// Lists are an index's postings as one array, by term: offsets, documents and weights.
func Lists(x *Index) (offsets []uint64, docs []uint32, weights []float32) {
	offsets = make([]uint64, x.vocab+1)
	for term := range x.vocab {
		offsets[term+1] = offsets[term] + uint64(x.Frequency(uint32(term)))
	}
	docs, weights = make([]uint32, x.postings), make([]float32, x.postings)
	next := slices.Clone(offsets)
	for i := range x.blocks {
		b := &x.blocks[i]
		for _, l := range b.lists {
			for at := l.Start; at < l.Start+l.Count; at++ {
				docs[next[l.Term]], weights[next[l.Term]] = b.first+uint32(b.docs[at]), b.weight(at)
				next[l.Term]++
			}
		}
	}
	return offsets, docs, weights
}

// ToHalf and FromHalf are the conversions of weights.
func ToHalf(weight float32) uint16 { return toHalf(weight) }

func FromHalf(half uint16) float32 { return fromHalf(half) }
