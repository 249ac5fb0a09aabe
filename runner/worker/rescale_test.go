package worker_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/models/mlmhead"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// norms are the head's mean row norms before and after the division.
func norms(records []event.Record) (before, after float64) {
	for _, r := range records {
		if n, ok := r.Event.(event.HeadNorms); ok {
			switch n.Step {
			case -1:
				before = float64(n.Mean)
			case 0:
				after = float64(n.Mean)
			}
		}
	}
	return before, after
}

func TestAutomaticRescalesDivideTheHeadAndAreOnRecord(t *testing.T) {
	for _, auto := range []string{"auto-norm", "auto-score"} {
		t.Run(auto, func(t *testing.T) {
			b := newBench(t, "bert")
			id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
				c.Model.Rescale, c.Train.Steps, c.Evaluate.Final = sweeps.Rescale{Auto: auto}, 2, nil
			}))
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			records := b.events(t, id, 1)
			k := last[event.Started](t, records).Facts.Rescale
			before, after := norms(records)
			if !(k > 1) || math.Abs(before/after/k-1) > 1e-5 {
				t.Errorf("k is %v on record, the head's norm went from %v to %v", k, before, after)
			}
			if auto == "auto-norm" && math.Abs(after/mlmhead.ReferenceNorm-1) > .005 {
				t.Errorf("the head's norm is %v after the division, want %v", after, mlmhead.ReferenceNorm)
			}
			if n := last[event.Notice](t, records); !strings.Contains(n.Message, auto) {
				t.Errorf("notice %q", n.Message)
			}
			for _, r := range records {
				// The mean over four batches is within the bound; a single one may be a little above.
				if s, ok := r.Event.(event.Step); ok && s.Step == 0 && auto == "auto-score" {
					if loss := float64(s.Values["loss/contrastive"]); loss > 1.2*mlmhead.ScoreBound*math.Log(8) {
						t.Errorf("the first step's loss is %v under k = %v", loss, k)
					}
				}
			}
		})
	}
}

func TestAResumedRunKeepsTheFactorItBeganWith(t *testing.T) {
	edit := func(c *sweeps.RunConfig) {
		every(3)(c)
		c.Model.Rescale, c.Model.Target, c.Evaluate.Final = sweeps.Rescale{Auto: "auto-score"}, "logits", nil
	}
	whole := newBench(t, "bert")
	id := whole.prepare(t, whole.config(edit))
	if err := whole.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := last[event.Ended](t, whole.events(t, id, 1)).Weights

	b := newBench(t, "bert")
	id = b.prepare(t, b.config(edit))
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("interrupted run ended with %v", err)
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	first, second := b.events(t, id, 1), b.events(t, id, 2)
	if a, z := last[event.Started](t, first).Facts.Rescale, last[event.Started](t, second).Facts.Rescale; !(a > 1) || a != z {
		t.Errorf("k was %v and is %v", a, z)
	}
	if got := last[event.Ended](t, second).Weights; got != want {
		t.Errorf("weights %s, undisturbed %s", got, want)
	}
	for _, r := range second {
		if n, ok := r.Event.(event.Notice); ok && strings.Contains(n.Message, "auto-score") {
			t.Errorf("chosen again: %q", n.Message)
		}
	}
}
