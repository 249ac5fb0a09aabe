package worker_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// interrupter cancels a context at the given training step, or at the first message of
// another phase, as Ctrl-C does.
type interrupter struct {
	phase  string // "train" if empty
	step   int
	cancel context.CancelFunc
}

func (i *interrupter) Write(line []byte) (int, error) {
	var m struct {
		Phase string `json:"phase"`
		Step  int    `json:"step"`
	}
	if json.Unmarshal(line, &m) == nil && m.Phase == cmp.Or(i.phase, "train") && m.Step >= i.step {
		i.cancel()
	}
	return len(line), nil
}

func every(n int) func(*sweeps.RunConfig) {
	return func(c *sweeps.RunConfig) {
		c.Train.Steps, c.Checkpoint.Every = 14, n
		rate := .2
		c.Model.Dropout = &rate
	}
}

func undisturbed(t *testing.T, architecture string) (weights string, values event.Step) {
	t.Helper()
	b := newBench(t, architecture)
	id := b.prepare(t, b.config(every(3)))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	records := b.events(t, id, 1)
	return last[event.Ended](t, records).Weights, last[event.Step](t, records)
}

func TestAnInterruptedRunEndsWithTheSameWeights(t *testing.T) {
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			want, finalStep := undisturbed(t, architecture)
			b := newBench(t, architecture)
			id := b.prepare(t, b.config(every(3)))
			ctx, cancel := context.WithCancel(t.Context())
			err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel})
			if !errors.Is(err, worker.ErrInterrupted) {
				t.Fatalf("interrupted run ended with %v", err)
			}
			first := b.events(t, id, 1)
			if ended := last[event.Ended](t, first); ended.State != event.StateInterrupted || ended.Step == 0 || ended.Step >= 14 {
				t.Fatalf("ended as %+v", ended)
			}
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			second := b.events(t, id, 2)
			if from := last[event.Started](t, second).FromStep; from != last[event.Ended](t, first).Step {
				t.Errorf("resumed from step %d", from)
			}
			if got := last[event.Ended](t, second).Weights; got != want {
				t.Errorf("weights %s, undisturbed %s", got, want)
			}
			for name, v := range last[event.Step](t, second).Values {
				if !event.DependsOnMachine(name) && v != finalStep.Values[name] {
					t.Errorf("last step's %s is %v, undisturbed %v", name, v, finalStep.Values[name])
				}
			}
		})
	}
}

// A checkpoint whose weights were damaged after the fact must not be trusted,
// and the one before it must lead to the same end.
func TestADamagedCheckpointCostsStepsAndNothingElse(t *testing.T) {
	want, _ := undisturbed(t, "bert")
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(every(3)))
	// Interrupted twice, each time at the first step that sends progress: progress is sent only a few times per
	// second, however many steps are done.
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
			t.Fatalf("interrupted run ended with %v", err)
		}
	}
	folders, err := filepath.Glob(filepath.Join(b.files.Run(id), "checkpoints", "step-*"))
	if err != nil || len(folders) != 2 {
		t.Fatalf("checkpoints %v (%v)", folders, err)
	}
	newest := filepath.Join(b.files.Run(id), "checkpoints", "step-"+strconv.Itoa(last[event.Ended](t, b.events(t, id, 2)).Step), "model.safetensors")
	text, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 0x40
	if err := os.WriteFile(newest, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	records := b.events(t, id, 3)
	if got := last[event.Ended](t, records).Weights; got != want {
		t.Errorf("weights %s, undisturbed %s", got, want)
	}
	last[event.Notice](t, records) // that the checkpoint was passed over
}

func TestAFinishedRunIsOnlyEvaluatedAnew(t *testing.T) {
	b := newBench(t, "bert")
	cfg := b.config(every(0))
	cfg.Evaluate.Final = nil
	id := b.prepare(t, cfg)
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	weights := last[event.Ended](t, b.events(t, id, 1)).Weights
	cfg.Evaluate.Final = []string{b.data}
	if again := b.prepare(t, cfg); again != id {
		t.Fatal("another collection made another run of it")
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	records := b.events(t, id, 2)
	for _, r := range records {
		if s, ok := r.Event.(event.Step); ok {
			t.Fatalf("step %d was trained again", s.Step)
		}
	}
	last[event.Evaluated](t, records)
	if got := last[event.Ended](t, records); got.Weights != weights {
		t.Errorf("weights %s, before %s", got.Weights, weights)
	}
}

// A worker that waited until another had done all there was finds nothing to do, and
// leaves no trace of having looked.
func TestAFinishedRunIsLeftAlone(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.watching(12))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.run(t, id, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if attempts, err := event.Attempts(b.files.Run(id)); err != nil || len(attempts) != 1 {
		t.Errorf("attempts %v (%v)", attempts, err)
	}
}
