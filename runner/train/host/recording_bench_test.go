package host_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"headroom/data/loader"
	"headroom/metrics/evidence"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// BenchmarkRecording: the share of a training step that goes into what is recorded
// of it (scores, active dims, cosine, empty rows), and how many steps a look at 64 queries
// and documents takes as long as, all in turns.
func BenchmarkRecording(b *testing.B) {
	for name, c := range map[string]shape{"smallest": smallestShape("bert"), "demo": demoShape("bert"), "4x256": benchShape("bert", 30522)} {
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
			var probe [2][][]int32
			for i := range probe {
				texts := [2][][]int32{batch.Queries, batch.Documents}[i]
				for len(probe[i]) < 64 {
					probe[i] = append(probe[i], texts...)
				}
				probe[i] = probe[i][:64]
			}
			rounds := 8
			if os.Getenv("HEADROOM_BENCH_TINY") != "" {
				rounds = 2
			}
			for b.Loop() {
				var steps, recording, looking time.Duration
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
					recorded := time.Since(start)
					free()
					start = time.Now()
					look(b, s, probe, c.vocab)
					if round > 0 { // the first compiles
						steps, recording, looking = steps+took, recording+recorded, looking+time.Since(start)
					}
				}
				b.ReportMetric(100*recording.Seconds()/steps.Seconds(), "%-of-a-step")
				b.ReportMetric(looking.Seconds()/steps.Seconds(), "steps/look")
				b.ReportMetric(1000*steps.Seconds()/float64(rounds-1), "ms/step")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// look does what a run does with its probe set.
func look(b *testing.B, s *host.Splade, texts [2][][]int32, vocab int) {
	b.Helper()
	var sides [2]evidence.Side
	for i, list := range texts {
		v, err := s.Look(list)
		if err != nil {
			b.Fatal(err)
		}
		sides[i] = evidence.Side{Vocab: vocab, Weights: v.Weights, Logits: v.Logits, Positions: v.Positions}
		for _, ids := range list {
			sides[i].Lengths = append(sides[i].Lengths, len(ids))
		}
	}
	evidence.Series(sides[0], sides[1], 1, runtime.NumCPU())
}
