package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/checkpoint"
	"headroom/runner/worker"
	"headroom/sweeps"
)

func TestTheBestStepIsTheResultWhereThatIsAsked(t *testing.T) {
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			b := newBench(t, architecture)
			id := b.prepare(t, b.watching(3, selecting, func(c *sweeps.RunConfig) { c.Checkpoint.Every = 7 }))
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			measured := all[event.Measured](t, b, id)
			best, value := bestOf(measured)
			if best == 24 {
				t.Fatal("the best is the last: the test shows nothing")
			}
			saved, err := checkpoint.OpenWeights(filepath.Join(b.files.Run(id), "checkpoints"), id, best)
			if err != nil {
				t.Fatal(err)
			}
			defer saved.Close()
			selected := all[event.Selected](t, b, id)
			if len(selected) != 1 || selected[0] != (event.Selected{Step: best, Measure: "nDCG@10", Value: event.Value(value), Weights: saved.Digest}) {
				t.Errorf("selected %+v, the best is step %d with %v and weights %s", selected, best, value, saved.Digest)
			}
			if ended := last[event.Ended](t, b.events(t, id, 1)); ended.Weights != saved.Digest || ended.Step != 24 {
				t.Errorf("ended as %+v", ended)
			}
			if norms := last[event.HeadNorms](t, b.events(t, id, 1)); norms.Step != best {
				t.Errorf("head norms of step %d", norms.Step)
			}
			if got := b.exported(t, id, "dev"); got != value {
				t.Errorf("the exported model has %v on dev data, the best step had %v", got, value)
			}
			test := b.exported(t, id, "test")
			for _, e := range all[event.Evaluated](t, b, id) {
				want := map[string]float64{"dev": value, "test": test}[e.Split]
				if float64(e.Measures["nDCG@10"]) != want {
					t.Errorf("evaluated %s: %v, the selected model has %v", e.Split, e.Measures["nDCG@10"], want)
				}
			}
			card, err := os.ReadFile(filepath.Join(b.files.Run(id), "model", "README.md"))
			if err != nil || !strings.Contains(string(card), fmt.Sprintf("selected: the model after %d steps, by nDCG@10", best)) {
				t.Errorf("card %q (%v)", card, err)
			}
			// Evaluated again, it is still the best that is looked at.
			cfg := b.watching(3, selecting, func(c *sweeps.RunConfig) {
				c.Checkpoint.Every, c.Evaluate.Measures = 7, []string{"nDCG@10", "RR@10"}
			})
			if again := b.prepare(t, cfg); again != id {
				t.Fatal("another measure made another run of it")
			}
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			if e := last[event.Evaluated](t, b.events(t, id, 2)); e.Split != "dev" || float64(e.Measures["nDCG@10"]) != value {
				t.Errorf("evaluated again %+v", e)
			}
			if got := len(all[event.Measured](t, b, id)); got != len(measured) {
				t.Errorf("%d evaluations during training, %d before", got, len(measured))
			}
		})
	}
}

// A best step whose weights were damaged cannot be the result: training resumes from before it and ends with the same
// weights.
func TestADamagedBestCostsStepsAndNothingElse(t *testing.T) {
	edit := func(c *sweeps.RunConfig) { c.Checkpoint.Every = 5; selecting(c) }
	whole := newBench(t, "bert")
	id := whole.prepare(t, whole.watching(3, edit))
	if err := whole.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := last[event.Selected](t, whole.events(t, id, 1))

	b := newBench(t, "bert")
	if other := b.prepare(t, b.watching(3, edit)); other != id {
		t.Fatal("the benches differ")
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, b.ticking(id), &interrupter{step: want.Step + 1, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("interrupted run ended with %v", err)
	}
	path := filepath.Join(b.files.Run(id), "checkpoints", fmt.Sprintf("step-%d", want.Step), checkpoint.WeightsFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 0x40
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	second := b.events(t, id, 2)
	if got := last[event.Selected](t, second); got != want {
		t.Errorf("selected %+v, undisturbed %+v", got, want)
	}
	if from := last[event.Started](t, second).FromStep; from >= want.Step {
		t.Errorf("training went on from step %d, behind the damaged best %d", from, want.Step)
	}
	notices := 0
	for _, r := range second {
		if n, ok := r.Event.(event.Notice); ok && strings.Contains(n.Message, "skipped") {
			notices++
		}
	}
	if notices == 0 {
		t.Error("that a checkpoint was skipped is not said")
	}
}

// Without a learning rate every step's model is the same: the first one is the best.
func TestOfEqualStepsTheEarliestIsTheBest(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.watching(2, selecting, func(c *sweeps.RunConfig) { c.Train.LR, c.Train.Steps, c.Checkpoint.Every = 0, 7, 3 }))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	if s := last[event.Selected](t, b.events(t, id, 1)); s.Step != 2 {
		t.Errorf("selected %+v", s)
	}
	if got := b.steps(t, id); !slices.Equal(got, []int{7, 2}) {
		t.Errorf("kept checkpoints %v", got)
	}
}

func TestWithoutTheBestOnlyTheLastIsKept(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.watching(5, func(c *sweeps.RunConfig) { c.Checkpoint.Keep = "last" }))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := b.steps(t, id); !slices.Equal(got, []int{24}) {
		t.Errorf("kept checkpoints %v", got)
	}
}
