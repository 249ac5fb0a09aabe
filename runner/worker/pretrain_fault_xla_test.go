//go:build xla

package worker_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/runner/checkpoint"
	"headroom/runner/engine"
	"headroom/runner/worker"
)

// The pretraining of a backbone loses no step when the device runs out of memory, and names the settings to lower;
// after the loss of the device it resumes from the checkpoint before. In the end it is the backbone of a device that
// is sound.
func TestXLAPretrainsOnAFaultyDevice(t *testing.T) {
	plugin := "xla:" + xlatest.FaultyPlugin(t)
	sound := newBench(t, "bert")
	want := sound.pretrainWhole(t, sound.recipe(t, "bert", nil), plugin)
	b := newBench(t, "bert")
	id := b.recipe(t, "bert", nil)
	folder := filepath.Join(b.files.Backbone(id)+".work", "checkpoints")
	pretrain := func(f pjrtstub.Fault, clock func(worker.Job) worker.Job) error {
		xlatest.Fail(t, f)
		defer xlatest.Fail(t, pjrtstub.Fault{})
		job := clock(b.job(worker.KindPretrain, id))
		job.Backend = plugin
		return worker.Run(t.Context(), job, io.Discard)
	}
	still := func(job worker.Job) worker.Job { return job }
	for _, c := range []struct {
		fault pjrtstub.Fault
		clock func(worker.Job) worker.Job
		kind  error
		says  []string
	}{
		{pjrtstub.Fault{Call: pjrtstub.Executes, From: 6, Message: outOfMemory, Code: pjrtstub.Full}, still, engine.ErrDeviceMemory,
			[]string{"pretrain step 5: ", "compute.remat = true", "--remat", "train.batch (now 8)", "data.max_length (now 24)", "training resumes from the checkpoint of step 5"}},
		{pjrtstub.Fault{Call: pjrtstub.Executes, From: 13, Late: true, Lost: true, Message: "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"}, hurried, engine.ErrDeviceLost,
			[]string{"pretrain step 17: ", "run the same command again", "training resumes from the checkpoint of step 1"}},
	} {
		err := pretrain(c.fault, c.clock)
		if !errors.Is(err, c.kind) {
			t.Fatalf("%+v: %v", c.fault, err)
		}
		for _, text := range append(c.says, c.fault.Message) {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q is not in %q", text, err)
			}
		}
		if _, err := os.Stat(b.files.Backbone(id)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("there is a backbone: %v", err)
		}
		if left, err := checkpoint.Leftovers(folder); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	}
	steps, err := checkpoint.Steps(folder)
	if err != nil || len(steps) != 2 || steps[0] <= 5 || steps[0] > 17 {
		t.Errorf("checkpoints of steps %v (%v)", steps, err)
	}
	if err := pretrain(pjrtstub.Fault{}, still); err != nil {
		t.Fatal(err)
	}
	got := b.made(t, id, 3)
	if got.from != steps[0] {
		t.Errorf("went on from step %d, the checkpoints were of %v", got.from, steps)
	}
	if got.from = 0; got != want {
		t.Errorf("made %+v, want %+v", got, want)
	}
}
