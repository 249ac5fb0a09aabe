package search_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/runner/search"
)

func TestTheHeaviestTermsAndOfEqualOnesTheSmallerIds(t *testing.T) {
	v := search.Vector{Terms: []uint32{2, 3, 5, 7, 1 << 31, 1<<32 - 1}, Weights: []float32{.5, 2, .5, 2, .5, 1e-45}}
	for m, want := range map[int][]uint32{
		-1: {}, 0: {}, 1: {3}, 2: {3, 7}, 3: {2, 3, 7}, 4: {2, 3, 5, 7}, 5: {2, 3, 5, 7, 1 << 31}, 6: v.Terms, 9: v.Terms,
	} {
		got := v.Heaviest(m)
		if !slices.Equal(got.Terms, want) {
			t.Errorf("%d heaviest terms are %v, want %v", m, got.Terms, want)
		}
		for i, term := range got.Terms {
			if at := slices.Index(v.Terms, term); got.Weights[i] != v.Weights[at] {
				t.Errorf("of %d, term %d weighs %v, want %v", m, term, got.Weights[i], v.Weights[at])
			}
		}
	}
	if !slices.Equal(v.Terms, []uint32{2, 3, 5, 7, 1 << 31, 1<<32 - 1}) {
		t.Error("the vector itself was changed")
	}
}

// Whatever is put in the place of vectors, the index is that of a new builder.
func TestReplacedVectorsAreIndexedAsIfTheyHadBeenAdded(t *testing.T) {
	const vocab = 30
	r := rand.New(rand.NewPCG(3, 4))
	builder := search.NewBuilder(search.Options{Vocab: vocab})
	var ids []string
	var vectors []search.Vector
	for i := range 50 {
		var v search.Vector
		for term := range uint32(vocab) {
			if r.IntN(3) == 0 {
				v.Terms, v.Weights = append(v.Terms, term), append(v.Weights, float32(1+r.IntN(4)))
			}
		}
		ids, vectors = append(ids, string(rune('a'+i))), append(vectors, v)
		if err := builder.Add(ids[i], v); err != nil {
			t.Fatal(err)
		}
	}
	index, err := builder.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []int{30, 7, 3, 0} {
		got, err := index.Replace(func(v search.Vector) search.Vector { return v.Heaviest(m) })
		if err != nil {
			t.Fatal(err)
		}
		short := make([]search.Vector, len(vectors))
		for i, v := range vectors {
			short[i] = v.Heaviest(m)
		}
		want, err := search.Build(ids, short, vocab)
		if err != nil {
			t.Fatal(err)
		}
		index = got
		for _, query := range vectors {
			if a, b := got.Search(query, 50), want.Search(query, 50); !reflect.DeepEqual(a, b) {
				t.Fatalf("cut to %d: %v, want %v", m, a, b)
			}
		}
	}
}

func TestAVectorThatCannotReplaceAnotherIsNamed(t *testing.T) {
	for _, change := range []search.Vector{
		{Terms: []uint32{2, 1}, Weights: []float32{1, 1}}, {Terms: []uint32{1}, Weights: []float32{-1}}, {Terms: []uint32{9}, Weights: []float32{1}},
	} {
		index := build(t, []string{"the document"}, []search.Vector{{Terms: []uint32{1}, Weights: []float32{1}}}, 5)
		if _, err := index.Replace(func(search.Vector) search.Vector { return change }); err == nil || !strings.Contains(err.Error(), `"the document"`) {
			t.Errorf("%v: %v", change, err)
		}
	}
}
