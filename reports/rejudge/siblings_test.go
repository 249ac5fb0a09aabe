package rejudge_test

import (
	"math"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/rejudge"
)

// Healthy runs of the given accuracies, one of which is low, one recovered, and one of
// other kin.
func TestDegradedIsAComparisonWithHealthySiblings(t *testing.T) {
	const c = 32.
	above := func(a float64) event.Value { return event.Value(1/c + a*(1-1/c)) }
	var runs []rejudge.Run
	for i, a := range []float64{.8, .9, .5, .85, .95, .8, .7, .75} {
		run := log(t, string(rune('a'+i)), 0, 0, 0, stability.Defaults(), func(step int, values map[string]event.Value) {
			values["accuracy"] = above(a)
			if step < 32 { // only the last fifth counts
				values["accuracy"] = above(.6)
			}
		})
		run.Kin = "one"
		runs = append(runs, run)
	}
	recovered := log(t, "recovered", 1, 5, 15, stability.Defaults(), nil)
	other := log(t, "other", 0, 0, 0, stability.Defaults(), nil)
	recovered.Kin, other.Kin = "one", "two"
	judgements, _, err := rejudge.Judge(append(runs, recovered, other), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got event.Value, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	// The siblings of c: .7 .75 .8 .8 .85 .9 .95. Of seven, smallest and largest enclose the
	// median with 1 − 2/2⁷.
	low := judgements[2].Siblings
	if low == nil || low.Count != 7 || !low.Degraded {
		t.Fatalf("the low run is %+v", low)
	}
	near("its accuracy", low.Accuracy, .5)
	near("their median", low.Median, .8)
	near("the ratio", low.Ratio, .5/.8)
	near("low", low.Low, .5/.95)
	near("high", low.High, .5/.7)
	near("level", low.Level, 1-2./128)
	for i, j := range judgements {
		if i != 2 && j.Siblings != nil && j.Siblings.Degraded {
			t.Errorf("%s is degraded: %+v", j.ID, j.Siblings)
		}
	}
	if s := judgements[8].Siblings; s == nil || s.Count != 8 {
		t.Errorf("a recovered run has the siblings %+v", s)
	}
	if s := judgements[0].Siblings; s.Count != 7 {
		t.Errorf("a healthy run has %d siblings: one that recovered is none", s.Count)
	}
	if s := judgements[9].Siblings; s != nil {
		t.Errorf("a run without kin is compared: %+v", s)
	}
	few, _, err := rejudge.Judge(runs[:3], nil, false)
	if err != nil || few[0].Siblings != nil {
		t.Errorf("two siblings are too few: %+v (%v)", few[0].Siblings, err)
	}
}
