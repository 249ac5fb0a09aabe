package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"headroom/models/splade"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// Every family's vectors are what the formula makes of PyTorch's logits, also if texts
// are cut into groups of tokens. The first and last token of a text are there like others.
func TestATopMPerTokenIsTheFormulaOverPyTorchsLogits(t *testing.T) {
	e := openEngine(t)
	for _, name := range []string{"bert-tied", "modernbert-window", "electra-untied"} {
		for _, form := range []splade.Form{{TokenTopM: 1}, {TokenTopM: 4}, {TokenTopM: 4, Sum: true}, {TokenTopM: 1000}} {
			t.Run(fmt.Sprintf("%s %+v", name, form), func(t *testing.T) {
				r := openReference(t, name)
				m, err := engine.NewModel(e, r.checkpoint, r.checkpoint.Tied)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				pool, done, err := m.FormPooler(form, 0, 2)
				if err != nil {
					t.Fatal(err)
				}
				defer done()
				one := byFormula(r.values(t, "logits"), r.ids, m.Config.Vocab, form)
				for _, times := range []int{1, 40} {
					var ids [][]int32
					var want []float32
					for range times {
						ids, want = append(ids, r.ids...), append(want, one...)
					}
					got, err := pool(ids)
					if err != nil {
						t.Fatal(err)
					}
					if d := distance(got, want); !(d <= 2e-5) {
						t.Errorf("%d texts: off by %.3g", len(ids), d)
					}
				}
			})
		}
	}
}

// byFormula pools logits [texts, tokens, vocab], padded to the longest text, by sorting.
func byFormula(logits []float32, ids [][]int32, vocab int, form splade.Form) []float32 {
	padded := len(logits) / len(ids) / vocab
	out := make([]float32, len(ids)*vocab)
	for i, text := range ids {
		for token := range text {
			row := logits[(i*padded+token)*vocab : (i*padded+token+1)*vocab]
			order := make([]int, vocab)
			for v := range order {
				order[v] = v
			}
			slices.SortStableFunc(order, func(a, b int) int {
				switch {
				case row[a] > row[b]:
					return -1
				case row[a] < row[b]:
					return 1
				}
				return 0
			})
			for _, v := range order[:min(form.TokenTopM, vocab)] {
				z := math.Max(0, float64(row[v]))
				if form.Sum {
					out[i*vocab+v] += float32(math.Log1p(z))
				} else {
					out[i*vocab+v] = max(out[i*vocab+v], float32(z))
				}
			}
		}
	}
	return out
}

// Worked by hand: a decoder of unit rows, whose logits are the hidden states; LogitScale 2.
func TestATopMPerTokenByHand(t *testing.T) {
	r := openReference(t, "bert-tied")
	m, err := engine.NewModel(openEngine(t), r.checkpoint, false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	vocab, dim := m.Config.Vocab, m.Config.Embedding
	weight, bias := m.DecoderWeight().Values, m.DecoderBias().Values
	clear(weight)
	clear(bias)
	for v := range 3 {
		weight[v*dim+v] = 1
	}
	bias[1] = 1
	m.LogitScale = 2
	hidden := make([]float32, 2*dim)
	copy(hidden, []float32{3, 1, 2})        // logits 3, 2, 2: terms 0 and 1 stay, of equal ones the smaller id
	copy(hidden[dim:], []float32{1, 4, -1}) // logits 1, 5, -1: terms 1 and 0 stay
	texts := []fused.Text{{Hidden: hidden, Tokens: 2}}

	head := func(form splade.Form) *engine.TokenHead {
		h, err := engine.NewTokenHead(m, form)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Close)
		return h
	}
	top, arg := make([]float32, vocab), make([]int32, vocab)
	if err := head(splade.Form{TokenTopM: 2}).Max(texts, top, arg); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(top[:3], []float32{3, 5, 0}) || !slices.Equal(arg[:3], []int32{0, 1, 0}) {
		t.Errorf("the largest logits are %v of tokens %v, want 3 of 0, 5 of 1, none", top[:3], arg[:3])
	}

	sum := head(splade.Form{TokenTopM: 2, Sum: true})
	got := make([]float32, vocab)
	if err := sum.Weights(texts, got); err != nil {
		t.Fatal(err)
	}
	ln := func(x float64) float32 { return float32(math.Log(x)) }
	if want := []float32{ln(7) + ln(3), ln(5) + ln(11), 0}; distance(got[:3], want) > 1e-6 {
		t.Errorf("weights %v, want %v", got[:3], want)
	}
	dOut := make([]float32, vocab)
	copy(dOut, []float32{1, 10, 100})
	dHidden, dWeight, dBias := [][]float32{make([]float32, 2*dim)}, make([]float32, vocab*dim), make([]float32, vocab)
	if err := sum.Backward(texts, dOut, dHidden, dWeight, dBias); err != nil {
		t.Fatal(err)
	}
	// Slopes are 2/(1 + 2z).
	a, b, c, d := float32(2)/7, float32(20)/5, float32(2)/3, float32(20)/11
	if want := []float32{a, b, 0}; distance(dHidden[0][:3], want) > 1e-6 {
		t.Errorf("the first token's gradient is %v, want %v", dHidden[0][:3], want)
	}
	if want := []float32{c, d, 0}; distance(dHidden[0][dim:dim+3], want) > 1e-6 {
		t.Errorf("the second token's gradient is %v, want %v", dHidden[0][dim:dim+3], want)
	}
	if want := []float32{a + c, b + d, 0}; distance(dBias[:3], want) > 1e-6 {
		t.Errorf("the bias's gradient is %v, want %v", dBias[:3], want)
	}
	if want := []float32{3*b + 1*d, 1*b + 4*d, 2*b - 1*d}; distance(dWeight[dim:dim+3], want) > 1e-6 {
		t.Errorf("the gradient of term 1's row is %v, want %v", dWeight[dim:dim+3], want)
	}
}

// A token that is not finite is not hidden, and spoils no other text.
func TestATopMPerTokenShowsNaN(t *testing.T) {
	r := openReference(t, "bert-tied")
	m, err := engine.NewModel(openEngine(t), r.checkpoint, r.checkpoint.Tied)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	vocab, dim := m.Config.Vocab, m.Config.Embedding
	for _, sum := range []bool{false, true} {
		head, err := engine.NewTokenHead(m, splade.Form{TokenTopM: 2, Sum: sum})
		if err != nil {
			t.Fatal(err)
		}
		defer head.Close()
		texts := []fused.Text{{Hidden: make([]float32, dim), Tokens: 1}, {Hidden: make([]float32, 2*dim), Tokens: 2}}
		texts[1].Hidden[dim] = float32(math.NaN())
		out := make([]float32, 2*vocab)
		if sum {
			err = head.Weights(texts, out)
		} else {
			err = head.Max(texts, out, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		isNaN := func(x float32) bool { return x != x }
		if slices.ContainsFunc(out[:vocab], isNaN) || !slices.ContainsFunc(out[vocab:], isNaN) {
			t.Errorf("sum %t: NaN in the sound text %t, in the other %t", sum, slices.ContainsFunc(out[:vocab], isNaN), slices.ContainsFunc(out[vocab:], isNaN))
		}
	}
}
