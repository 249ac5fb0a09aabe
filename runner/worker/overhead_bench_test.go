package worker_test

import (
	"io"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/sweeps"
)

// BenchmarkOverhead: the share of a run's training time that is not the training
// step: composing batches, the event log, detectors, progress, checkpoints. The
// model is the sweep demo's shape, a small one: a larger model's share is less.
// What a step itself computes to be recorded is in train's BenchmarkRecording.
func BenchmarkOverhead(b *testing.B) {
	for _, architecture := range []string{"bert", "modernbert"} {
		b.Run(architecture, func(b *testing.B) {
			for b.Loop() {
				place := newBenchOfSize(b, architecture, 0, false, 96, 2)
				id := place.prepare(b, place.config(func(c *sweeps.RunConfig) {
					c.Train.Steps, c.Train.Batch, c.Data.MaxDocument, c.Evaluate.Final = 1000, 32, 64, nil
					c.Checkpoint.Every = 500
				}))
				if err := place.run(b, id, io.Discard); err != nil {
					b.Fatal(err)
				}
				var first, last time.Time
				inside := 0.0
				for _, r := range place.events(b, id, 1) {
					if step, ok := r.Event.(event.Step); ok {
						if first.IsZero() {
							first = r.Time // the first step compiles: time counts from its end
							continue
						}
						last = r.Time
						inside += float64(step.Values["seconds"])
					}
				}
				total := last.Sub(first).Seconds()
				b.ReportMetric(100*(total-inside)/total, "%-outside-steps")
				b.ReportMetric(1000*total/999, "ms/step")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
