package stats_test

import (
	"errors"
	"math"
	"testing"

	"headroom/metrics/stats"
)

func TestByHand(t *testing.T) {
	t.Run("summary of 2, 4, 9", func(t *testing.T) {
		s := stats.Summarize([]float64{2, 4, 9}) // mean 5, squares 9+1+16 = 26, sd = sqrt(13)
		near(t, "mean", s.Mean, 5)
		near(t, "sd", s.SD, math.Sqrt(13))
		if s.N != 3 || s.Min != 2 || s.Max != 9 {
			t.Errorf("got n %d, min %v, max %v", s.N, s.Min, s.Max)
		}
	})
	t.Run("one value has no spread", func(t *testing.T) {
		s := stats.Summarize([]float64{0.4})
		if s.Mean != 0.4 || !math.IsNaN(s.SD) {
			t.Errorf("got mean %v, sd %v", s.Mean, s.SD)
		}
		if _, err := stats.TInterval([]float64{0.4}, 0.95); err == nil {
			t.Error("a t interval of one value was made")
		}
		if _, err := stats.TInterval([]float64{1, math.Inf(-1)}, 0.9); err == nil {
			t.Error("a t interval with an infinity was made")
		}
		if _, err := stats.TInterval([]float64{1, 2}, 1); err == nil {
			t.Error("a t interval of 100 % was made")
		}
	})
	t.Run("nothing has no mean", func(t *testing.T) {
		if s := stats.Summarize(nil); s.N != 0 || !math.IsNaN(s.Mean) {
			t.Errorf("got %+v", s)
		}
		if _, err := stats.Compare(stats.Arm{}, stats.Arm{}, stats.Variance{}, .95); !errors.Is(err, stats.ErrNoData) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("t with one degree of freedom is Cauchy", func(t *testing.T) {
		near(t, "quantile", stats.TQuantile(0.75, 1), 1)
		near(t, "cdf", stats.TCDF(math.Sqrt(3), 1), 5.0/6)
	})
	t.Run("two seeds: 12.706 standard errors", func(t *testing.T) {
		i, err := stats.TInterval([]float64{1, 3}, 0.95) // sd sqrt2, standard error 1
		if err != nil {
			t.Fatal(err)
		}
		near(t, "low", math.Round((2-i.Low)*1000), 12706)
	})
	t.Run("holm of .01 .04 .03 .005", func(t *testing.T) {
		// Sorted .005×4, .01×3, .03×2, .04×1 = .02 .03 .06 .04, never falling: .04 becomes .06.
		got := stats.Holm([]float64{.01, .04, math.NaN(), .03, .005})
		for i, want := range []float64{.03, .06, math.NaN(), .06, .02} {
			if math.IsNaN(want) {
				if !math.IsNaN(got[i]) {
					t.Errorf("test %d that was not made got %v", i, got[i])
				}
				continue
			}
			near(t, "adjusted", got[i], want)
		}
		if got := stats.Holm([]float64{.6, .9}); got[0] != 1 || got[1] != 1 {
			t.Errorf("p above 1: %v", got)
		}
	})
}
