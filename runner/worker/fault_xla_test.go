//go:build xla

package worker_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/models/hf"
	"headroom/runner/checkpoint"
	"headroom/sweeps"
)

// onDevice is a run of fourteen steps on a plugin, a checkpoint every three, whose texts
// have one length, so that few programs are compiled.
func onDevice(plugin string) func(*sweeps.RunConfig) {
	return func(c *sweeps.RunConfig) {
		none := 0 // a look runs programs of its own, and the faults here come at a program's number
		c.Stability.Probe = &none
		every(3)(c)
		c.Compute.Backend, c.Data.MaxDocument = "xla:"+plugin, 16
	}
}

// failing lets a worker process fail on a device, and returns what it said. That must have
// all of the texts in it and nothing of a crash.
func (b bench) failing(t *testing.T, id string, f pjrtstub.Fault, texts ...string) {
	t.Helper()
	xlatest.Fail(t, f)
	cmd, out, stderr := b.child(t, id)
	for out.Scan() {
	}
	err := cmd.Wait()
	xlatest.Fail(t, pjrtstub.Fault{})
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("with %+v the worker ended with %v: %s", f, err, stderr)
	}
	attempts, err := event.Attempts(b.files.Run(id))
	if err != nil {
		t.Fatal(err)
	}
	ended := last[event.Ended](t, b.events(t, id, attempts[len(attempts)-1]))
	if ended.State != event.StateFailed || !strings.Contains(stderr.String(), ended.Error) {
		t.Errorf("the attempt ended as %+v, the worker said %s", ended, stderr)
	}
	for _, text := range append(texts, f.Message) {
		if text != "" && strings.Count(ended.Error, text) != 1 {
			t.Errorf("%q is not once in %q", text, ended.Error)
		}
	}
	for _, text := range []string{"panic", "SIG", "goroutine ", "fault plugin"} {
		if strings.Contains(stderr.String(), text) {
			t.Errorf("the worker crashed: %s", stderr)
		}
	}
}

// sound checks that a run has the checkpoints of these steps, newest first, and none of them
// is damaged or half written; and that it has a model if whole is true, else no file of one.
func (b bench) sound(t *testing.T, id string, whole bool, steps ...int) {
	t.Helper()
	folder := filepath.Join(b.files.Run(id), "checkpoints")
	if got := b.steps(t, id); !slices.Equal(got, steps) {
		t.Errorf("checkpoints of steps %v, want %v", got, steps)
	}
	left, err := checkpoint.Leftovers(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	saved, err := checkpoint.Latest(folder, id, nil, func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	if saved != nil {
		if err := saved.Close(); err != nil || saved.Step != steps[0] {
			t.Errorf("the newest is of step %d (%v)", saved.Step, err)
		}
	}
	models, err := filepath.Glob(filepath.Join(b.files.Run(id), "*model*"))
	if err != nil {
		t.Fatal(err)
	}
	if whole != (len(models) == 1) {
		t.Errorf("models: %v", models)
	}
	for _, folder := range models {
		if _, err := hf.Load(folder, hf.Options{}); err != nil {
			t.Error(err)
		}
	}
}

// Runs on a device that fails: each starts from a bench of its own, and ends as the first,
// whose device is sound.
func TestXLAFaultyDevice(t *testing.T) {
	plugin := xlatest.FaultyPlugin(t)
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(onDevice(plugin)))
	b.whole(t, id)
	want := b.ending(t, id)
	if b.measured(t, id) != 1 {
		t.Error("the undisturbed run was not measured")
	}
	t.Run("lost", func(t *testing.T) { lostDevice(t, plugin, want) })
	t.Run("memory", func(t *testing.T) { fullDevice(t, plugin, want) })
	t.Run("evaluation", func(t *testing.T) { fullAtEvaluation(t, plugin, want) })
	t.Run("dev data", func(t *testing.T) { faultyDevData(t, plugin, want["weights"][0]) })
}

// measured counts the evaluations that a run has.
func (b bench) measured(t *testing.T, id string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(b.files.Run(id), "evaluations", "*", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// trained are the steps that an attempt trained.
func (b bench) trained(t *testing.T, id string, attempt int) (steps []int) {
	t.Helper()
	for _, r := range b.events(t, id, attempt) {
		if s, ok := r.Event.(event.Step); ok {
			steps = append(steps, s.Step)
		}
	}
	return steps
}

// A device that is lost at a step, in the middle of a checkpoint's copies or while the trained model is measured ends
// its worker with a message that says what to do. The state that was saved before is whole, and the run that resumes
// from it, here from one lost device to the next, ends as one that was not disturbed.
func lostDevice(t *testing.T, plugin string, want ending) {
	b := newBench(t, "bert")
	ck, err := hf.Load(b.backbone, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	params := len(ck.Config.Params())
	id := b.prepare(t, b.config(onDevice(plugin)))
	from := 0
	for i, c := range []struct {
		fault pjrtstub.Fault
		says  []string
		saved []int // steps of checkpoints
	}{
		{
			pjrtstub.Fault{Call: pjrtstub.Uploads, From: 3*params + 8, Message: "CUDA error: device-side assert triggered"},
			[]string{"train step 1: ", "there is no checkpoint yet"}, nil,
		},
		// A step's series are one copy, a checkpoint's are those of all parameters and moments.
		{
			pjrtstub.Fault{Call: pjrtstub.Downloads, From: 6 + 3*params + params/2, Message: "CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered"},
			[]string{"fetch parameter ", "training resumes from the checkpoint of step 3"}, []int{3},
		},
		{
			pjrtstub.Fault{Call: pjrtstub.Downloads, From: 3 + params + params/2, Late: true, Message: "GPU 0000:3B:00.0: GPU has fallen off the bus"},
			[]string{"fetch moments of ", "training resumes from the checkpoint of step 3"}, []int{3},
		},
		{
			pjrtstub.Fault{Call: pjrtstub.Executes, From: 6, Late: true, Message: "Failed to synchronize: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"},
			[]string{`train step 8: run program "train step": `, "training resumes from the checkpoint of step 6"}, []int{6, 3},
		},
		{
			pjrtstub.Fault{Call: pjrtstub.Executes, From: 8 + 1, Message: "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"},
			[]string{"evaluate on ", "training is done and kept"}, []int{14},
		},
	} {
		c.fault.Lost = true
		b.failing(t, id, c.fault, append(c.says, "the device was lost: run the same command again")...)
		b.sound(t, id, slices.Contains(c.saved, 14), c.saved...)
		if started := last[event.Started](t, b.events(t, id, i+1)); started.FromStep != from {
			t.Errorf("attempt %d went on from step %d, want %d", i+1, started.FromStep, from)
		}
		if c.saved != nil {
			from = c.saved[0]
		}
	}
	if n := b.measured(t, id); n > 0 {
		t.Errorf("%d evaluations", n)
	}
	b.whole(t, id)
	if got := b.trained(t, id, 6); got != nil {
		t.Errorf("trained steps %v again", got)
	}
	for _, difference := range differences(b.ending(t, id), want) {
		t.Error(difference)
	}
}
