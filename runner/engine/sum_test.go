package engine_test

import (
	"testing"

	"headroom/models/splade"
	"headroom/runner/engine"
)

// Every family's sum-pooled vectors are transformers', also where texts are cut
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
