package search_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"headroom/runner/search"
)

// Rounding after each product and each sum: a fused or reordered sum has other bits.
func TestSumsAreFloat32InAscendingTermOrder(t *testing.T) {
	document := search.Vector{Terms: []uint32{0, 1, 2}, Weights: []float32{1 << 24, 1, 1}}
	query := search.Vector{Terms: []uint32{0, 1, 2}, Weights: []float32{1, 1, 1}}
	index, err := search.Build([]string{"d"}, []search.Vector{document}, 3)
	if err != nil {
		t.Fatal(err)
	}
	// 2^24 + 1 rounds to 2^24, twice; from the other end it would be 2^24 + 2.
	if got := index.Search(query, 1)[0].Score; got != 1<<24 {
		t.Errorf("got %v", got)
	}
}

// Go may fuse x·y + z on some machines, where the product is not rounded. Here that has other bits for many
// documents, and lists are of every length from 1, for every way through the loop.
func TestNoProductIsFusedWithItsSum(t *testing.T) {
	const terms = 8
	random := rand.New(rand.NewPCG(8, 8))
	vector := func() (v search.Vector) {
		for term := range uint32(terms) {
			v.Terms, v.Weights = append(v.Terms, term), append(v.Weights, random.Float32()+0.01)
		}
		return v
	}
	query, fused := vector(), 0
	for documents := 1; documents <= 40; documents++ {
		c, want := collection{}, make([]float32, documents)
		for i := range documents {
			v := vector()
			c.ids, c.documents = append(c.ids, fmt.Sprintf("%02d", i)), append(c.documents, v)
			var once float32
			for j, weight := range v.Weights {
				product := float64(query.Weights[j]) * float64(weight)          // exact
				once = float32(float64(once) + product)                         // what a fused sum is
				want[i] = float32(float64(want[i]) + float64(float32(product))) // both rounded
			}
			if once != want[i] {
				fused++
			}
		}
		hits := build(t, c.ids, c.documents, terms).Search(query, documents)
		if len(hits) != documents {
			t.Fatalf("%d documents: %d hits", documents, len(hits))
		}
		for _, hit := range hits {
			if dot := search.Dot(query, c.documents[hit.Doc]); hit.Score != want[hit.Doc] || dot != want[hit.Doc] {
				t.Errorf("%d documents, document %d: score %v, dot product %v, want %v", documents, hit.Doc, hit.Score, dot, want[hit.Doc])
			}
		}
	}
	if fused < 100 {
		t.Errorf("fused sums differ for %d of 820 documents only: the test could not tell", fused)
	}
}

func TestHugeAndTinyScores(t *testing.T) {
	huge, tiny := float32(math.MaxFloat32), float32(math.SmallestNonzeroFloat32)
	one := func(weight float32) search.Vector {
		return search.Vector{Terms: []uint32{0}, Weights: []float32{weight}}
	}
	index, err := search.Build([]string{"tiny", "huge", "one"}, []search.Vector{one(tiny), one(huge), one(1)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	hits := index.Search(one(2), 3)
	if len(hits) != 3 || !math.IsInf(float64(hits[0].Score), 1) || hits[2].ID != "tiny" || hits[2].Score != 2*tiny {
		t.Errorf("got %v", hits)
	}
	// A product that rounds to 0 is no score above 0.
	if hits := index.Search(one(0.25), 3); len(hits) != 2 {
		t.Errorf("got %v", hits)
	}
}
