package splade_test

import (
	"math"
	"slices"
	"testing"

	"headroom/models/splade"
)

func TestPruneKeepsTheLargest(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		k          int
		have, want []float32
	}{
		{0, []float32{3, 1, 2}, []float32{3, 1, 2}},
		{5, []float32{3, 1, 2}, []float32{3, 1, 2}},
		{2, []float32{3, 0, 1, 2}, []float32{3, 0, 0, 2}},
		{2, []float32{1, 2, 1, 1}, []float32{1, 2, 0, 0}}, // of equal ones the lowest id
		{1, []float32{9, nan, 2}, []float32{0, nan, 0}},
		{1, nil, nil},
	} {
		got := slices.Clone(c.have)
		splade.Form{TopK: c.k}.Prune(got)
		if !slices.EqualFunc(got, c.want, func(a, b float32) bool { return a == b || a != a && b != b }) {
			t.Errorf("the %d largest of %v: %v, want %v", c.k, c.have, got, c.want)
		}
	}
}

func TestSlopeIsTheDerivativeOfWeight(t *testing.T) {
	for _, form := range []splade.Form{{}, {Twice: true}} {
		for _, z := range []float32{.01, .5, 3, 40} {
			h := z / 64
			numeric := (form.Weight(z+h) - form.Weight(z-h)) / (2 * h)
			if got := form.Slope(z); math.Abs(float64(got-numeric)) > 2e-3*float64(got) {
				t.Errorf("twice %v, z %v: slope %v, by differences %v", form.Twice, z, got, numeric)
			}
		}
		for _, z := range []float32{0, -1, float32(math.Inf(-1))} {
			if form.Weight(z) != 0 || form.Slope(z) != 0 {
				t.Errorf("z %v: weight %v, slope %v", z, form.Weight(z), form.Slope(z))
			}
		}
		if w := form.Weight(float32(math.NaN())); w == w {
			t.Errorf("the weight of NaN is %v", w)
		}
	}
}
