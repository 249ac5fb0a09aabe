package host_test

import (
	"strings"
	"testing"

	"headroom/data/loader"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// Layers computed a second time change no bit, dropout included.
func TestRematChangesNoBit(t *testing.T) {
	for _, folder := range []string{"bert-tied", "modernbert-untied"} {
		final := func(remat bool) map[string][]float32 {
			m := openModel(t, folder, true)
			cfg := conformance.Config(3)
			rate := .3
			cfg.Model.Dropout, cfg.Compute.Remat = &rate, remat
			s, err := host.New(m, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for step := range 3 {
				b := loader.Batch{Queries: conformance.Texts(uint64(step), 4, m.Config.Vocab, 3, 6), Documents: conformance.Texts(uint64(step)+50, 4, m.Config.Vocab, 9, 21)}
				if _, err := s.Step(step, b); err != nil {
					t.Fatal(err)
				}
			}
			out := map[string][]float32{}
			for _, p := range m.Params {
				out[p.Name] = p.Values
			}
			return out
		}
		want, got := final(false), final(true)
		for name, values := range want {
			for i, x := range values {
				if got[name][i] != x {
					t.Fatalf("%s: value %d of %s is %g, without remat %g", folder, i, name, got[name][i], x)
				}
			}
		}
	}
}

func TestBFloat16IsRefusedWhereItCannotBeComputed(t *testing.T) {
	m := openModel(t, "bert-tied", true)
	cfg := conformance.Config(3)
	cfg.Train.Precision = "bfloat16"
	if _, err := host.New(m, cfg); err == nil || !strings.Contains(err.Error(), "the backend xla (compute.backend") {
		t.Errorf("the Go backend trains in bfloat16, or does not say what can: %v", err)
	}
	recipe := sweeps.RecipeDefaults()
	recipe.Train.Precision = "bfloat16"
	if _, err := host.NewMLM(m, recipe, false); err == nil || !strings.Contains(err.Error(), "the backend xla (compute.backend") {
		t.Errorf("the Go backend pretrains in bfloat16, or does not say what can: %v", err)
	}
}
