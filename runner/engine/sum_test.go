package engine_test

import (
	"math"
	"testing"

	"headroom/models/splade"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// Every family's sum-pooled vectors are transformers', also if texts are cut
// into groups of tokens.
func TestSumPoolingEqualsTheReference(t *testing.T) {
	e := openEngine(t)
	for _, name := range []string{"bert-tied", "modernbert-tied", "modernbert-window", "distilbert-untied", "roberta-tied"} {
		t.Run(name, func(t *testing.T) {
			r := openReference(t, name)
			m, err := engine.NewModel(e, r.checkpoint, r.checkpoint.Tied)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			head, err := engine.NewSumHead(m, splade.Form{Sum: true})
			if err != nil {
				t.Fatal(err)
			}
			defer head.Close()
			want := r.values(t, "splade_sum")
			for _, times := range []int{1, 40} {
				var ids [][]int32
				var all []float32
				for range times {
					ids, all = append(ids, r.ids...), append(all, want...)
				}
				got, err := head.Texts(ids)
				if err != nil {
					t.Fatal(err)
				}
				if d := distance(got, all); !(d <= 1e-5) {
					t.Errorf("%d texts: off by %.3g", len(ids), d)
				}
			}
		})
	}
}

// A text that is not finite spoils no other.
func TestSumPoolingKeepsTextsApart(t *testing.T) {
	r := openReference(t, "bert-tied")
	m, err := engine.NewModel(openEngine(t), r.checkpoint, r.checkpoint.Tied)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	head, err := engine.NewSumHead(m, splade.Form{Sum: true})
	if err != nil {
		t.Fatal(err)
	}
	defer head.Close()
	vocab, dim := m.Config.Vocab, m.Config.Embedding
	texts := make([]fused.Text, 3)
	for i := range texts {
		texts[i] = fused.Text{Hidden: make([]float32, 2*dim), Tokens: 2}
		for j := range texts[i].Hidden {
			texts[i].Hidden[j] = float32(i+1) * float32(j%7-3) / 5
		}
	}
	sound, spoiled := make([]float32, 3*vocab), make([]float32, 3*vocab)
	if err := head.Weights(texts, sound); err != nil {
		t.Fatal(err)
	}
	texts[1].Hidden[0] = float32(math.NaN())
	if err := head.Weights(texts, spoiled); err != nil {
		t.Fatal(err)
	}
	for i, want := range sound {
		got, own := spoiled[i], i/vocab == 1
		if own && got == got || !own && math.Abs(float64(got-want)) > 1e-6*math.Abs(float64(want)) {
			t.Fatalf("text %d, term %d: %v, before %v", i/vocab, i%vocab, got, want)
		}
	}
}
