package store_test

import (
	"context"
	"math"
	"testing"

	"headroom/metrics/event"
)

// measured is an evaluation on dev data whose value tells which attempt made it.
func measured(attempt, step int) event.Measured {
	v := event.Value(float64(100*attempt+step) / 1000)
	return event.Measured{Step: step, Measure: "nDCG@10", Value: v, Seconds: 2, Collections: []event.DevScore{{
		Dataset: "builtin:demo", Split: "dev", Queries: 3, Documents: 9, Measures: map[string]event.Value{"nDCG@10": v, "RR@10": .5},
		ActiveQuery: 4, ActiveDocument: 8, Flops: .25}}}
}

const devCurve = "SELECT group_concat(step || ':' || value, ' ') FROM (SELECT * FROM series WHERE name = 'dev/nDCG@10' ORDER BY step)"

// An attempt that resumes from a step found that step's state measured: it does
// not do it again, and what it finds later replaces what was found then.
func TestWhatAStateWasMeasuredToBeOutlivesAResumeFromIt(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	one := w.attempt("r", 0)
	w.steps(one, 0, 4)
	w.Add(one, measured(1, 4), event.Checkpoint{Step: 4})
	w.steps(one, 4, 8)
	w.Add(one, measured(1, 8))
	w.fold(s)
	expect(t, s, devCurve, "4:0.104 8:0.108")
	two := w.attempt("r", 4)
	w.fold(s)
	expect(t, s, devCurve, "4:0.104")
	w.Add(one, measured(1, 9)) // a process that outlived its lease
	w.steps(two, 4, 8)
	w.Add(two, measured(2, 8))
	w.fold(s)
	expect(t, s, devCurve, "4:0.104 8:0.208")
	expect(t, s, "SELECT step FROM runs", "7") // a state is no step
	w.sameAsNew(s)
	three := w.attempt("r", 0)
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM series", "0")
	w.Add(three, measured(3, 4))
	w.fold(s)
	expect(t, s, devCurve, "4:0.304")
	w.sameAsNew(s)
}

func TestEveryFigureOnDevDataIsASeries(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	l := w.attempt("r", 0)
	refused := measured(1, 8)
	refused.Value = event.Value(math.NaN())
	refused.Collections = append(refused.Collections, event.DevScore{Dataset: "/a/b", Split: "dev", Refused: "too dense"})
	refused.Tested = 2
	w.Add(l, measured(1, 4), refused)
	w.fold(s)
	expect(t, s, "SELECT step, name, value, nonfinite FROM series ORDER BY step, name",
		"4|dev/builtin:demo/RR@10|0.5|<nil>", "4|dev/builtin:demo/active_document|8|<nil>", "4|dev/builtin:demo/active_query|4|<nil>",
		"4|dev/builtin:demo/flops|0.25|<nil>", "4|dev/builtin:demo/nDCG@10|0.104|<nil>", "4|dev/nDCG@10|0.104|<nil>", "4|dev/seconds|2|<nil>",
		"8|dev//a/b/nDCG@10|<nil>|nan", "8|dev/builtin:demo/RR@10|0.5|<nil>", "8|dev/builtin:demo/active_document|8|<nil>",
		"8|dev/builtin:demo/active_query|4|<nil>", "8|dev/builtin:demo/flops|0.25|<nil>", "8|dev/builtin:demo/nDCG@10|0.108|<nil>",
		"8|dev/nDCG@10|<nil>|nan", "8|dev/seconds|2|<nil>", "8|dev/tested|2|<nil>")
	w.sameAsNew(s)
}

func TestTheStepThatDevDataChose(t *testing.T) {
	w := newSpace(t)
	w.sweep("demo", "0001", member("r", 1), member("other", 2))
	s := w.open()
	one := w.attempt("r", 0)
	w.steps(one, 0, 10)
	w.Add(one, event.Selected{Step: 4, Measure: "nDCG@10", Value: .5, Weights: "sha256:one"})
	w.fold(s)
	expect(t, s, "SELECT run, step, measure, value, weights FROM selected", id("r")+"|4|nDCG@10|0.5|sha256:one")
	runs, err := s.Runs(context.Background(), "demo")
	if err != nil || runs[0].Selected == nil || *runs[0].Selected != (event.Selected{Step: 4, Measure: "nDCG@10", Value: .5, Weights: "sha256:one"}) || runs[1].Selected != nil {
		t.Errorf("runs %+v, %v", runs, err)
	}
	two := w.attempt("r", 6) // its end is not the end any more
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM selected", "0")
	w.steps(two, 6, 10)
	w.Add(two, event.Selected{Step: 10, Measure: "nDCG@10", Value: event.Value(math.NaN()), Weights: "sha256:two"})
	w.fold(s)
	expect(t, s, "SELECT step, value FROM selected", "10|<nil>")
	if runs, err = s.Runs(context.Background(), "demo"); err != nil || runs[0].Selected.Value.NonFinite() != "nan" {
		t.Errorf("runs %+v, %v", runs, err)
	}
	w.sameAsNew(s)
}
