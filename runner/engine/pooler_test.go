package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"headroom/runner/engine"
)

func TestAPoolerGivesPoolsPositiveLogits(t *testing.T) {
	e := openEngine(t)
	for _, name := range []string{"bert-tied", "modernbert-untied"} {
		for _, scale := range []float32{1, 0.25, 3, -1} {
			t.Run(fmt.Sprintf("%s scale %g", name, scale), func(t *testing.T) {
				r := openReference(t, name)
				m, err := engine.NewModel(e, r.checkpoint, r.checkpoint.Tied)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				m.LogitScale = scale
				for v := range m.DecoderBias().Values {
					m.DecoderBias().Values[v] -= float32(v%5) / 4
				}
				for _, tokens := range []int{0, 1 << 20} {
					comparePooler(t, m, r.ids, tokens)
				}
			})
		}
	}
}

// A Pooler made after weights changed knows the new ones.
func TestANewPoolerSeesNewWeights(t *testing.T) {
	r := openReference(t, "bert-untied")
	m, err := engine.NewModel(openEngine(t), r.checkpoint, false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	comparePooler(t, m, r.ids, 1<<20)
	random := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		for _, x := range [][]float32{m.DecoderWeight().Values, m.DecoderBias().Values} {
			for i := range x {
				x[i] += float32(random.NormFloat64()) / 4
			}
		}
		comparePooler(t, m, r.ids, 1<<20)
	}
}

func comparePooler(t *testing.T, m *engine.Model, ids [][]int32, tokens int) {
	t.Helper()
	want, err := m.Pool(ids)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Pooler(tokens)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Positive(ids, m.Engine.Threads())
	if err != nil {
		t.Fatal(err)
	}
	active := 0
	for i, z := range want {
		if z <= 0 && got[i] <= 0 {
			continue
		}
		active++
		if math.Float32bits(z) != math.Float32bits(got[i]) {
			t.Fatalf("element %d: %g, want %g", i, got[i], z)
		}
	}
	if active == 0 || active == len(want) {
		t.Fatalf("%d of %d logits are positive: nothing to compare", active, len(want))
	}
}
