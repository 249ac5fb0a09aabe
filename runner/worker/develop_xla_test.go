//go:build xla

package worker_test

import (
	"io"
	"math"
	"testing"

	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/sweeps"
)

// On a device with memory of its own the parameters that dev data see are those of the
// step, and the best step's weights are what is exported: the Go backend finds the same
// figures for the exported folder. Watching changes no step there either.
func TestDevDataOnXLA(t *testing.T) {
	plugin := xlatest.Plugin(t)
	// So few steps teach little: far down the ranking there is something to tell apart.
	const measure = "nDCG@100"
	edit := func(c *sweeps.RunConfig) {
		c.Compute.Backend, c.Train.Steps, c.Data.MaxDocument, c.Checkpoint.Every = "xla:"+plugin, 12, 16, 5
		c.Train.LR, c.Evaluate.Measures = 5e-3, []string{measure}
	}
	plain := newBench(t, "bert")
	id := plain.prepare(t, plain.config(func(c *sweeps.RunConfig) { rising(c); edit(c) }))
	if err := plain.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := last[event.Ended](t, plain.events(t, id, 1)).Weights

	watched := newBench(t, "bert")
	id = watched.prepare(t, watched.watching(4, edit))
	if err := watched.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := last[event.Ended](t, watched.events(t, id, 1)).Weights; got != want {
		t.Errorf("weights %s, unwatched %s", got, want)
	}

	b := newBench(t, "bert")
	id = b.prepare(t, b.watching(4, selecting, edit))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	measured := all[event.Measured](t, b, id)
	best, value := bestOf(measured)
	if s := last[event.Selected](t, b.events(t, id, 1)); s.Step != best || float64(s.Value) != value {
		t.Errorf("selected %+v, the best is step %d with %v", s, best, value)
	}
	if len(measured) != 3 || measured[0].Value == measured[1].Value && measured[1].Value == measured[2].Value {
		t.Fatalf("measured %+v: the test shows nothing", measured)
	}
	// Documents of another rank by rounding alone are few.
	if got := b.exportedAt(t, id, "dev", measure, 16); math.Abs(got-value) > .02 {
		t.Errorf("the exported model has %v on dev data on the Go backend, the best step had %v", got, value)
	}
}
