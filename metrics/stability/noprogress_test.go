package stability_test

import (
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// progress is the no_progress episode of a result, nil without one.
func progress(r stability.Result) *event.Episode {
	i := slices.IndexFunc(r.Episodes, func(e event.Episode) bool { return e.Verdict == stability.NoProgress })
	if i < 0 {
		return nil
	}
	return &r.Episodes[i]
}

// stuck is a run at chance level from a step on.
func stuck(loss, accuracy float64) curves {
	return healthy(7).with(curves{stability.SeriesContrastive: flat(loss), stability.SeriesAccuracy: flat(accuracy)})
}

func TestNoProgressSpeaksAfterThreeTenthsOfTheBudget(t *testing.T) {
	for _, c := range []struct {
		name   string
		curves curves
		want   int // the first step of the episode; -1 without one
	}{
		// 8 of 150 steps, of which the last is the first at or after step 45.
		{"at chance", stuck(lnB, 1./candidates), 38},
		{"at chance from step 60 on", stuck(lnB, 1./candidates).with(curves{stability.SeriesContrastive: from(60, 2, lnB)}), 60},
		// .15 of the way from 1/32 to 1 is 5.65 of 32.
		{"accuracy just below the threshold", stuck(lnB, 5./candidates), 38},
		{"accuracy just above it", stuck(lnB, 6./candidates), -1},
		{"a loss just inside the band", stuck(1.049*lnB, 0), 38},
		{"a loss just above it", stuck(1.051*lnB, 0), -1},
		{"a loss just below it", stuck(.949*lnB, 0), -1},
		{"a loss that leaves the band every seventh step", stuck(0, 0).with(curves{stability.SeriesContrastive: func(s int) float64 {
			if s%7 == 0 {
				return 1.2 * lnB
			}
			return lnB
		}}), -1},
		{"one that learns late, at a quarter", stuck(lnB, 1./candidates).with(curves{stability.SeriesContrastive: from(38, lnB, .8*lnB)}), -1},
	} {
		e := progress(stability.Judge(c.curves.run(steps, 0, 1), stability.Defaults()))
		switch {
		case c.want < 0 && e != nil:
			t.Errorf("%s: %+v", c.name, *e)
		case c.want >= 0 && (e == nil || e.FirstStep != c.want || e.Severity != event.SeverityWarning):
			t.Errorf("%s: %+v, want one from step %d", c.name, e, c.want)
		}
	}
}

func TestNoProgressNeedsCandidatesAndQueriesEnough(t *testing.T) {
	for _, c := range []struct {
		batch, candidates int
		want              bool
	}{
		{32, 32, true}, {16, 16, true}, {15, 15, false}, {128, 15, false},
		{1, 256, true}, {1, 32, false}, // 8 queries: five standard deviations are .15 above chance
	} {
		run := stuck(0, 0).run(steps, 0, 1)
		run.Facts.Batch, run.Facts.Candidates = c.batch, c.candidates
		series := run.Series[stability.SeriesContrastive]
		for i := range series.Values {
			series.Values[i] = logOf(c.candidates)
		}
		if got := progress(stability.Judge(run, stability.Defaults())) != nil; got != c.want {
			t.Errorf("%d queries against %d documents: warned %v", c.batch, c.candidates, got)
		}
	}
	run := stuck(lnB, 0).run(29, 0, 1)
	if e := progress(stability.Judge(run, stability.Defaults())); e != nil {
		t.Errorf("29 steps: %+v", *e)
	}
	run = stuck(lnB, 0).run(steps, 0, 1)
	run.Facts.Loss = "kl"
	if e := progress(stability.Judge(run, stability.Defaults())); e != nil {
		t.Errorf("kl: %+v", *e)
	}
}

func TestNoProgressPassesWhenTheRunLearns(t *testing.T) {
	run := stuck(lnB, 1./candidates).with(curves{
		stability.SeriesContrastive: from(70, lnB, 1), stability.SeriesAccuracy: from(70, 1./candidates, .9),
	}).run(steps, 0, 1)
	e := progress(stability.Judge(run, stability.Defaults()))
	if e == nil || e.Stands || e.FirstStep != 38 || e.LastStep != 69 {
		t.Errorf("%+v", e)
	}
}
