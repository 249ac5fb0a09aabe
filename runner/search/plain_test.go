package search

import (
	"container/heap"
	"math"
)

// Plain searches an index as one would at first: a loop over the postings and a heap of the best k.
// Benchmarks and tests compare with it.
type Plain struct {
	index   *Index
	offsets []uint64
	docs    []uint32
	weights []float32
	sums    []float32
}

// NewPlain is for one goroutine.
func NewPlain(x *Index) *Plain {
	p := &Plain{index: x, sums: make([]float32, x.Documents())}
	p.offsets, p.docs, p.weights = Lists(x)
	return p
}

// Sum computes the scores of all documents.
func (p *Plain) Sum(q Vector) {
	clear(p.sums)
	for i, term := range q.Terms {
		if int(term)+1 >= len(p.offsets) {
			continue
		}
		from, to := p.offsets[term], p.offsets[term+1]
		docs, weights := p.docs[from:to], p.weights[from:to]
		for j, doc := range docs {
			p.sums[doc] += float32(q.Weights[i] * weights[j])
		}
	}
}

// Search returns the best k documents, best first.
func (p *Plain) Search(q Vector, k int) []Hit {
	p.Sum(q)
	var best keyHeap
	for doc, sum := range p.sums {
		key := uint64(math.Float32bits(sum))<<32 | uint64(^p.index.ranks[doc])
		switch {
		case sum == 0 || len(best) == k && key < best[0]:
		case len(best) < k:
			heap.Push(&best, key)
		default:
			best[0] = key
			heap.Fix(&best, 0)
		}
	}
	documents := make([]int32, len(p.sums)) // by rank
	for doc, rank := range p.index.ranks {
		documents[rank] = int32(doc)
	}
	hits := make([]Hit, len(best))
	for i := len(hits) - 1; i >= 0; i-- {
		key := heap.Pop(&best).(uint64)
		doc := documents[^uint32(key)]
		hits[i] = Hit{Doc: doc, ID: p.index.ids.at(int(doc)), Score: math.Float32frombits(uint32(key >> 32))}
	}
	return hits
}

// keyHeap is a heap of keys, the least at its root.
type keyHeap []uint64

func (h keyHeap) Len() int           { return len(h) }
func (h keyHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h keyHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *keyHeap) Push(key any)      { *h = append(*h, key.(uint64)) }
func (h *keyHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
