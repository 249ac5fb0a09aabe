package search

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Hit is a found document: its position in the order of building, its id and its score.
type Hit struct {
	Doc   int32
	ID    string
	Score float32
}

// ErrCutoff is returned when fewer than one document is asked for.
var ErrCutoff = errors.New("search: k must be at least 1")

// Search returns the best k documents with a score above 0, best first. A query that breaks Vector's rules
// or a k below 1 finds nothing; SearchAll says why.
func (x *Index) Search(q Vector, k int) []Hit {
	if k < 1 || q.check(0) != nil {
		return nil
	}
	return newScorer(x).search(q, k)
}

// SearchAll searches each query and returns the hits in the queries' order. Queries are spread over threads
// (0: one for each processor); the result does not depend on how many. A term that the index does not have
// adds nothing. When ctx ends, its error is returned.
func (x *Index) SearchAll(ctx context.Context, queries []Vector, k, threads int) ([][]Hit, error) {
	if k < 1 {
		return nil, fmt.Errorf("%w, not %d", ErrCutoff, k)
	}
	for i, query := range queries {
		if err := query.check(0); err != nil {
			return nil, fmt.Errorf("search: query %d: %w", i, err)
		}
	}
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, max(1, len(queries)))
	hits := make([][]Hit, len(queries))
	var next atomic.Int64
	var group sync.WaitGroup
	for range threads {
		group.Go(func() {
			scorer := newScorer(x)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(queries) {
					return
				}
				hits[i] = scorer.search(queries[i], k)
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return hits, nil
}

// scorer is one thread's working memory.
type scorer struct {
	index *Index
	sums  *[blockDocuments]float32
	whole []float32 // weights of a list that are kept as float16
	best  topK
}

func newScorer(x *Index) *scorer {
	return &scorer{index: x, sums: new([blockDocuments]float32)}
}

func (s *scorer) search(q Vector, k int) []Hit {
	s.best.reset(min(k, s.index.Documents()), s.index.ranks)
	for i := range s.index.blocks {
		b := &s.index.blocks[i]
		found := false
		for j, term := range q.Terms { // ascending: the order of a sum
			l, has := b.find(term)
			if !has {
				continue
			}
			if !found {
				clear(s.sums[:b.lanes()*lane])
				found = true
			}
			s.accumulate(b, l, q.Weights[j])
		}
		if found {
			s.best.offer(s.sums[:b.documents], b.first)
		}
	}
	return s.best.hits(s.index)
}

// accumulate adds query × weight to the sum of each of the list's documents.
func (s *scorer) accumulate(b *block, l list, query float32) {
	var weights []float32
	if b.halves != nil {
		n := int(l.Count) + lane - 1
		s.whole = slices.Grow(s.whole[:0], n)[:n]
		fromHalves(s.whole, b.halves[l.Weights:])
		weights = s.whole
	} else {
		weights = b.weights[l.Weights : l.Weights+l.Count+lane-1]
	}
	places := b.docs[l.Docs:][:b.places(l)]
	if b.dense(l) {
		addDense(s.sums, places, weights, query)
	} else {
		addSparse(s.sums, places, weights[:len(places)], query)
	}
}

// addSparse adds the products of a list that names its documents. They differ, so four sums can be loaded before the
// first of them is stored.
func addSparse(sums *[blockDocuments]float32, docs []uint16, weights []float32, query float32) {
	weights = weights[:len(docs)]
	i := 0
	for ; i <= len(docs)-4; i += 4 {
		d, w := (*[4]uint16)(docs[i:]), (*[4]float32)(weights[i:])
		// The conversions forbid fusing product and sum, which some machines would do and others not.
		sum0 := sums[d[0]] + float32(query*w[0])
		sum1 := sums[d[1]] + float32(query*w[1])
		sum2 := sums[d[2]] + float32(query*w[2])
		sum3 := sums[d[3]] + float32(query*w[3])
		sums[d[0]], sums[d[1]], sums[d[2]], sums[d[3]] = sum0, sum1, sum2, sum3
	}
	for ; i < len(docs); i++ {
		sums[docs[i]] += float32(query * weights[i])
	}
}

// addDensePlain adds the products of a list that has a bit for each document. Weights go on for lane-1 numbers
// behind the list's own.
func addDensePlain(sums *[blockDocuments]float32, set []uint16, weights []float32, query float32) {
	at := 0
	for g, docs := range set {
		part := (*[lane]float32)(sums[g*lane:])
		for ; docs != 0; docs &= docs - 1 {
			part[bits.TrailingZeros16(docs)%lane] += float32(query * weights[at])
			at++
		}
	}
}

func fromHalves(to []float32, halves []uint16) {
	for i, half := range halves[:len(to)] {
		to[i] = fromHalf(half)
	}
}
