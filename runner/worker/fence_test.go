package worker_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/lease"
	"headroom/runner/worker"
)

// TestAnAttemptThatWasGivenUpWritesNothingThatCounts has a scheduler start a run again
// while the first start lives on: at a step between two checkpoints the later turn takes
// the lease, and no heartbeat comes before the next checkpoint is due.
func TestAnAttemptThatWasGivenUpWritesNothingThatCounts(t *testing.T) {
	want, _ := undisturbed(t, "bert")
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(every(3)))
	folder := filepath.Join(b.files.Root, "runs", id)
	job := b.ticking(id)
	job.Lease = lease.Options{Succession: "slurm", Turn: 1}
	var later *lease.Lease
	err := worker.Run(t.Context(), job, &interrupter{step: 7, cancel: func() {
		if later == nil {
			var err error
			if later, err = lease.Acquire(folder, lease.Options{Succession: "slurm", Turn: 2, Interval: -1}); err != nil {
				t.Error(err)
			}
		}
	}})
	if !errors.Is(err, lease.ErrLost) {
		t.Fatalf("the first start ends with %v", err)
	}
	for _, r := range b.events(t, id, 1) {
		if e, is := r.Event.(event.Ended); is && e.State == event.StateDone {
			t.Error("the first start says that the run is done")
		}
		if c, is := r.Event.(event.Checkpoint); is && c.Step > 6 {
			t.Errorf("the first start wrote a checkpoint of step %d after it had lost the run at 7", c.Step)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "checkpoints", "step-9")); err == nil {
		t.Error("there is a checkpoint of step 9")
	}
	if err := later.Release(); err != nil {
		t.Fatal(err)
	}
	job.Lease.Turn = 2
	if err := worker.Run(t.Context(), job, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := last[event.Ended](t, b.events(t, id, 2)).Weights; got != want {
		t.Errorf("weights %s, want %s of an undisturbed run", got, want)
	}
}
