//go:build xla

package device_test

import (
	"math"
	"strings"
	"testing"

	"headroom/internal/xlatest"
	"headroom/models/mlmhead"
	"headroom/runner/train/conformance"
	"headroom/sweeps"
)

// bfloat16 keeps 8 bits of a number, and a product's sum is rounded once: 2⁻⁹. Over two
// layers, forward and back, a pooled weight is off by a percent or so, and with it scores,
// FLOPS and cosines: 2 % of a series' size. The contrastive loss is a function of
// differences of scores: off by no more than the scores are. The gradient's direction is
// what training goes by: the cosine with float32's is above 0.99 for all parameters together.
func TestXLABFloat16StaysCloseToFloat32(t *testing.T) {
	e := xlatest.Open(t)
	for _, folder := range []string{"bert-tied", "modernbert-tied"} {
		t.Run(folder, func(t *testing.T) {
			full := parityCase{folder, true, 1, mlmhead.Decoder, nil}
			half := full
			half.edit = func(c *sweeps.RunConfig) { c.Train.Precision = "bfloat16" }
			reference, device := conformance.Model(t, conformance.Host(t, 2), folder, true), conformance.Model(t, e, folder, true)
			want, got := full.run(t, reference, 20), half.run(t, device, 20)
			scores := 0.0
			for _, values := range want {
				scores = math.Max(scores, math.Abs(float64(values["score/mean"]))+2*float64(values["score/sd"]))
			}
			for step := range want {
				for _, name := range []string{"flops/query", "flops/document", "score/mean", "cosine/query", "cosine/document", "active/query", "active/document"} {
					if x, y := float64(got[step][name]), float64(want[step][name]); math.Abs(x-y) > .02*math.Abs(y)+.01 && !strings.HasPrefix(name, "active/") || math.Abs(x-y) > 1+.02*y {
						t.Errorf("step %d: %s is %v, in float32 %v", step, name, x, y)
					}
				}
				if x, y := float64(got[step]["loss/contrastive"]), float64(want[step]["loss/contrastive"]); !(math.Abs(x-y) <= scores/100) {
					t.Errorf("step %d: the loss is %v, in float32 %v, at scores of %v", step, x, y, scores)
				}
				if got[step]["loss/contrastive"] == want[step]["loss/contrastive"] {
					t.Errorf("step %d: the losses are the same number: is this bfloat16?", step)
				}
			}
			if cosine := direction(t, e, reference.Engine, folder); cosine < .99 {
				t.Errorf("the gradient's cosine with float32's is %v", cosine)
			}
		})
	}
}
