package conformance

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"headroom/data/loader"
	"headroom/models/hf"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// References is the folder of the reference models, relative to a trainer's package.
const References = "../../../internal/reference/testdata/"

// Host opens the Go backend and closes it when the test ends.
func Host(t testing.TB, threads int) *engine.Engine {
	t.Helper()
	e, err := engine.Open("go", threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// Model loads a reference model and closes it when the test ends.
func Model(t testing.TB, e *engine.Engine, name string, untie bool) *engine.Model {
	t.Helper()
	ck, err := hf.Load(References+name, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.NewModel(e, ck, ck.Tied && !untie)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// Config is a run of the given number of steps, without dropout and with full λ from step 1 on.
func Config(steps int) sweeps.RunConfig {
	cfg := sweeps.Defaults()
	cfg.Train.Steps, cfg.Train.LR, cfg.Train.Batch = steps, 1e-3, 4
	cfg.Regularizer.LambdaQuery, cfg.Regularizer.LambdaDocument = .02, .05
	ramp := 1
	cfg.Regularizer.RampSteps = &ramp
	zero := 0.0
	cfg.Model.Dropout = &zero
	return cfg
}

// Texts returns n texts of random tokens; their lengths go through lengths in turn.
func Texts(seed uint64, n, vocab int, lengths ...int) [][]int32 {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([][]int32, n)
	for i := range out {
		for range lengths[i%len(lengths)] {
			out[i] = append(out[i], r.Int32N(int32(vocab)))
		}
	}
	return out
}

// Batch is a batch of random texts with a teacher's scores.
func Batch(seed uint64, vocab, queries, negatives int) loader.Batch {
	b := loader.Batch{Queries: Texts(seed, queries, vocab, 3, 5, 2), Documents: Texts(seed+100, queries*(1+negatives), vocab, 7, 19, 11)}
	r := rand.New(rand.NewPCG(seed, 1))
	for range b.Documents {
		b.Scores = append(b.Scores, float32(4*r.Float64()))
	}
	return b
}

// State writes the content of a checkpoint, weights and moments, to files.
func State(t testing.TB, m *engine.Model, s interface {
	Sync() error
	Moments() ([]safetensors.Tensor, error)
}) (files [2]*safetensors.File) {
	t.Helper()
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	moments, err := s.Moments()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for i, list := range [][]safetensors.Tensor{train.Weights(m), moments} {
		path := filepath.Join(folder, []string{"weights", "moments"}[i])
		if err := safetensors.Write(path, list, nil); err != nil {
			t.Fatal(err)
		}
		if files[i], err = safetensors.Open(path); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { files[i].Close() })
	}
	return files
}

// Distance is the largest difference between two lists, and the largest value of the second.
func Distance(a, b []float32) (worst, size float64) {
	for i := range b {
		worst = math.Max(worst, math.Abs(float64(a[i])-float64(b[i])))
		size = math.Max(size, math.Abs(float64(b[i])))
	}
	return worst, size
}

// DifferingParameter names a parameter that is not the same in two models, bit for bit, or returns "".
func DifferingParameter(a, b *engine.Model) string {
	for i, p := range a.Params {
		for j, x := range p.Values {
			if math.Float32bits(x) != math.Float32bits(b.Params[i].Values[j]) {
				return p.Name
			}
		}
	}
	return ""
}
