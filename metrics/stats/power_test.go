package stats_test

import (
	"math"
	"testing"

	"headroom/metrics/stats"
)

// A difference of Least is shown with the power that was asked for, also by experiments
// with more seeds than the one that the noise is from.
func TestLeastIsShown(t *testing.T) {
	const queries, experiments = 200, 100
	w := world{seed: .02, noisy: 1, residual: .22, interaction: .2}
	// The noise of many experiments with 3 seeds, so that it is about what it is.
	r, noise := newRandom(5), stats.Noise{}
	for range experiments {
		a, b, _ := w.draw(r, 3, queries)
		d, err := stats.Compare(a, b, stats.Variance{}, .95)
		if err != nil {
			t.Fatal(err)
		}
		noise.Taste += d.Noise.Taste / experiments
		noise.Residual += d.Noise.Residual / experiments
		noise.Between.Value += d.Noise.Between.Value / experiments
		noise.Between.DF = d.Noise.Between.DF
	}
	within(t, "taste", noise.Taste, .2*.2, .003)
	within(t, "residual", noise.Residual, 2*.22*.22, .003)
	for _, seeds := range []int{3, 6} {
		least, shown := noise.Least(queries, seeds, .95, .8), 0
		for range experiments {
			a, b, _ := w.draw(r, seeds, queries)
			for _, row := range a.Values {
				for q := range row {
					row[q] += least
				}
			}
			d, err := stats.Compare(a, b, stats.Variance{}, .95)
			if err != nil {
				t.Fatal(err)
			}
			if d.P <= .05 {
				shown++
			}
		}
		// Three standard errors of .8, and the little that the estimate of the variance costs.
		if share := float64(shown) / experiments; math.Abs(share-.8) > 3*math.Sqrt(.8*.2/experiments)+.03 {
			t.Errorf("%d seeds: %v of the experiments show %.3f, want .8", seeds, share, least)
		}
	}
}

// Two limits by hand, and what is not known.
func TestLeastByHand(t *testing.T) {
	// Seeds alone, with so many that the variance is known: (1.960 + .842) · sqrt(2 · 4e-4 / S).
	n := stats.Noise{Between: variance(4e-4, 1)}
	within(t, "seeds alone", n.Least(1e6, 2000, .95, .8), 2.8016*math.Sqrt(8e-4/2000), 2e-5)
	// Queries alone, likewise: (1.960 + .842) · sqrt(.04 / Q); no spread between seeds.
	n = stats.Noise{Taste: .04, Between: variance(0, 2)}
	within(t, "queries alone", n.Least(10000, 2, .95, .8), 2.8016*.002, 2e-6)
	if more := (stats.Noise{Taste: .04, Residual: .1, Between: variance(4e-4, 4)}); !(more.Least(700, 5, .95, .8) < more.Least(700, 3, .95, .8)) {
		t.Error("more seeds do not show smaller differences")
	}
	for name, v := range map[string]float64{
		"nothing known": stats.Noise{}.Least(700, 3, .95, .8),
		"one seed":      n.Least(700, 1, .95, .8),
		"nine queries":  n.Least(9, 3, .95, .8),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v is shown", name, v)
		}
	}
}
