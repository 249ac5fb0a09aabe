package host_test

import (
	"math"
	"testing"

	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// objectives are the forms of a run's objective and of its vectors.
var objectives = []struct {
	name     string
	negative int
	edit     func(*sweeps.RunConfig)
}{
	{"infonce", 0, func(*sweeps.RunConfig) {}},
	{"hard negatives", 2, func(*sweeps.RunConfig) {}},
	{"naver", 1, func(c *sweeps.RunConfig) {
		c.Loss.Candidates, c.Regularizer.Negatives = "in_batch_and_own", "averaged"
	}},
	{"margin mse, l1", 2, func(c *sweeps.RunConfig) { c.Loss.Kind, c.Regularizer.Kind = "margin_mse", "l1" }},
	{"kl", 1, func(c *sweeps.RunConfig) { c.Loss.Kind, c.Loss.Temperature = "kl", 2 }},
	{"sum, log1p twice", 1, func(c *sweeps.RunConfig) {
		c.Model.Pooling, c.Model.Activation = "sum", "log1p_log1p_relu"
	}},
	{"top 9", 1, func(c *sweeps.RunConfig) { c.Model.TopK = 9 }},
}

// The gradient of a batch does not depend on how many texts are encoded at a time.
func TestMicroBatchesGiveTheWholeBatchsGradient(t *testing.T) {
	for _, folder := range []string{"bert-tied", "modernbert-window"} {
		for _, c := range objectives {
			t.Run(folder+" "+c.name, func(t *testing.T) {
				gradient := func(micro int) map[string][]float32 {
					m := openModel(t, folder, true)
					cfg := conformance.Config(10)
					cfg.Train.Batch, cfg.Train.MicroBatch, cfg.Data.Negatives = 6, micro, c.negative
					c.edit(&cfg)
					s, err := host.New(m, cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					got, err := s.Gradients(5, conformance.Batch(3, m.Config.Vocab, 6, c.negative))
					if err != nil {
						t.Fatal(err)
					}
					return got
				}
				whole := gradient(0)
				largest := 0.0
				for _, g := range whole {
					for _, x := range g {
						largest = math.Max(largest, math.Abs(float64(x)))
					}
				}
				if largest == 0 {
					t.Fatal("the gradient is zero everywhere: nothing is compared")
				}
				for _, micro := range []int{1, 2, 3} {
					for name, g := range gradient(micro) {
						worst, size := 0.0, 0.0
						for i, x := range whole[name] {
							worst = math.Max(worst, math.Abs(float64(x)-float64(g[i])))
							size = math.Max(size, math.Abs(float64(x)))
						}
						if worst > 1e-5*size+1e-7*largest {
							t.Errorf("micro-batches of %d: %s is off by %.3g of %.3g", micro, name, worst, size)
						}
					}
				}
			})
		}
	}
}

// Whatever the objective and the form, the gradient is the slope of the recorded loss.
func TestTheLossRisesAlongItsGradient(t *testing.T) {
	for _, c := range objectives {
		cfg := conformance.Config(10)
		cfg.Train.MicroBatch, cfg.Data.Negatives = 2, c.negative
		if c.edit(&cfg); cfg.Model.TopK > 0 {
			continue // the loss jumps where another term is kept: TestTheGradientGoesThroughKeptTermsOnly
		}
		t.Run(c.name, func(t *testing.T) {
			m := openModel(t, "modernbert-tied", true)
			s, err := host.New(m, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			b := conformance.Batch(8, m.Config.Vocab, 4, c.negative)
			gradient, err := s.Gradients(3, b)
			if err != nil {
				t.Fatal(err)
			}
			square := 0.0
			for _, g := range gradient {
				for _, x := range g {
					square += float64(x) * float64(x)
				}
			}
			at := func(by float64) float64 {
				for _, p := range m.Params {
					for i, g := range gradient[p.Name] {
						p.Values[i] += float32(by * float64(g) / math.Sqrt(square))
					}
				}
				loss, err := s.Forward(3, b)
				if err != nil {
					t.Fatal(err)
				}
				return loss
			}
			const size = 5e-4
			up := at(size)
			down := at(-2 * size)
			if slope, want := (up-down)/(2*size), math.Sqrt(square); math.Abs(slope-want) > .02*want {
				t.Errorf("the loss rises by %g along its gradient, whose norm is %g", slope, want)
			}
		})
	}
}
