// Package conformance holds the tests that the trainers of every backend must pass.
package conformance

import (
	"math"
	"path/filepath"
	"testing"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// Backend is one backend's trainers.
type Backend struct {
	Engine     *engine.Engine
	Trainer    func(*engine.Model, sweeps.RunConfig) (train.Trainer, error)
	Pretrainer func(*engine.Model, sweeps.Recipe, bool) (train.Pretrainer, error)
	// Trajectories are the references to follow, folders of References; nil: all.
	Trajectories []string
}

func (b Backend) trainer(t *testing.T, m *engine.Model, cfg sweeps.RunConfig) train.Trainer {
	t.Helper()
	s, err := b.Trainer(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (b Backend) pretrainer(t *testing.T, m *engine.Model, recipe sweeps.Recipe, remat bool) train.Pretrainer {
	t.Helper()
	s, err := b.Pretrainer(m, recipe, remat)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Run tests a backend's trainers.
func Run(t *testing.T, b Backend) {
	t.Run("steps equal sentence-transformers", func(t *testing.T) {
		names := b.Trajectories
		if names == nil {
			paths, err := filepath.Glob(References + "training-*")
			if err != nil || len(paths) == 0 {
				t.Fatalf("no trajectories in %s (%v)", References, err)
			}
			for _, path := range paths {
				names = append(names, filepath.Base(path))
			}
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) { followTrajectory(t, b, name) })
		}
	})
	t.Run("the loss is the sum of its components", func(t *testing.T) { testComponents(t, b) })
	t.Run("a batch that the objective cannot use is an error", func(t *testing.T) { testUnusableBatches(t, b) })
	t.Run("micro-batches give the whole batch's gradient", func(t *testing.T) { testMicroBatches(t, b) })
	t.Run("looking at texts changes nothing", func(t *testing.T) { testLooks(t, b) })
	t.Run("the groups' sums are the whole's", func(t *testing.T) { testGroupSums(t, b) })
	t.Run("state is whole", func(t *testing.T) { testState(t, b) })
	t.Run("the state of pretraining is whole", func(t *testing.T) { testPretrainingState(t, b) })
}

func testComponents(t *testing.T, b Backend) {
	m := Model(t, b.Engine, "bert-untied", false)
	s := b.trainer(t, m, Config(10))
	batch := loader.Batch{Queries: Texts(1, 4, m.Config.Vocab, 3), Documents: Texts(2, 4, m.Config.Vocab, 9)}
	for step := range 3 {
		v, err := s.Step(step, batch)
		if err != nil {
			t.Fatal(err)
		}
		sum := float64(v["loss/contrastive"] + v["loss/reg_query"] + v["loss/reg_document"])
		if math.Abs(sum-float64(v["loss"])) > 1e-9*math.Abs(sum) {
			t.Errorf("step %d: components sum to %v, loss is %v", step, sum, v["loss"])
		}
		weighted := float64(v["lambda/document"] * v["flops/document"])
		if math.Abs(weighted-float64(v["loss/reg_document"])) > 1e-6*math.Abs(weighted) {
			t.Errorf("step %d: λ·FLOPS is %v, loss/reg_document %v", step, weighted, v["loss/reg_document"])
		}
	}
}

func testUnusableBatches(t *testing.T, b Backend) {
	m := Model(t, b.Engine, "bert-tied", true)
	full := Batch(1, m.Config.Vocab, 4, 1)
	for name, c := range map[string]struct {
		loss string
		edit func(*loader.Batch)
	}{
		"five documents of four queries": {"infonce", func(b *loader.Batch) { b.Documents = b.Documents[:5] }},
		"no query":                       {"infonce", func(b *loader.Batch) { b.Queries = nil }},
		"no scores":                      {"kl", func(b *loader.Batch) { b.Scores = nil }},
		"too few scores":                 {"margin_mse", func(b *loader.Batch) { b.Scores = b.Scores[:3] }},
		"no negative":                    {"margin_mse", func(b *loader.Batch) { b.Documents, b.Scores = b.Documents[:4], b.Scores[:4] }},
		"no such token":                  {"infonce", func(b *loader.Batch) { b.Documents[2] = []int32{1, 1 << 20} }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config(10)
			cfg.Loss.Kind = c.loss
			batch := loader.Batch{Queries: full.Queries, Documents: append([][]int32(nil), full.Documents...), Scores: full.Scores}
			c.edit(&batch)
			if _, err := b.trainer(t, m, cfg).Step(0, batch); err == nil {
				t.Error("no error")
			}
		})
	}
}

// testMicroBatches compares the optimizers' first moments after one update, which are the
// gradient times a constant.
func testMicroBatches(t *testing.T, b Backend) {
	moments := func(micro int) map[string][]float32 {
		m := Model(t, b.Engine, "modernbert-window", true)
		cfg := Config(10)
		cfg.Train.Batch, cfg.Train.MicroBatch, cfg.Data.Negatives, cfg.Train.Clip = 6, micro, 2, 0
		s := b.trainer(t, m, cfg)
		if _, err := s.Step(5, Batch(3, m.Config.Vocab, 6, 2)); err != nil {
			t.Fatal(err)
		}
		list, err := s.Moments()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string][]float32{}
		for _, moment := range list {
			if moment.Name[0] == 'm' {
				out[moment.Name] = moment.Data
			}
		}
		return out
	}
	whole, largest := moments(0), 0.0
	for _, values := range whole {
		_, size := Distance(values, values)
		largest = math.Max(largest, size)
	}
	if largest == 0 {
		t.Fatal("the gradient is zero everywhere: nothing is compared")
	}
	for name, values := range moments(2) {
		// Micro-batches sum the same float32 numbers in other groups. On CPUs without AVX-512 XLA's products sum in
		// another order, and differences up to 1.4e-5 were seen; a micro-batch that is left out or weighed wrongly is
		// off by a tenth.
		if worst, size := Distance(values, whole[name]); worst > 3e-5*size+1e-7*largest {
			t.Errorf("%s is off by %.3g of %.3g", name, worst, size)
		}
	}
}

