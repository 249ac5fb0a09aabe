package worker_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/checkpoint"
	"headroom/sweeps"
)

// A disk that is full at a checkpoint stops the run with the reason; the earlier state stays, and the run resumes
// from it once there is room.
func TestAFullDiskStopsTheRunAndHarmsNoCheckpoint(t *testing.T) {
	if err := canLimitFiles(); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		name     string
		edit     func(*sweeps.RunConfig)
		full     int // step
		at, from int // the checkpoint that fails, and the one that is left
	}{
		{"a checkpoint to go on from", func(c *sweeps.RunConfig) { c.Checkpoint.Every = 5 }, 12, 15, 10},
		{"the final checkpoint", func(c *sweeps.RunConfig) { c.Checkpoint.Every = 10 }, 21, 24, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := func(cfg *sweeps.RunConfig) { rising(cfg); c.edit(cfg) }
			whole := newBench(t, "bert")
			id := whole.prepare(t, whole.config(edit))
			if err := whole.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			want := last[event.Ended](t, whole.events(t, id, 1)).Weights

			b := newBench(t, "bert")
			b.prepare(t, b.config(edit))
			cmd, out, stderr := b.child(t, id, fmt.Sprintf("%s=%d", childFull, c.full))
			for out.Scan() {
			}
			if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("the worker ended with %v: %s", err, stderr)
			}
			for _, text := range []string{fmt.Sprintf("save checkpoint of step %d", c.at), filepath.Join(id, "checkpoints"), "file too large"} {
				if !strings.Contains(stderr.String(), text) {
					t.Errorf("the message lacks %q: %s", text, stderr)
				}
			}
			if ended := last[event.Ended](t, b.events(t, id, 1)); ended.State != event.StateFailed || !strings.Contains(ended.Error, "file too large") {
				t.Errorf("ended as %+v", ended)
			}
			dir := filepath.Join(b.files.Run(id), "checkpoints")
			if left, err := checkpoint.Leftovers(dir); err != nil || len(left) != 0 {
				t.Errorf("left over: %v (%v)", left, err)
			}
			saved, err := checkpoint.Latest(dir, id, nil, func(m string) { t.Error(m) })
			if err != nil || saved == nil || saved.Step != c.from {
				t.Fatalf("left is %+v (%v)", saved, err)
			}
			if err := saved.Close(); err != nil {
				t.Error(err)
			}
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			second := b.events(t, id, 2)
			if from, got := last[event.Started](t, second).FromStep, last[event.Ended](t, second).Weights; from != c.from || got != want {
				t.Errorf("resumed from step %d and ended with weights %s, undisturbed %s", from, got, want)
			}
		})
	}
}
