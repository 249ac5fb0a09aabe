//go:build xla

package device_test

import (
	"math"
	"testing"

	"github.com/gomlx/go-xla/pjrt"

	"headroom/internal/xlatest"
	"headroom/models/mlmhead"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

// direction is the cosine between the first step's gradients on two engines, bfloat16 on
// the first: after one update m is the gradient times a factor. Under sum pooling, because
// a maximum's gradient is not continuous: if rounding makes another token the largest,
// it goes there whole, and that would hide what a wrong product does.
func direction(t *testing.T, half, full *engine.Engine, folder string) float64 {
	t.Helper()
	var moments [2][]safetensors.Tensor
	for i, e := range []*engine.Engine{half, full} {
		c := parityCase{folder, true, 1, mlmhead.Decoder, func(c *sweeps.RunConfig) {
			c.Model.Pooling = "sum"
			if i == 0 {
				c.Train.Precision = "bfloat16"
			}
		}}
		m := conformance.Model(t, e, folder, true)
		s, err := trainers.New(m, c.config())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Step(3, c.batch(c.config(), m.Config.Vocab, 0)); err != nil {
			t.Fatal(err)
		}
		if moments[i], err = s.Moments(); err != nil {
			t.Fatal(err)
		}
	}
	var dot, a, b float64
	for i, first := range moments[0] {
		if first.Name[0] != 'm' {
			continue
		}
		for j, x := range first.Data {
			y := moments[1][i].Data[j]
			dot, a, b = dot+float64(x)*float64(y), a+float64(x)*float64(x), b+float64(y)*float64(y)
		}
	}
	return dot / math.Sqrt(a*b)
}

// What a step allocates on the device is freed with it: steps leave no buffer behind.
func TestXLAStepsLeaveNothingOnTheDevice(t *testing.T) {
	e := xlatest.Open(t)
	c := parityCase{"bert-untied", false, 1, mlmhead.Decoder, func(c *sweeps.RunConfig) { c.Train.MicroBatch = 2 }}
	m := conformance.Model(t, e, c.folder, c.untie)
	s, err := trainers.New(m, c.config())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := pjrt.BuffersAlive()
	for step := range 3 {
		if _, err := s.Step(step, c.batch(c.config(), m.Config.Vocab, step)); err != nil {
			t.Fatal(err)
		}
		if alive, want := pjrt.BuffersAlive()-before, int64(3*len(m.Params)); alive != want {
			t.Errorf("behind step %d there are %d buffers; parameters and moments are %d", step, alive, want)
		}
	}
}
