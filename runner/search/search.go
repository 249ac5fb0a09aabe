package search

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Hit is a found document: its number, its id and its score.
type Hit struct {
	Doc   int32
	ID    string
	Score float32
}

// ErrCutoff is returned when fewer than one document is asked for.
var ErrCutoff = errors.New("search: k must be at least 1")

// Search returns the best k documents with a score above 0, best first. It finds nothing for a query that is no valid
// Vector, or for k below 1; SearchAll returns an error then.
func (x *Index) Search(q Vector, k int) []Hit {
	if k < 1 || q.check(0) != nil {
		return nil
	}
	return newScorer(x).search(q, k)
}

// SearchAll searches each query and returns the hits in the queries' order. Queries are spread over threads
// (0: one for each processor); the result does not depend on their number. A term that the index does not have adds
// nothing. When ctx ends, its error is returned.
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
	whole [1024]float32 // float16 weights as float32
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
				clear(s.sums[:b.documents])
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
	docs := b.docs[l.Start:][:l.Count]
	if b.halves == nil {
		add(s.sums, docs, b.weights[l.Start:][:l.Count], query)
		return
	}
	halves := b.halves[l.Start:][:l.Count]
	for len(docs) > 0 {
		n := min(len(docs), len(s.whole))
		for i, half := range halves[:n] {
			s.whole[i] = fromHalf(half)
		}
		add(s.sums, docs[:n], s.whole[:n], query)
		docs, halves = docs[n:], halves[n:]
	}
}

// add adds query × weight to the sum of each document. The documents of a list differ, so four sums can be loaded before
// the first of them is stored.
func add(sums *[blockDocuments]float32, docs []uint16, weights []float32, query float32) {
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
