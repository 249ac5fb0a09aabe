package worker_test

import (
	"io"
	"math"
	"testing"

	"headroom/metrics/event"
	"headroom/sweeps"
)

func TestAStepSaysWhatItTookOfTheMachine(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(func(*sweeps.RunConfig) {}))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	events := b.events(t, id, 1)
	values := last[event.Step](t, events).Values
	tokens := float64(values[event.TokensSeries]) * float64(values[event.SecondsSeries])
	if whole := math.Round(tokens); whole < 4 || math.Abs(tokens-whole) > 1e-6*whole {
		t.Errorf("%v tokens per second in %v seconds are %v tokens", values[event.TokensSeries], values[event.SecondsSeries], tokens)
	}
	if bytes := values[event.MemorySeries]; bytes < 1<<20 || bytes > 1<<40 {
		t.Errorf("memory is %v bytes", bytes)
	}
	for _, r := range events { // the run has fewer than ten steps
		if step, ok := r.Event.(event.Step); ok && step.Step == 1 {
			if _, read := step.Values[event.MemorySeries]; read {
				t.Error("memory is read at a step between the tenth ones")
			}
		}
	}
}
