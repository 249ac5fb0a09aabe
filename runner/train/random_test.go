package train

import (
	"math/rand/v2"
	"testing"

	"headroom/runner/engine"
)

// No two passes of a run drop out alike, whatever its micro-batches.
func TestNoTwoPassesHaveOneRandomState(t *testing.T) {
	e, err := engine.Open("go", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	type pass struct{ step, side, micro int }
	seen := map[[3]uint64]pass{}
	for step := range 200 {
		for side := range 2 {
			for micro := range 8 {
				b, err := RandomState(e, 1, step, side, micro)
				if err != nil {
					t.Fatal(err)
				}
				p, key := pass{step, side, micro}, [3]uint64(b.Values)
				if other, twice := seen[key]; twice {
					t.Fatalf("%+v draws what %+v does", p, other)
				}
				seen[key] = p
				b.Free()
			}
		}
	}
}

// Shapes stay few: a run over texts of any length compiles a bounded number of programs.
func TestMaskedPlacesHaveFewSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, costly := range []bool{false, true} {
		for _, most := range []int{100, 1_000, 40_000} {
			sizes := map[int]bool{}
			for range 5000 {
				n := 1 + int(float64(most)*(.9+.1*r.Float64())) // a batch's texts, a share of them chosen
				padded := PaddedPlaces(n, costly)
				if padded < n || padded > max(n+64, n*3/2+1) {
					t.Fatalf("%d places are padded to %d", n, padded)
				}
				sizes[padded] = true
			}
			if len(sizes) > 4 {
				t.Errorf("costly %v, up to %d places: %d sizes", costly, most, len(sizes))
			}
		}
	}
	for n := 1; n <= 1024; n++ {
		if got := PaddedPlaces(n, false); got != (n+63)/64*64 {
			t.Fatalf("%d places are padded to %d", n, got)
		}
	}
}
