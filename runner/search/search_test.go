package search_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/runner/search"
)

// collection is a random one: few different weights make ties, and ids do not sort in the order of the documents.
type collection struct {
	ids       []string
	documents []search.Vector
	queries   []search.Vector
}

func randomCollection(seed uint64, documents, vocab, weights int) collection {
	random := rand.New(rand.NewPCG(seed, 7))
	sparse := func(density float64) (v search.Vector) {
		for term := range uint32(vocab) {
			if random.Float64() < density {
				weight := float32(random.ExpFloat64()) + 0.01
				if weights > 0 {
					weight = float32(1+random.IntN(weights)) / 4
				}
				v.Terms, v.Weights = append(v.Terms, term), append(v.Weights, weight)
			}
		}
		return v
	}
	var c collection
	for i := range documents {
		c.ids = append(c.ids, fmt.Sprint("d", i))
		c.documents = append(c.documents, sparse(random.Float64()*0.2))
	}
	random.Shuffle(documents, func(i, j int) { c.ids[i], c.ids[j] = c.ids[j], c.ids[i] })
	for range 20 {
		c.queries = append(c.queries, sparse(0.15))
	}
	return c
}

// naive ranks by the dot product of dense vectors, summed over every term of the vocabulary.
func (c collection) naive(query search.Vector, vocab, k int) (hits []search.Hit) {
	dense := make([]float32, vocab)
	for i, term := range query.Terms {
		dense[term] = query.Weights[i]
	}
	for doc, vector := range c.documents {
		weights := make([]float32, vocab)
		for i, term := range vector.Terms {
			weights[term] = vector.Weights[i]
		}
		var score float32
		for term := range dense {
			product := float32(dense[term] * weights[term])
			score += product
		}
		if score > 0 {
			hits = append(hits, search.Hit{Doc: int32(doc), ID: c.ids[doc], Score: score})
		}
	}
	slices.SortFunc(hits, func(a, b search.Hit) int {
		if a.Score != b.Score {
			if a.Score > b.Score {
				return -1
			}
			return 1
		}
		return strings.Compare(b.ID, a.ID)
	})
	return hits[:min(k, len(hits))]
}

func TestEveryHitIsTheNaiveOne(t *testing.T) {
	const vocab = 60
	for seed := range uint64(40) {
		weights := int(seed % 4) // 0: weights are arbitrary, 1: every document with the same terms ties
		c := randomCollection(seed, 1+int(seed)*7, vocab, weights)
		index, err := search.Build(c.ids, c.documents, vocab)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int{1, 2, 5, 10, 1000} {
			all, err := index.SearchAll(context.Background(), c.queries, k, 2)
			if err != nil {
				t.Fatal(err)
			}
			for q, query := range c.queries {
				want := c.naive(query, vocab, k)
				if got := all[q]; !sameHits(got, want) {
					t.Fatalf("seed %d, k %d, query %d:\ngot  %v\nwant %v", seed, k, q, got, want)
				}
				if got := index.Search(query, k); !sameHits(got, want) {
					t.Fatalf("seed %d, k %d, query %d alone:\ngot  %v\nwant %v", seed, k, q, got, want)
				}
				for _, hit := range all[q] {
					if dot := search.Dot(query, c.documents[hit.Doc]); dot != hit.Score {
						t.Fatalf("document %s has score %v, its dot product is %v", hit.ID, hit.Score, dot)
					}
				}
			}
		}
	}
}

func sameHits(a, b []search.Hit) bool { return slices.Equal(a, b) }

// More candidates than are gathered at a time, most of them tied with others.
func TestTheBestOfManyTies(t *testing.T) {
	const vocab = 8
	for _, weights := range []int{0, 1, 3, 50} {
		c := randomCollection(uint64(weights), 30_000, vocab, weights)
		for i := range c.documents { // random ones of so few terms are mostly empty
			if len(c.documents[i].Terms) == 0 {
				c.documents[i] = search.Vector{Terms: []uint32{uint32(i % vocab)}, Weights: []float32{0.25}}
			}
		}
		index := build(t, c.ids, c.documents, vocab)
		query := search.Vector{Terms: []uint32{0, 1, 2, 4, 5, 7}, Weights: []float32{1, 0.5, 0.25, 2, 1, 0.75}}
		all := c.naive(query, vocab, len(c.ids))
		for _, k := range []int{1, 2, 255, 256, 257, 1000, 5000, len(all) - 1, len(all), len(all) + 1} {
			if got := index.Search(query, k); !sameHits(got, all[:min(k, len(all))]) {
				t.Errorf("weights %d, k %d: the hits differ", weights, k)
			}
		}
	}
}

