package search

import (
	"context"
	"errors"
	"fmt"
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

// block is how many documents are scored at a time. Their sums (1 MiB) stay near the core while each term's
// postings stream by, and a thread's memory does not grow with the collection. Measured on a million
// documents, 2.7 ns per posting against 2.9 without blocks; much smaller blocks cost more than they save.
const block = 1 << 18

// scorer is one thread's working memory.
type scorer struct {
	index *Index
	sums  []float32
	lists []list
	best  topK
}

// list is what is left of a query term's postings.
type list struct {
	docs    []uint32
	weights []float32
	query   float32
}

func newScorer(x *Index) *scorer {
	return &scorer{index: x, sums: make([]float32, min(block, len(x.ids)))}
}

func (s *scorer) search(q Vector, k int) []Hit {
	s.lists = s.lists[:0]
	for i, term := range q.Terms {
		if docs, weights := s.index.postings(term); len(docs) > 0 {
			s.lists = append(s.lists, list{docs, weights, q.Weights[i]})
		}
	}
	s.best.reset(min(k, len(s.index.ids)))
	for start := 0; start < len(s.index.ids) && len(s.lists) > 0; start += block {
		sums := s.sums[:min(block, len(s.index.ids)-start)]
		clear(sums)
		left := s.lists[:0] // keeps the order of terms
		for _, l := range s.lists {
			n := len(l.docs)
			if end := uint32(start + len(sums)); l.docs[n-1] >= end {
				n, _ = slices.BinarySearch(l.docs, end)
			}
			accumulate(sums, l.docs[:n], l.weights[:n], uint32(start), l.query)
			if n < len(l.docs) {
				left = append(left, list{l.docs[n:], l.weights[n:], l.query})
			}
		}
		s.lists = left
		s.best.offer(sums, uint32(start))
	}
	return s.best.hits(s.index)
}

// accumulate adds query × weight to the sum of each posting's document; sums starts at document start.
// Documents of a list differ, so four sums can be loaded before the first of them is stored.
func accumulate(sums []float32, docs []uint32, weights []float32, start uint32, query float32) {
	weights = weights[:len(docs)]
	i := 0
	for ; i <= len(docs)-4; i += 4 {
		d, w := (*[4]uint32)(docs[i:]), (*[4]float32)(weights[i:])
		// The conversions forbid fusing product and sum, which some machines would do and others not.
		sum0 := sums[d[0]-start] + float32(query*w[0])
		sum1 := sums[d[1]-start] + float32(query*w[1])
		sum2 := sums[d[2]-start] + float32(query*w[2])
		sum3 := sums[d[3]-start] + float32(query*w[3])
		sums[d[0]-start], sums[d[1]-start], sums[d[2]-start], sums[d[3]-start] = sum0, sum1, sum2, sum3
	}
	for ; i < len(docs); i++ {
		sums[docs[i]-start] += float32(query * weights[i])
	}
}