// testState restores a checkpoint into a new trainer, which must give the same bits as a
// trainer that never stopped, dropout included. A run done twice must be the same
// run.
func testState(t *testing.T, b Backend) {
	rate := .3
	cfg := Config(20)
	cfg.Model.Dropout, cfg.Data.MaxQuery, cfg.Data.MaxDocument = &rate, 8, 24
	steps := func(s train.Trainer, m *engine.Model, from, to int) {
		for step := from; step < to; step++ {
			if _, err := s.Step(step, Batch(uint64(step), m.Config.Vocab, 4, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	whole := Model(t, b.Engine, "modernbert-tied", false)
	s := b.trainer(t, whole, cfg)
	steps(s, whole, 0, 3)
	files := State(t, whole, s)
	steps(s, whole, 3, 6)

	// The second trainer compiles its own programs.
	resumed := Model(t, b.Engine, "modernbert-tied", false)
	again := b.trainer(t, resumed, cfg)
	steps(again, resumed, 0, 2) // another state, which the restore must replace
	if err := again.Restore(s.Updates()-3, files[0], files[1]); err != nil {
		t.Fatal(err)
	}
	steps(again, resumed, 3, 6)
	if name := DifferingParameter(whole, resumed); name != "" {
		t.Errorf("%s is another when training was resumed", name)
	}
}

// MLMRecipe is a recipe of 20 steps for the small reference models.
func MLMRecipe(edit func(*sweeps.Recipe)) sweeps.Recipe {
	recipe := sweeps.RecipeDefaults()
	recipe.Seed, recipe.Mask.Share, recipe.Data.MaxLength = 3, .3, 16
	recipe.Train.Steps, recipe.Train.Beta2, recipe.Train.Warmup = 20, .98, .2
	if edit != nil {
		edit(&recipe)
	}
	return recipe
}

// MLMSteps pretrains from one step up to another.
func MLMSteps(t *testing.T, s train.Pretrainer, m *engine.Model, recipe sweeps.Recipe, from, to int) (series []map[string]event.Value) {
	t.Helper()
	masking := train.Masking{Rule: recipe.Mask, Vocab: m.Config.Vocab, Mask: 4, Special: map[int32]bool{0: true, 4: true}, Seed: recipe.Seed}
	for step := from; step < to; step++ {
		masked, err := masking.At(step, Texts(uint64(step), 6, m.Config.Vocab, 9, 16, 13))
		if err != nil {
			t.Fatal(err)
		}
		values, err := s.Step(step, masked)
		if err != nil {
			t.Fatal(err)
		}
		series = append(series, values)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	return series
}

// testPretrainingState is testState for pretraining. It also checks that another seed gives another dropout.
func testPretrainingState(t *testing.T, b Backend) {
	recipe := MLMRecipe(func(r *sweeps.Recipe) { r.Model.Dropout = .3 })
	whole := Model(t, b.Engine, "modernbert-tied", false)
	s := b.pretrainer(t, whole, recipe, true)
	MLMSteps(t, s, whole, recipe, 0, 3)
	files := State(t, whole, s)
	MLMSteps(t, s, whole, recipe, 3, 6)

	resumed := Model(t, b.Engine, "modernbert-tied", false)
	again := b.pretrainer(t, resumed, recipe, true)
	MLMSteps(t, again, resumed, recipe, 0, 2) // another state, which the restore must replace
	if err := again.Restore(3, files[0], files[1]); err != nil {
		t.Fatal(err)
	}
	MLMSteps(t, again, resumed, recipe, 3, 6)
	if name := DifferingParameter(whole, resumed); name != "" {
		t.Errorf("%s is another when training was resumed", name)
	}

	other := recipe
	other.Seed = 4
	moved := Model(t, b.Engine, "modernbert-tied", false)
	MLMSteps(t, b.pretrainer(t, moved, other, true), moved, recipe, 0, 6) // the same masks, so that only dropout differs
	if DifferingParameter(whole, moved) == "" {
		t.Error("another seed's dropout gives the same parameters")
	}
}
