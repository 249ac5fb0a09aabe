package stability_test

import (
	"math"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// Each detector's episode passes after exactly as many quiet steps as docs/detectors.md
// says, not one earlier or later; and it names the last step at which its rule did not hold.
func TestEachDetectorsEpisodePassesAfterItsCount(t *testing.T) {
	quiet := map[string]float64{
		stability.SeriesLoss: 1, stability.SeriesContrastive: 1, stability.SeriesGradNorm: 1, stability.SeriesAccuracy: .3,
		stability.SeriesScoreSD: 3, stability.SeriesCosineQuery: .2, stability.SeriesCosineDocument: .2,
		stability.SeriesEmptyQuery: 0, stability.SeriesEmptyDocument: 0,
	}
	nan := func(v map[string]float64) { v[stability.SeriesLoss] = math.Inf(1) }
	for _, c := range []struct {
		name, kind   string
		spoil        func(map[string]float64)
		begin, count int // the rule holds for some steps from begin on; quiet steps until it passes
		healthy      int // the last healthy step, -1: none
	}{
		{"a loss", stability.NonFinite, nan, 100, 5, 99},
		{"from the start", stability.NonFinite, nan, 0, 5, -1},
		{"queries", stability.Empty, func(v map[string]float64) { v[stability.SeriesEmptyQuery] = 1 }, 100, 5, 99},
		{"documents", stability.Empty, func(v map[string]float64) { v[stability.SeriesEmptyDocument] = 1 }, 100, 5, 99},
		{"queries' cosine", stability.Identical, func(v map[string]float64) { v[stability.SeriesCosineQuery] = .99 }, 100, 5, 99},
		{"documents' cosine", stability.Identical, func(v map[string]float64) { v[stability.SeriesCosineDocument] = .99 }, 100, 5, 99},
		{"scores", stability.Identical, func(v map[string]float64) { v[stability.SeriesScoreSD] = .01 }, 100, 5, 99},
		{"a loss far up", stability.Spike, func(v map[string]float64) { v[stability.SeriesLoss] = 100 }, 100, 5, 99},
		{"a gradient far up", stability.Spike, func(v map[string]float64) { v[stability.SeriesGradNorm] = 100 }, 100, 5, 99},
		// The mean of 20 accuracies is at chance with three that are −1, from step 132, whose window
		// begins at 113; and no longer with two.
		{"accuracy", stability.Stalled, func(v map[string]float64) { v[stability.SeriesAccuracy] = -1 }, 130, 18, 112},
		{"no progress", stability.NoProgress, func(v map[string]float64) {
			v[stability.SeriesContrastive], v[stability.SeriesAccuracy] = lnB, 1./32
		}, 100, 5, 99},
	} {
		t.Run(c.kind+" of "+c.name, func(t *testing.T) {
			const length = 30
			run := stability.Run{Facts: facts(), Steps: 200, Series: map[string]stability.Series{}}
			m := stability.NewMonitor(facts(), run.Steps, stability.Defaults())
			var opened, passed *event.Episode
			at := -1
			for s := range run.Steps {
				values := map[string]float64{}
				for name, v := range quiet {
					values[name] = v
				}
				if s >= c.begin && s < c.begin+length {
					c.spoil(values)
				}
				for _, e := range m.Observe(s, values) {
					switch {
					case e.Verdict != c.kind:
					case e.Stands && opened == nil:
						opened = &e
					case !e.Stands:
						passed, at = &e, s
					}
				}
			}
			if opened == nil || passed == nil {
				t.Fatalf("opened %v, passed %v; episodes %+v", opened, passed, m.Result().Episodes)
			}
			last, passes := c.begin+length-1, c.begin+length-1+c.count
			if c.kind == stability.Stalled { // the first step at which it does not hold ends it
				last = passes - 1
			}
			if passed.LastStep != last || at != passes {
				t.Errorf("it held up to step %d and passed at %d, want %d and %d", passed.LastStep, at, last, passes)
			}
			want := event.Maybe{}
			if c.healthy >= 0 {
				want = event.Some(c.healthy)
			}
			if passed.LastHealthy != want || opened.LastHealthy != want {
				t.Errorf("the last healthy step is %s at its opening and %s at its end, want %s", opened.LastHealthy, passed.LastHealthy, want)
			}
		})
	}
}

// In a short run counts shrink in proportion, down to a floor of their own.
func TestCountsOfShortRunsHaveAFloor(t *testing.T) {
	for _, c := range []struct {
		kind         string
		spoil        func(map[string]float64)
		steps, count int
	}{
		{stability.NonFinite, func(v map[string]float64) { v[stability.SeriesGradNorm] = math.NaN() }, 150, 5},
		{stability.NonFinite, func(v map[string]float64) { v[stability.SeriesGradNorm] = math.NaN() }, 130, 4}, // 5·130/150, rounded down
		{stability.NonFinite, func(v map[string]float64) { v[stability.SeriesGradNorm] = math.NaN() }, 60, 3},
		{stability.NoProgress, func(v map[string]float64) {
			v[stability.SeriesContrastive], v[stability.SeriesAccuracy] = lnB, 1./32
		}, 60, 3},
		{stability.Spike, func(v map[string]float64) { v[stability.SeriesLoss] = 100 }, 60, 2},
	} {
		m := stability.NewMonitor(facts(), c.steps, stability.Defaults())
		begin, length := c.steps*6/10, 8
		passed := -1
		for s := range c.steps {
			v := map[string]float64{stability.SeriesLoss: 1, stability.SeriesContrastive: 1, stability.SeriesGradNorm: 1, stability.SeriesAccuracy: .3}
			if s >= begin && s < begin+length {
				c.spoil(v)
			}
			for _, e := range m.Observe(s, v) {
				if e.Verdict == c.kind && !e.Stands {
					passed = s - (begin + length - 1)
				}
			}
		}
		if passed != c.count {
			t.Errorf("%s in %d steps passes after %d quiet steps, want %d", c.kind, c.steps, passed, c.count)
		}
	}
}
