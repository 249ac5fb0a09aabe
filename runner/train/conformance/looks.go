package conformance

import (
	"math"
	"testing"

	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// testLooks compares Look with inference on the same parameters, and a run that looks between
// its steps with a run that never does.
func testLooks(t *testing.T, b Backend) {
	rate := .3
	cfg := Config(20)
	cfg.Model.Dropout, cfg.Train.MicroBatch = &rate, 2
	run := func(look bool) *engine.Model {
		m := Model(t, b.Engine, "modernbert-tied", false)
		m.LogitScale = .5
		s := b.trainer(t, m, cfg)
		for step := range 4 {
			if look {
				compareLook(t, m, s, Texts(uint64(step)+50, 5, m.Config.Vocab, 4, 19, 7))
			}
			if _, err := s.Step(step, Batch(uint64(step), m.Config.Vocab, 4, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if name := DifferingParameter(run(false), run(true)); name != "" {
		t.Errorf("%s is another where texts were looked at between steps", name)
	}
	sum := cfg
	sum.Model.Pooling = "sum"
	m := Model(t, b.Engine, "bert-untied", false)
	v, err := b.trainer(t, m, sum).Look(Texts(1, 3, m.Config.Vocab, 4))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Weights) != 3*m.Config.Vocab || v.Logits != nil || v.Positions != nil {
		t.Errorf("sum pooling: %d weights, %d logits, %d positions", len(v.Weights), len(v.Logits), len(v.Positions))
	}
	if _, err := b.trainer(t, m, cfg).Look([][]int32{{1 << 20}}); err == nil {
		t.Error("a token that the vocabulary does not have is no error")
	}
}

func compareLook(t *testing.T, m *engine.Model, s train.Trainer, texts [][]int32) {
	t.Helper()
	v, err := s.Look(texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	logits, err := m.Pool(texts)
	if err != nil {
		t.Fatal(err)
	}
	worst, size := Distance(v.Logits, logits)
	if len(v.Logits) != len(logits) || worst > 1e-5*size {
		t.Errorf("logits are off by %g of %g", worst, size)
	}
	vocab, active := m.Config.Vocab, 0
	for i, w := range v.Weights {
		if want := (splade.Form{}).Weight(v.Logits[i]); math.Abs(float64(w-want)) > 1e-6 {
			t.Fatalf("weight %d is %v, want %v", i, w, want)
		}
		if w != 0 {
			active++
		}
		if at := v.Positions[i]; at < 0 || int(at) >= len(texts[i/vocab]) {
			t.Fatalf("position %d of a text of %d tokens", at, len(texts[i/vocab]))
		}
	}
	if active == 0 || len(v.Weights) != len(texts)*vocab {
		t.Errorf("%d active terms of %d weights: nothing is compared", active, len(v.Weights))
	}
}

// testGroupSums compares the groups' norms with the norm of the whole gradient, and the recorded
// ratios of their updates with the changes of the parameters.
func testGroupSums(t *testing.T, b Backend) {
	for _, name := range []string{"bert-untied", "modernbert-tied"} {
		for _, micro := range []int{0, 2} {
			m := Model(t, b.Engine, name, false)
			cfg := Config(20)
			cfg.Train.MicroBatch, cfg.Train.WeightDecay = micro, .1
			s := b.trainer(t, m, cfg)
			var before [][]float32
			for _, p := range m.Params {
				before = append(before, append([]float32(nil), p.Values...))
			}
			const step = 5
			v, err := s.Step(step, Batch(7, m.Config.Vocab, 4, 0))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Sync(); err != nil {
				t.Fatal(err)
			}
			square, moved := 0.0, map[string][2]float64{}
			names := [...]string{"embeddings", "encoder", "head"}
			for _, group := range names {
				n := float64(v["grad_norm/"+group])
				if n <= 0 {
					t.Errorf("%s: the gradient's norm of %s is %v", name, group, n)
				}
				square += n * n
			}
			if whole := float64(v["grad_norm"]); math.Abs(math.Sqrt(square)-whole) > 1e-9*whole {
				t.Errorf("%s: groups' norms come to %v, the whole's is %v", name, math.Sqrt(square), whole)
			}
			for i, group := range train.GroupsOf(m) {
				sums := moved[names[group]]
				for j, x := range m.Params[i].Values {
					old := float64(before[i][j])
					sums[0] += (float64(x) - old) * (float64(x) - old)
					sums[1] += old * old
				}
				moved[names[group]] = sums
			}
			for group, sums := range moved {
				want := math.Sqrt(sums[0] / sums[1])
				if got := float64(v["update_ratio/"+group]); want == 0 || math.Abs(got-want) > 1e-4*want {
					t.Errorf("%s: %s moved by %v of its size, recorded is %v", name, group, want, got)
				}
			}
		}
	}
}