// More documents than one block, so that lists are continued from block to block.
func TestManyBlocks(t *testing.T) {
	const documents, vocab = 300_000, 50
	random := rand.New(rand.NewPCG(5, 5))
	c := collection{}
	for i := range documents {
		c.ids = append(c.ids, fmt.Sprintf("%x", uint32(i)*2654435761))
		term := uint32(random.IntN(vocab - 1))
		v := search.Vector{Terms: []uint32{term}, Weights: []float32{float32(1 + random.IntN(50))}}
		if i%3 == 0 {
			v.Terms, v.Weights = append(v.Terms, vocab-1), append(v.Weights, 0.5)
		}
		c.documents = append(c.documents, v)
	}
	index, err := search.Build(c.ids, c.documents, vocab)
	if err != nil {
		t.Fatal(err)
	}
	query := search.Vector{Terms: []uint32{1, 7, 8, vocab - 1}, Weights: []float32{1, 0.5, 3, 1}}
	for _, k := range []int{1, 7_000, documents} {
		if got, want := index.Search(query, k), c.naive(query, vocab, k); !sameHits(got, want) {
			t.Fatalf("k %d: the hits differ", k)
		}
	}
}

func TestHitsHaveTheSameBitsForAnyThreads(t *testing.T) {
	c := randomCollection(11, 3000, 200, 0)
	for range 5 {
		c.queries = append(c.queries, c.queries...)
	}
	index, err := search.Build(c.ids, c.documents, 0)
	if err != nil {
		t.Fatal(err)
	}
	want, err := index.SearchAll(context.Background(), c.queries, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 3, 8, 0} {
		got, err := index.SearchAll(context.Background(), c.queries, 100, threads)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: the hits differ, %v", threads, err)
		}
	}
}

func TestTheCutGoesThroughTiesByDescendingID(t *testing.T) {
	ids := []string{"b", "10", "a", "9", "c", "other"}
	same := search.Vector{Terms: []uint32{3}, Weights: []float32{2}}
	vectors := []search.Vector{same, same, same, same, same, {Terms: []uint32{4}, Weights: []float32{1}}}
	index, err := search.Build(ids, vectors, 5)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"c", "b", "a", "9", "10"}
	for k := 1; k <= 10; k++ {
		var got []string
		for _, hit := range index.Search(same, k) {
			got = append(got, hit.ID)
			if ids[hit.Doc] != hit.ID || hit.Score != 4 {
				t.Errorf("hit %+v", hit)
			}
		}
		if !slices.Equal(got, want[:min(k, 5)]) {
			t.Errorf("k %d: got %v", k, got)
		}
	}
}

func TestNothingToFind(t *testing.T) {
	full := search.Vector{Terms: []uint32{1}, Weights: []float32{1}}
	for name, index := range map[string]*search.Index{
		"no documents": build(t, nil, nil, 0),
		"empty ones":   build(t, []string{"a", "b"}, []search.Vector{{}, {}}, 0),
		"other terms":  build(t, []string{"a"}, []search.Vector{{Terms: []uint32{0}, Weights: []float32{1}}}, 0),
	} {
		for _, query := range []search.Vector{{}, full, {Terms: []uint32{math.MaxUint32}, Weights: []float32{1}}} {
			if hits := index.Search(query, 10); len(hits) != 0 {
				t.Errorf("%s: found %v", name, hits)
			}
		}
		if all, err := index.SearchAll(context.Background(), nil, 10, 4); err != nil || len(all) != 0 {
			t.Errorf("%s, no queries: %v, %v", name, all, err)
		}
	}
}

func build(t *testing.T, ids []string, vectors []search.Vector, vocab int) *search.Index {
	t.Helper()
	index, err := search.Build(ids, vectors, vocab)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestSearchStopsWithItsContext(t *testing.T) {
	c := randomCollection(1, 100, 50, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := build(t, c.ids, c.documents, 0).SearchAll(ctx, c.queries, 10, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFrequencies(t *testing.T) {
	index := build(t, []string{"a", "b"}, []search.Vector{
		{Terms: []uint32{0, 3}, Weights: []float32{1, 1}},
		{Terms: []uint32{3}, Weights: []float32{1}},
	}, 6)
	if index.Documents() != 2 || index.Vocab() != 6 || index.Postings() != 3 {
		t.Errorf("%+v", index.Summary())
	}
	for term, want := range map[uint32]int{0: 1, 1: 0, 3: 2, 5: 0, 6: 0, math.MaxUint32: 0} {
		if got := index.Frequency(term); got != want {
			t.Errorf("term %d: %d documents, want %d", term, got, want)
		}
	}
}
