//go:build xla

package train_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/go-xla/pjrt"

	"headroom/internal/xlatest"
	"headroom/models/mlmhead"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// direction is the cosine between the first step's gradients on two engines, bfloat16 on
// the first: after one update m is the gradient times a factor. Under sum pooling, because
// a maximum's gradient is not continuous: where rounding makes another token the largest,
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
		m := modelOn(t, e, folder, true)
		s, err := train.New(m, c.config())
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

// The state that a checkpoint holds, put into a new trainer, leads on bit for bit, dropout
// included; and a run done twice is the same run.
func TestXLAStateIsWhole(t *testing.T) {
	e := xlatest.Open(t)
	rate := .3
	c := parityCase{"modernbert-tied", false, 1, mlmhead.Decoder, func(c *sweeps.RunConfig) { c.Model.Dropout = &rate }}
	cfg := c.config()
	steps := func(s train.Trainer, vocab, from, to int) {
		for step := from; step < to; step++ {
			if _, err := s.Step(step, c.batch(cfg, vocab, step)); err != nil {
				t.Fatal(err)
			}
		}
	}
	whole := modelOn(t, e, c.folder, c.untie)
	s, err := train.New(whole, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	steps(s, whole.Config.Vocab, 0, 3)
	moments, err := s.Moments()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := [2]*safetensors.File{}
	for i, list := range [][]safetensors.Tensor{train.Weights(whole), moments} {
		path := filepath.Join(folder, []string{"weights", "moments"}[i])
		if err := safetensors.Write(path, list, nil); err != nil {
			t.Fatal(err)
		}
		if files[i], err = safetensors.Open(path); err != nil {
			t.Fatal(err)
		}
		defer files[i].Close()
	}
	steps(s, whole.Config.Vocab, 3, 6)
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}

	// The second trainer shares the first's compiled programs only through its code.
	resumed := modelOn(t, e, c.folder, c.untie)
	again, err := train.New(resumed, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	steps(again, resumed.Config.Vocab, 0, 2) // other state, to be replaced
	if err := again.Restore(s.Updates()-3, files[0], files[1]); err != nil {
		t.Fatal(err)
	}
	steps(again, resumed.Config.Vocab, 3, 6)
	if err := again.Sync(); err != nil {
		t.Fatal(err)
	}
	for i, p := range whole.Params {
		for j, x := range p.Values {
			if math.Float32bits(x) != math.Float32bits(resumed.Params[i].Values[j]) {
				t.Fatalf("%s: value %d is %g, resumed %g", p.Name, j, x, resumed.Params[i].Values[j])
			}
		}
	}
}

// What a step allocates on the device is freed with it: steps leave no buffer behind.
func TestXLAStepsLeaveNothingOnTheDevice(t *testing.T) {
	e := xlatest.Open(t)
	c := parityCase{"bert-untied", false, 1, mlmhead.Decoder, func(c *sweeps.RunConfig) { c.Train.MicroBatch = 2 }}
	m := modelOn(t, e, c.folder, c.untie)
	s, err := train.New(m, c.config())
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
