package splade_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/splade"
)

func TestATokenKeepsItsGreatestLogits(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		m     int
		have  []float32
		terms []int32
	}{
		{0, []float32{3, -1, 2, 0}, []int32{0, 2}}, // all, and what is not above 0 has no weight
		{9, []float32{3, -1, 2, 0}, []int32{0, 2}},
		{2, []float32{3, 5, -9, 4}, []int32{1, 3}},
		{2, []float32{1, 7, 1, 1}, []int32{0, 1}}, // of equal ones the smaller id
		{3, []float32{2, 1, 2, 2, 2}, []int32{0, 2, 3}},
		{1, []float32{9, nan, 8}, []int32{1}}, // NaN is not hidden
		{2, []float32{-1, -2}, nil},
		{1, nil, nil},
	} {
		kept := splade.Form{TokenTopM: c.m}.Kept(c.have, nil)
		var terms []int32
		for _, x := range kept {
			terms = append(terms, x.Term)
			if want := c.have[x.Term]; x.Value != want && want == want {
				t.Errorf("term %d has %v, want %v", x.Term, x.Value, want)
			}
		}
		if !slices.Equal(terms, c.terms) {
			t.Errorf("the %d greatest of %v: %v, want %v", c.m, c.have, terms, c.terms)
		}
	}
	before := []splade.Logit{{Term: 7, Value: 1}}
	if got := (splade.Form{TokenTopM: 1}).Kept([]float32{2, 3}, before); len(got) != 2 || got[0] != before[0] || got[1] != (splade.Logit{Term: 1, Value: 3}) {
		t.Errorf("a list that is appended to becomes %v", got)
	}
}

// Kept and its graph form agree, ties and NaN included: heads whose logits are given, one
// token per text, so that maxima are the token's own logits.
func TestKeepingInAGraphEqualsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 4))
	for _, m := range []int{1, 3, 8, vocab - 1, vocab, 100} {
		for _, sum := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, sum %t", m, sum), func(t *testing.T) {
				form := splade.Form{TokenTopM: m, Sum: sum}
				weight := make([]float32, vocab*texts) // [vocab, dim = texts]: text i is the i-th unit vector
				for i := range weight {
					weight[i] = float32(r.IntN(6) - 2)
				}
				unit := make([]float32, texts*texts)
				lengths := make([]int32, texts)
				for i := range texts {
					unit[i*texts+i], lengths[i] = 1, 1
				}
				got := run(t, func(in []*Node) []*Node {
					h := splade.Head{Weight: in[2], Scale: .5, Bytes: 1}
					return []*Node{h.Weights(h.Pool(in[0], in[1], form), form)}
				}, []any{tensors.FromFlatDataAndDimensions(unit, texts, 1, texts), tensors.FromFlatDataAndDimensions(lengths, texts),
					tensors.FromFlatDataAndDimensions(weight, vocab, texts)})[0]
				for text := range texts {
					logits, want := make([]float32, vocab), make([]float32, vocab)
					for v := range logits {
						logits[v] = weight[v*texts+text]
					}
					for _, x := range form.Kept(logits, nil) {
						want[x.Term] = form.Weight(x.Value * .5)
					}
					for v, w := range want {
						if x := got[text*vocab+v]; math.Abs(float64(x-w)) > 1e-6 || (x == 0) != (w == 0) {
							t.Fatalf("text %d, term %d: %g, want %g", text, v, x, w)
						}
					}
				}
			})
		}
	}
}

// Kept against sorting, on lists long enough for its heap.
func TestKeptEqualsSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 4))
	for range 200 {
		logits := make([]float32, 300)
		for i := range logits {
			logits[i] = float32(r.IntN(60) - 10)
		}
		m := 1 + r.IntN(250)
		order := make([]int32, len(logits))
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortStableFunc(order, func(a, b int32) int { return int(logits[b]) - int(logits[a]) })
		var want []int32
		for _, v := range order[:m] {
			if logits[v] > 0 {
				want = append(want, v)
			}
		}
		slices.Sort(want)
		var got []int32
		for _, x := range (splade.Form{TokenTopM: m}).Kept(logits, nil) {
			got = append(got, x.Term)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("m = %d: %v, want %v", m, got, want)
		}
	}
}
