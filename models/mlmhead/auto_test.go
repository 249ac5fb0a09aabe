package mlmhead_test

import (
	"errors"
	"math"
	"testing"

	"headroom/models/mlmhead"
)

func TestAutoNormBringsAHeadToTheReference(t *testing.T) {
	for mean, want := range map[float64]float64{
		2.553124: 8, // the reference's own backbone
		1:        3.13,
		.3:       1, // never below 1
		0:        1,
	} {
		if k, err := mlmhead.AutoNorm(mean); err != nil || k != want {
			t.Errorf("mean norm %v: k = %v (%v), want %v", mean, k, err, want)
		}
	}
	for _, mean := range []float64{math.NaN(), math.Inf(1)} {
		if k, err := mlmhead.AutoNorm(mean); err == nil || !math.IsNaN(k) {
			t.Errorf("mean norm %v gave k = %v", mean, k)
		}
	}
}

// The step-0 losses that a PyTorch prototype of the demo measured at k = 1, 2, 4,
// 8, 16 with 32 candidates; k = 8 and 16 trained best in all four.
func TestAutoScoreChoosesWhatTrainedBest(t *testing.T) {
	for name, losses := range map[string][]float64{
		"bert 1": {52, 20, 6.7, 3.4, 3.3}, "bert 2": {50, 21, 7.9, 3.6, 3.3},
		"modernbert 1": {139, 53, 14, 4.1, 3.3}, "modernbert 2": {118, 44, 11, 3.8, 3.3},
	} {
		k, err := mlmhead.AutoScore(32, func(k float64) (float64, error) { return losses[int(math.Log2(k))], nil })
		if err != nil || k != 8 {
			t.Errorf("%s: k = %v (%v), want 8", name, k, err)
		}
	}
}

func TestAutoScoreSaysWhyItCannotChoose(t *testing.T) {
	fault := errors.New("no")
	for name, measure := range map[string]func(float64) (float64, error){
		"nan":   func(float64) (float64, error) { return math.NaN(), nil },
		"above": func(float64) (float64, error) { return math.Inf(1), nil },
		"fault": func(float64) (float64, error) { return 0, fault },
	} {
		if k, err := mlmhead.AutoScore(8, measure); err == nil || !math.IsNaN(k) {
			t.Errorf("%s: k = %v, error %v", name, k, err)
		}
	}
}
