//go:build xla

package train_test

import (
	"strings"
	"testing"

	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// Pretraining on XLA is the Go backend's: the same masks, losses and parameters.
func TestXLAPretrainsLikeTheGoBackend(t *testing.T) {
	e := xlatest.Open(t)
	recipe := sweeps.Recipe{Mask: sweeps.RecipeMask{Share: .3, Mask: .8, Random: .1}}
	recipe.Train.Steps, recipe.Train.LR, recipe.Train.Beta1, recipe.Train.Beta2 = 8, 1e-3, .9, .98
	recipe.Train.WeightDecay, recipe.Train.Clip, recipe.Train.Warmup, recipe.Train.Schedule = .01, 1, .2, "linear"
	for _, folder := range []string{"bert-tied", "modernbert-untied"} {
		t.Run(folder, func(t *testing.T) {
			models := []*engine.Model{openModel(t, folder, false), modelOn(t, e, folder, false)}
			var series [2][]map[string]event.Value
			for i, m := range models {
				s, err := train.NewPretrainer(m, recipe, train.Masking{Rule: recipe.Mask, Vocab: m.Config.Vocab, Mask: 4, Special: map[int32]bool{0: true, 4: true}, Seed: 3})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				for step := range 8 {
					values, err := s.Step(step, texts(uint64(step), 6, m.Config.Vocab, 9, 16, 13))
					if err != nil {
						t.Fatal(err)
					}
					series[i] = append(series[i], values)
				}
				if err := s.Sync(); err != nil {
					t.Fatal(err)
				}
			}
			compareSeries(t, series[1], series[0], 1e-4)
			for i, p := range models[1].Params {
				if strings.HasSuffix(p.Name, "key.bias") {
					continue // no score depends on it
				}
				if worst, size := distance(p.Values, models[0].Params[i].Values); worst > 1e-4*size {
					t.Errorf("parameter %s is off by %.3g of %.3g", p.Name, worst, size)
				}
			}
		})
	}
}
