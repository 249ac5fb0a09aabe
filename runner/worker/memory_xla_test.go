//go:build xla

package worker_test

import (
	"slices"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/sweeps"
)

const outOfMemory = "Out of memory while trying to allocate 17179869184 bytes"

// named are the settings by which a step of training needs less memory.
var named = []string{"the device's memory is full: ", "train.micro_batch (now the whole batch of 8)", "compute.remat = true", "data.max_document (now 16)"}

// A device whose memory is full names the settings to lower, when a program is compiled, when parameters are copied
// there and in the middle of a run, which loses no step by that. After a setting that is not in its id was lowered,
// the run resumes.
func fullDevice(t *testing.T, plugin string, want ending) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(onDevice(plugin)))
	for _, call := range []string{pjrtstub.Compiles, pjrtstub.Uploads} {
		b.failing(t, id, pjrtstub.Fault{Call: call, From: 1, Message: outOfMemory, Code: pjrtstub.Full}, append(named, "there is no checkpoint yet")...)
		b.sound(t, id, false)
	}
	b.failing(t, id, pjrtstub.Fault{Call: pjrtstub.Executes, From: 6, Message: outOfMemory, Code: pjrtstub.Full}, append(named, "training resumes from the checkpoint of step 5")...)
	b.sound(t, id, false, 5, 3)
	room := pjrtstub.Fault{Room: 4} // for half of a batch
	b.failing(t, id, room, append(named, outOfMemory, "training resumes from the checkpoint of step 5")...)
	if got := b.trained(t, id, 4); got != nil {
		t.Errorf("without the room for it it trained steps %v", got)
	}
	b.sound(t, id, false, 5, 3)
	if again := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
		onDevice(plugin)(c)
		c.Train.MicroBatch, c.Compute.Remat = 4, true
	})); again != id {
		t.Fatal("smaller micro-batches make another run")
	}
	xlatest.Fail(t, room)
	b.whole(t, id)
	xlatest.Fail(t, pjrtstub.Fault{})
	if got := b.trained(t, id, 5); len(got) != 9 || got[0] != 5 {
		t.Errorf("went on with steps %v", got)
	}
	if got := b.ending(t, id)["weights"]; slices.Equal(got, want["weights"]) {
		t.Error("micro-batches drop out apart from one another, and the weights are the same: the settings were not taken")
	}
}

// If a trained model's texts do not fit side by side they are encoded in smaller batches,
// down to one at a time. If one does not fit either, training is not repeated: the run is
// measured elsewhere.
func fullAtEvaluation(t *testing.T, plugin string, want ending) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(onDevice(plugin)))
	b.failing(t, id, pjrtstub.Fault{Call: pjrtstub.Executes, From: 14 + 1, Message: outOfMemory, Code: pjrtstub.Full},
		`evaluate on "`, "the device's memory is full: ", `compute.backend = "go"`, "data.max_document (now 16)", "training is done and kept")
	b.sound(t, id, true, 14)
	xlatest.Fail(t, pjrtstub.Fault{Room: 8}) // of some hundred documents
	b.whole(t, id)
	xlatest.Fail(t, pjrtstub.Fault{})
	if got := b.trained(t, id, 2); got != nil {
		t.Errorf("trained steps %v again", got)
	}
	for _, difference := range differences(b.ending(t, id), want) {
		t.Error(difference)
	}
}

// A device may fail while dev data are measured during training: with its memory full that
// costs no step, lost what was trained since the checkpoint before. Neither leaves a trace.
func faultyDevData(t *testing.T, plugin, want string) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
		onDevice(plugin)(c)
		c.Evaluate.During, c.Evaluate.Every = []string{b.data}, 7
	}))
	const during = "evaluate during training, before step "
	b.failing(t, id, pjrtstub.Fault{Call: pjrtstub.Executes, From: 7 + 1, Message: outOfMemory, Code: pjrtstub.Full}, during+"7: ", `compute.backend = "go"`, "training resumes from the checkpoint of step 7")
	b.sound(t, id, false, 7, 6)
	// What the first could not measure is two programs, documents and queries, then come seven steps.
	b.failing(t, id, pjrtstub.Fault{Call: pjrtstub.Executes, From: 2 + 7 + 1, Lost: true, Message: "CUDA_ERROR_UNKNOWN: unknown error"}, during+"14: ", "training resumes from the checkpoint of step 12")
	b.sound(t, id, false, 12, 9, 7) // the last is the best one
	b.whole(t, id)
	if got := last[event.Ended](t, b.events(t, id, 3)).Weights; got != want {
		t.Errorf("weights %s, undisturbed %s", got, want)
	}
	var measured []int
	for _, m := range all[event.Measured](t, b, id) {
		measured = append(measured, m.Step)
	}
	if !slices.Equal(measured, []int{7, 14}) {
		t.Errorf("measured at steps %v", measured)
	}
}
