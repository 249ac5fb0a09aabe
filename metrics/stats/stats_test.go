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
	})
	t.Run("nothing has no mean", func(t *testing.T) {
		if s := stats.Summarize(nil); s.N != 0 || !math.IsNaN(s.Mean) {
			t.Errorf("got %+v", s)
		}
		if _, err := stats.TInterval(nil, 0.95); !errors.Is(err, stats.ErrNoData) {
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
	t.Run("three equal differences: only all plus and all minus are as far", func(t *testing.T) {
		p, err := stats.Randomization([]float64{1, 1, 1}, stats.DefaultResampling())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "p", p, 2.0/8)
	})
	t.Run("no difference gives p 1", func(t *testing.T) {
		p, err := stats.Randomization(make([]float64, 40), stats.DefaultResampling())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "p", p, 1)
	})
	t.Run("p is never 0", func(t *testing.T) {
		d := make([]float64, 200)
		for i := range d {
			d[i] = 1
		}
		p, err := stats.Randomization(d, stats.Resampling{Resamples: 999, Level: 0.95})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "p", p, 1.0/1000)
	})
	t.Run("equal differences leave no width", func(t *testing.T) {
		e, err := stats.PairedBootstrap([]float64{.25, .25, .25, .25}, stats.DefaultResampling())
		if err != nil {
			t.Fatal(err)
		}
		if e.Mean != .25 || e.Interval.Low != .25 || e.Interval.High != .25 || e.Seeds != 1 || e.Queries != 4 {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("queries that agree leave the seeds' spread", func(t *testing.T) {
		// Two seeds at 0 and 1: replicates are 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
		e, err := stats.Hierarchical([][]float64{{0, 0, 0}, {1, 1, 1}}, stats.DefaultResampling())
		if err != nil {
			t.Fatal(err)
		}
		if e.Mean != 0.5 || e.Interval.Low != 0 || e.Interval.High != 1 {
			t.Errorf("got %+v", e)
		}
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

// TestCoverage draws many small experiments with a known true difference and
// counts how often the interval holds it.
func TestCoverage(t *testing.T) {
	noise := lcg(5)
	r := stats.DefaultResampling()
	r.Resamples = 400
	const experiments = 300
	held := 0
	for range experiments {
		differences := make([][]float64, 4)
		query := make([]float64, 40)
		for q := range query {
			query[q] = noise()
		}
		for s := range differences {
			seed := noise() / 4
			for q := range query {
				differences[s] = append(differences[s], 0.3+seed+query[q]+noise()/2)
			}
		}
		e, err := stats.Hierarchical(differences, r)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Interval.Excludes(0.3) {
			held++
		}
	}
	// Crossed resampling errs to the wide side for queries and to the narrow side
	// for four seeds; 85 % is 6 standard errors below 95 %.
	if share := float64(held) / experiments; share < 0.85 {
		t.Errorf("the 95 %% interval held the truth in %.1f %% of the experiments", 100*share)
	}
}

func TestRefused(t *testing.T) {
	r := stats.DefaultResampling()
	few := r
	few.Resamples = 20
	wide := r
	wide.Level = 1
	cases := map[string]func() error{
		"no seeds":         func() error { _, err := stats.Hierarchical(nil, r); return err },
		"no queries":       func() error { _, err := stats.Hierarchical([][]float64{{}}, r); return err },
		"other queries":    func() error { _, err := stats.Hierarchical([][]float64{{1, 2}, {1}}, r); return err },
		"not a number":     func() error { _, err := stats.PairedBootstrap([]float64{1, math.NaN()}, r); return err },
		"infinite":         func() error { _, err := stats.Randomization([]float64{math.Inf(1)}, r); return err },
		"few replicates":   func() error { _, err := stats.PairedBootstrap([]float64{1}, few); return err },
		"level 1":          func() error { _, err := stats.PairedBootstrap([]float64{1}, wide); return err },
		"level of t":       func() error { _, err := stats.TInterval([]float64{1, 2}, 0); return err },
		"nothing to flip":  func() error { _, err := stats.Randomization(nil, r); return err },
		"few, for signs":   func() error { _, err := stats.Randomization([]float64{1}, few); return err },
		"t of an infinity": func() error { _, err := stats.TInterval([]float64{1, math.Inf(-1)}, 0.9); return err },
	}
	for name, call := range cases {
		t.Run(name, func(t *testing.T) {
			if call() == nil {
				t.Error("no error")
			}
		})
	}
}

// lcg gives uniform noise between -1/2 and 1/2.
func lcg(state uint64) func() float64 {
	return func() float64 {
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11)/(1<<53) - 0.5
	}
}
