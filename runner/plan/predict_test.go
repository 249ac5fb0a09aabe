package plan_test

import (
	"path/filepath"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/plan"
)

// took are the events of a run of 10 steps of one second each, which was measured on dev
// data every few steps, at two seconds a time, and took 9 seconds for everything else.
func took(evaluations int) []event.Event {
	events := []event.Event{event.Started{Steps: 10}}
	for step := range 10 {
		seconds := event.Value(1)
		if step == 0 {
			seconds = 30 // the first step opens programs
		}
		events = append(events, event.Step{Step: step, Values: map[string]event.Value{"loss": 1, "seconds": seconds}})
	}
	if evaluations > 0 {
		events = append(events, event.Measured{Step: 10, Measure: "nDCG@10", Seconds: 2})
	}
	return append(events, event.Judged{Verdict: "healthy"}, event.Ended{State: event.StateDone, Step: 10, Seconds: 10 + 2*float64(evaluations) + 9, Model: event.ModelNone})
}

func TestAPredictionIsOfRunsOfTheSameShape(t *testing.T) {
	w := newWorld(t)
	w.collection(t, "seen", 3)
	write(t, filepath.Join(w.root, "seen/qrels/dev.tsv"), "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
	watched := []string{watched, "evaluate.every=5"}
	p := w.must(t, sweep, watched...)
	attempt(t, p.Runs[0].Folder, took(2)...)
	write(t, filepath.Join(p.Runs[0].Folder, "config.toml"), string(p.Runs[0].Config.TOML()))
	for name, c := range map[string]struct {
		overrides []string
		seconds   float64
		basis     string
	}{
		"the same":              {watched, 10 + 2*2 + 9, "1 finished run of the same shape"},
		"three times the steps": {append([]string{"train.steps=30"}, watched...), 30 + 6*2 + 9, "1 finished run of the same shape"},
		"looks twice as often":  {[]string{watched[0], "evaluate.every=2", "train.lr=0.5"}, 10 + 5*2 + 9, "1 finished run of the same shape"},
		"twice the tokens":      {append([]string{"data.max_query=32"}, watched...), 2*10 + 2*2 + 9, "1 finished run of its backbone, scaled by tokens"},
		"no dev data":           {nil, 10 + 9, "1 finished run of its backbone, scaled by tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			var run plan.Run
			for _, r := range w.must(t, sweep, c.overrides...).Runs {
				if r.State == plan.New {
					run = r
				}
			}
			if run.Seconds == nil || *run.Seconds != c.seconds || run.Basis != c.basis {
				t.Errorf("predicted %v from %q, want %v from %q", run.Seconds, run.Basis, c.seconds, c.basis)
			}
		})
	}
}
