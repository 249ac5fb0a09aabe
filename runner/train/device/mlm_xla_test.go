//go:build xla

package device_test

import (
	"math"
	"strings"
	"testing"

	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

func pretrainer(t *testing.T, m *engine.Model, recipe sweeps.Recipe, remat bool) train.Pretrainer {
	t.Helper()
	s, err := trainers.NewPretrainer(m, recipe, remat)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Pretraining on XLA is the Go backend's: losses, gradient norms and parameters. There
// autodiff goes through one graph, gathers and the decoder's two uses included; here the
// head's gradient, the way back to the tokens and the embeddings' sum are written out.
func TestXLAPretrainsLikeTheGoBackend(t *testing.T) {
	e := xlatest.Open(t)
	for _, folder := range []string{"bert-tied", "bert-untied", "modernbert-tied", "modernbert-untied"} {
		t.Run(folder, func(t *testing.T) {
			recipe := conformance.MLMRecipe(func(r *sweeps.Recipe) {
				if folder == "bert-tied" || folder == "modernbert-untied" {
					r.Train.FLOPS = .05
				}
			})
			models := []*engine.Model{conformance.Model(t, conformance.Host(t, 2), folder, false), conformance.Model(t, e, folder, false)}
			var series [2][]map[string]event.Value
			for i, m := range models {
				series[i] = conformance.MLMSteps(t, pretrainer(t, m, recipe, false), m, recipe, 0, 20)
			}
			compareSeries(t, series[1], series[0], 1e-4)
			for i, p := range models[1].Params {
				if strings.HasSuffix(p.Name, "key.bias") {
					continue // no score depends on it
				}
				if worst, size := conformance.Distance(p.Values, models[0].Params[i].Values); worst > 1e-4*size {
					t.Errorf("parameter %s is off by %.3g of %.3g", p.Name, worst, size)
				}
			}
		})
	}
}

// What bfloat16 may change: a number keeps 8 bits, 2⁻⁹ of it is lost if a product's sum
// is rounded, and through two layers and the head a logit is off by 1 % of the logits' size
// or less. The loss is a mean over tens of tokens of differences of logits that are about 1
// here, in float32: off by 1 % of it. A gradient is off by as much as the logits and the
// activations that it is made of, up to 10 % over two layers and back: a cosine above
// 1 − .1²/2, and as most of that has no preferred direction, the norm off by half as much.
func TestXLAPretrainingInBFloat16StaysCloseToFloat32(t *testing.T) {
	e := xlatest.Open(t)
	for _, folder := range []string{"bert-tied", "modernbert-tied"} {
		t.Run(folder, func(t *testing.T) {
			var series [2][]map[string]event.Value
			var first [2][]safetensors.Tensor
			for i, precision := range []string{"float32", "bfloat16"} {
				recipe := conformance.MLMRecipe(func(r *sweeps.Recipe) { r.Train.Precision = precision })
				m := conformance.Model(t, e, folder, false)
				s := pretrainer(t, m, recipe, false)
				series[i] = conformance.MLMSteps(t, s, m, recipe, 0, 1)
				var err error
				if first[i], err = s.Moments(); err != nil {
					t.Fatal(err)
				}
				series[i] = append(series[i], conformance.MLMSteps(t, s, m, recipe, 1, 20)...)
			}
			var worst, norm float64
			for step, want := range series[0] {
				got := series[1][step]
				x, y := float64(got["loss"]), float64(want["loss"])
				worst = math.Max(worst, math.Abs(x-y)/y)
				norm = math.Max(norm, math.Abs(float64(got["grad_norm"]/want["grad_norm"])-1))
				if x == y {
					t.Errorf("step %d: the losses are the same number, %v: is this bfloat16?", step, x)
				}
			}
			cosine := cosineOf(first[0], first[1])
			t.Logf("loss within %.3g of itself, gradient norm %.3g; the first gradient's cosine is 1 − %.2g", worst, norm, 1-cosine)
			if worst > .01 || norm > .05 || cosine < .995 {
				t.Errorf("loss off by %.3g, gradient norm by %.3g, cosine %.5f", worst, norm, cosine)
			}
		})
	}
}

// cosineOf is that of two optimizers' first moments, which after one update are the
// gradients times a factor.
func cosineOf(a, b []safetensors.Tensor) float64 {
	var dot, x2, y2 float64
	for i, first := range a {
		if first.Name[0] != 'm' {
			continue
		}
		for j, x := range first.Data {
			y := b[i].Data[j]
			dot, x2, y2 = dot+float64(x)*float64(y), x2+float64(x)*float64(x), y2+float64(y)*float64(y)
		}
	}
	return dot / math.Sqrt(x2*y2)
}

// Layers computed again in the backward pass are the same, dropout included: to rounding,
// since XLA compiles another program.
func TestXLARematChangesNoPretraining(t *testing.T) {
	e := xlatest.Open(t)
	recipe := conformance.MLMRecipe(func(r *sweeps.Recipe) { r.Model.Dropout = .3 })
	var series [2][]map[string]event.Value
	for i, remat := range []bool{false, true} {
		m := conformance.Model(t, e, "bert-tied", false)
		series[i] = conformance.MLMSteps(t, pretrainer(t, m, recipe, remat), m, recipe, 0, 6)
	}
	// An update divides by the root of a gradient's square: on CPUs without AVX-512 its share is off by up to 2.3e-5.
	compareSeries(t, series[1], series[0], 3e-5)
}
