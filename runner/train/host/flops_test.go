package host_test

import (
	"math"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// FLOPS of pooled logits in pretraining is that of the model's own vectors, and the gradient
// is the slope of the recorded loss.
func TestPretrainingsFLOPSIsOfTheModelsVectors(t *testing.T) {
	for _, folder := range []string{"bert-tied", "modernbert-untied"} {
		t.Run(folder, func(t *testing.T) {
			m := openModel(t, folder, false)
			recipe := conformance.MLMRecipe(func(r *sweeps.Recipe) {
				r.Train.FLOPS, r.Train.LR, r.Train.Clip, r.Train.WeightDecay = .5, 0, 0, 0
			})
			masking := train.Masking{Rule: recipe.Mask, Vocab: m.Config.Vocab, Mask: 4, Special: map[int32]bool{0: true, 4: true}, Seed: recipe.Seed}
			batch, err := masking.At(0, conformance.Texts(1, 6, m.Config.Vocab, 9, 16, 13))
			if err != nil {
				t.Fatal(err)
			}
			// step is a step at rate 0, by which nothing moves: its series and its gradient.
			step := func() (map[string]event.Value, []float64) {
				s, err := host.NewMLM(m, recipe, false)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				values, err := s.Step(0, batch)
				if err != nil {
					t.Fatal(err)
				}
				moments, err := s.Moments()
				if err != nil {
					t.Fatal(err)
				}
				var gradient []float64
				for _, moment := range moments {
					if moment.Name[0] == 'm' {
						for _, x := range moment.Data {
							gradient = append(gradient, float64(x)/(1-recipe.Train.Beta1))
						}
					}
				}
				return values, gradient
			}
			first, gradient := step()
			pooled, err := m.Pool(batch.Texts)
			if err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for v := range m.Config.Vocab {
				mean := 0.0
				for i := range batch.Texts {
					mean += math.Log1p(math.Max(0, float64(pooled[i*m.Config.Vocab+v]))) / float64(len(batch.Texts))
				}
				want += mean * mean
			}
			if got := float64(first["flops"]); !(math.Abs(got-want) <= 1e-5*want) || want == 0 {
				t.Errorf("FLOPS is %v, of the model's vectors %v", got, want)
			}
			parts := first["loss/mlm"] + first["loss/reg_flops"]
			if first["loss/reg_flops"] != .5*first["flops"] || math.Abs(float64(parts-first["loss"])) > 1e-9 {
				t.Errorf("the loss is not the sum of its components: %v", first)
			}
			norm := 0.0
			for _, g := range gradient {
				norm += g * g
			}
			norm = math.Sqrt(norm)
			lossAt := func(distance float64) float64 {
				i := 0
				for _, p := range m.Params {
					for j := range p.Values {
						p.Values[j] += float32(distance * gradient[i] / norm)
						i++
					}
				}
				values, _ := step()
				return float64(values["loss"])
			}
			const size = 5e-4
			up := lossAt(size)
			down := lossAt(-2 * size)
			if slope := (up - down) / (2 * size); !(math.Abs(slope-norm) <= .02*norm) {
				t.Errorf("the loss rises by %g along its gradient, whose norm is %g", slope, norm)
			}
		})
	}
}
