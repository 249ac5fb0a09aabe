package worker_test

import (
	"io"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/sweeps"
)

// BenchmarkOverhead: the shares of a run's training time that are looks at the probe set, and that are neither a
// look nor the training step: composing batches, the event log, detectors, progress, checkpoints. The
// models are the sweep demo's shapes and the smallest of the calibration: a larger model's share is less.
// What a step itself computes to be recorded is in train's BenchmarkRecording.
func BenchmarkOverhead(b *testing.B) {
	for _, c := range []struct {
		name, architecture    string
		hidden, layers, batch int
	}{{"bert", "bert", 96, 2, 32}, {"modernbert", "modernbert", 96, 2, 32}, {"smallest", "bert", 48, 1, 16}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				place := newBenchOfSize(b, c.architecture, 0, false, c.hidden, c.layers)
				id := place.prepare(b, place.config(func(cfg *sweeps.RunConfig) {
					cfg.Train.Steps, cfg.Train.Batch, cfg.Data.MaxDocument, cfg.Evaluate.Final = 1000, c.batch, 64, nil
					cfg.Checkpoint.Every = 500
				}))
				if err := place.run(b, id, io.Discard); err != nil {
					b.Fatal(err)
				}
				var first, last time.Time
				inside, looks := 0.0, 0.0
				for _, r := range place.events(b, id, 1) {
					if step, ok := r.Event.(event.Step); ok {
						if first.IsZero() {
							first = r.Time // the first step compiles: time counts from its end
							continue
						}
						last = r.Time
						inside += float64(step.Values["seconds"])
						looks += float64(step.Values["probe/seconds"])
					}
				}
				total := last.Sub(first).Seconds()
				b.ReportMetric(100*looks/total, "%-looks")
				b.ReportMetric(100*(total-inside-looks)/total, "%-outside-both")
				b.ReportMetric(1000*total/999, "ms/step")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
