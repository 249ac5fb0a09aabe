//go:build xla

package device_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/go-xla/pjrt"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

// stumble does work whose calls of one function fail, each of them once, until none is left
// to fail and the work is done. A failure leaves no buffer on the device, unless all that
// the work keeps there.
func stumble(t *testing.T, call string, keeps int, work func() error) {
	t.Helper()
	before := pjrt.BuffersAlive()
	for n := 1; ; n++ {
		f := pjrtstub.Fault{Call: call, From: n, Late: n%2 == 0, Message: "Out of memory", Code: pjrtstub.Full}
		xlatest.Fail(t, f)
		err := work()
		xlatest.Fail(t, pjrtstub.Fault{})
		if err == nil && n > 1 {
			return
		}
		if err == nil {
			t.Fatalf("there is no %s to fail", call)
		}
		if alive := pjrt.BuffersAlive(); alive != before && alive != before+int64(keeps) {
			t.Fatalf("%+v left %d buffers, before there were %d", f, alive, before)
		}
	}
}

// A step, or a copy for a checkpoint, that fails anywhere leaves the state as it was: done
// again on the same device it leads where an undisturbed one does, bit for bit.
func TestXLAFailuresLeaveTheStateAsItWas(t *testing.T) {
	e, err := engine.Open("xla:"+xlatest.FaultyPlugin(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	rate := .3
	for name, micro := range map[string]int{"whole steps": 0, "micro-batches": 2} {
		t.Run(name, func(t *testing.T) {
			c := parityCase{edit: func(c *sweeps.RunConfig) {
				c.Model.Dropout, c.Train.MicroBatch = &rate, micro
			}}
			m := smallModel(t, e)
			s, err := trainers.New(m, c.config())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			start := conformance.State(t, m, s)
			step := func(n int) func() error {
				return func() error {
					_, err := s.Step(n, c.batch(c.config(), m.Config.Vocab, n))
					return err
				}
			}
			for n := range 4 {
				if err := step(n)(); err != nil {
					t.Fatal(err)
				}
			}
			want := conformance.State(t, m, s)

			if err := s.Restore(0, start[0], start[1]); err != nil {
				t.Fatal(err)
			}
			stumble(t, pjrtstub.Uploads, 3*len(m.Params), step(0)) // which brings parameters and moments
			stumble(t, pjrtstub.Uploads, 0, step(1))
			stumble(t, pjrtstub.Executes, 0, step(2))
			stumble(t, pjrtstub.Downloads, 0, step(3))
			stumble(t, pjrtstub.Downloads, 0, s.Sync)
			stumble(t, pjrtstub.Downloads, 0, func() error { _, err := s.Moments(); return err })
			if s.Updates() != 4 {
				t.Errorf("%d updates of 4 steps", s.Updates())
			}
			for k, file := range conformance.State(t, m, s) {
				for _, name := range file.Names() {
					got, _ := file.Float32(name)
					if values, err := want[k].Float32(name); err != nil || !slices.Equal(got, values) {
						t.Errorf("%q of %s differs after failures (%v)", name, []string{"weights", "moments"}[k], err)
					}
				}
			}
		})
	}
}

// smallModel is a model of one layer, whose programs are compiled soon.
func smallModel(t *testing.T, e *engine.Engine) *engine.Model {
	t.Helper()
	cfg, err := hf.NewConfig(hf.Shape{ModelType: "bert", Vocab: 40, Hidden: 16, Layers: 1, Heads: 2, Intermediate: 24, Positions: 24, InitStd: .02, CLS: 2, SEP: 3, PAD: 0})
	if err != nil {
		t.Fatal(err)
	}
	ck := &hf.Checkpoint{Config: cfg, Tensors: hf.FreshParams(cfg, rand.New(rand.NewPCG(1, 1)), .15)}
	m, err := engine.NewModel(e, ck, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}
