package stability_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// Episodes of spike begin where the rule of docs/detectors.md, computed here for every step, says.
func TestSpikesAreThoseOfTheRule(t *testing.T) {
	const total, window, after, recovery = 600, 128, 64, 5
	seen := 0
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 3))
		var steps, want []int
		var values []float64
		quiet := recovery
		for s := range total {
			v := math.Exp(random.NormFloat64() * float64(1+seed%3) / 3)
			switch {
			case seed%5 == 4:
				v = float64(random.IntN(3)) // many equal values, and zero
			case seed%5 == 3 && random.Float64() < .02:
				v = 1.9 + .2*random.Float64() // near twice the median of an even curve, where the ratio decides
			case seed%5 == 3:
				v = 1 + .05*random.NormFloat64()
			}
			if past := values[max(0, s-window):]; len(past) >= after {
				median := middle(past)
				var off []float64
				for _, x := range past {
					off = append(off, math.Abs(x-median))
				}
				limit := max(median+6*1.4826*middle(off), 2*median)
				if quiet++; limit > 0 && v > limit {
					if quiet > recovery {
						want = append(want, s)
					}
					quiet = 0
				}
			}
			steps, values = append(steps, s), append(values, v)
		}
		run := stability.Run{Facts: event.Facts{Batch: 16, Candidates: 16, Loss: "infonce"}, Steps: total,
			Series: map[string]stability.Series{stability.SeriesLoss: {Steps: steps, Values: values}}}
		var got []int
		for _, e := range stability.Judge(run, stability.Defaults()).Episodes {
			if e.Verdict == stability.Spike {
				got = append(got, e.FirstStep)
			}
		}
		if seen += len(got); !slices.Equal(got, want) {
			t.Errorf("seed %d: spikes at %v, want %v", seed, got, want)
		}
	}
	if seen < 20 {
		t.Errorf("only %d spikes: the test shows little", seen)
	}
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
