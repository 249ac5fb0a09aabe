package host_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"headroom/data/loader"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// BenchmarkRecording: the share of a training step that goes into what is recorded
// of it (scores, active dims, cosine, empty rows), step and recording in turns.
func BenchmarkRecording(b *testing.B) {
	for name, c := range map[string]shape{"demo": demoShape("bert"), "4x256": benchShape("bert", 30522)} {
		b.Run(name, func(b *testing.B) {
			folder, _ := c.prepare(b)
			ck, err := hf.Load(folder, hf.Options{})
			if err != nil {
				b.Fatal(err)
			}
			e, err := engine.Open("go", runtime.NumCPU())
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			m, err := engine.NewModel(e, ck, false)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			cfg := sweeps.Defaults()
			cfg.Train.Steps = 1000
			s, err := host.New(m, cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			batch := loader.Batch{Queries: conformance.Texts(1, c.texts, c.vocab, c.queryTokens), Documents: conformance.Texts(2, c.texts, c.vocab, c.tokens)}
			rounds := 8
			if os.Getenv("HEADROOM_BENCH_TINY") != "" {
				rounds = 2
			}
			for b.Loop() {
				var steps, recording time.Duration
				for round := range rounds {
					start := time.Now()
					if _, err := s.Step(round, batch); err != nil {
						b.Fatal(err)
					}
					took := time.Since(start)
					again, free, err := s.Recording(round, batch)
					if err != nil {
						b.Fatal(err)
					}
					start = time.Now()
					if err := again(); err != nil {
						b.Fatal(err)
					}
					if round > 0 { // the first compiles
						steps, recording = steps+took, recording+time.Since(start)
					}
					free()
				}
				b.ReportMetric(100*recording.Seconds()/steps.Seconds(), "%-of-a-step")
				b.ReportMetric(1000*steps.Seconds()/float64(rounds-1), "ms/step")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
