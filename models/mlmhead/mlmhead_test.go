package mlmhead_test

import (
	"math"
	"testing"

	"headroom/models/mlmhead"
)

func TestRowNormsByHand(t *testing.T) {
	n := mlmhead.RowNorms([]float32{3, 4, 0, 0, 5, 12}, 2) // norms 5, 0, 13
	want := mlmhead.Norms{Mean: 6, P05: .5, P50: 5, P95: 12.2, Max: 13}
	for _, c := range [][2]float64{{n.Mean, want.Mean}, {n.P05, want.P05}, {n.P50, want.P50}, {n.P95, want.P95}, {n.Max, want.Max}} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Fatalf("got %+v, want %+v", n, want)
		}
	}
}

func TestANormThatIsNotFiniteIsShown(t *testing.T) {
	n := mlmhead.RowNorms([]float32{1, float32(math.NaN()), 5}, 1)
	if !math.IsNaN(n.Mean) || !math.IsNaN(n.Max) {
		t.Fatalf("got %+v", n)
	}
}

func TestRescaleTargets(t *testing.T) {
	for target, want := range map[mlmhead.Target]struct{ w, b, scale float32 }{
		mlmhead.Decoder: {2, 4, 1}, mlmhead.DecoderBias: {2, 1, 1}, mlmhead.Logits: {8, 4, .25},
	} {
		w, b := []float32{8}, []float32{4}
		scale, err := mlmhead.Rescale(w, b, 4, target)
		if err != nil || w[0] != want.w || b[0] != want.b || scale != want.scale {
			t.Errorf("%s: weight %g, bias %g, scale %g (%v), want %+v", target, w[0], b[0], scale, err, want)
		}
	}
	for _, k := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := mlmhead.Rescale([]float32{1}, nil, k, mlmhead.Decoder); err == nil {
			t.Errorf("k = %v was taken", k)
		}
	}
	if _, err := mlmhead.Rescale([]float32{1}, nil, 2, "head"); err == nil {
		t.Error("an unknown target was taken")
	}
}
