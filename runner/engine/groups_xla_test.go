//go:build xla

package engine_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/internal/xlatest"
	"headroom/models/splade"
)

// Texts go through the head in groups, one behind the other: a text whose hidden states
// are NaN must not reach the groups behind its own.
func TestXLAANaNStaysInItsGroup(t *testing.T) {
	const texts, tokens, dim, vocab = 4, 3, 5, 7
	hidden := make([]float32, texts*tokens*dim)
	for i := range hidden {
		hidden[i] = float32(i%11) - 4
		if i < tokens*dim {
			hidden[i] = float32(math.NaN())
		}
	}
	weight := make([]float32, vocab*dim)
	for i := range weight {
		weight[i] = float32(i%5) - 1
	}
	e := xlatest.Open(t)
	for _, form := range []splade.Form{{}, {Sum: true}} {
		program, err := e.Program("pool", func(in []*Node) []*Node {
			head := splade.Head{Weight: in[2], Scale: 1, Bytes: 1} // a text a group
			p := head.Pool(in[0], in[1], form)
			weights := head.Weights(p, form)
			dHidden, _, _ := head.Gradients(in[0], in[1], form, p, weights, OnesLike(weights))
			out := []*Node{weights, dHidden}
			if !form.Sum {
				out = append(out, head.Max(in[0], in[1]))
			}
			return out
		})
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		out, err := program.Call(tensors.FromFlatDataAndDimensions(hidden, texts, tokens, dim),
			tensors.FromFlatDataAndDimensions([]int32{3, 3, 3, 3}, texts), tensors.FromFlatDataAndDimensions(weight, vocab, dim))
		if err != nil {
			t.Fatal(err)
		}
		for which, tensor := range out {
			values := tensors.MustCopyFlatData[float32](tensor)
			each := len(values) / texts
			if v := values[0]; which != 1 && v == v {
				t.Errorf("sum %v, output %d: the text of NaN gives %v", form.Sum, which, v)
			}
			for i, v := range values[each:] {
				if v != v {
					t.Fatalf("sum %v, output %d: value %d of text %d is NaN", form.Sum, which, i%each, 1+i/each)
				}
			}
		}
	}
}
