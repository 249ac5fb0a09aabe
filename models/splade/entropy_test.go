package splade_test

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/layers"
	"headroom/models/splade"
)

// Loss and gradients of any grouping are those that autodiff finds for all logits at
// once, and no group holds more logits than it may.
func TestCrossEntropyEqualsThePlainOneAndItsGradient(t *testing.T) {
	const rows = 10
	in := func() []any {
		x := inputs(5)
		hidden := tensors.MustCopyFlatData[float32](x[0].(*tensors.Tensor))[:rows*dim]
		return []any{
			tensors.FromFlatDataAndDimensions(hidden, rows, dim), x[2], x[3],
			tensors.FromFlatDataAndDimensions([]int32{0, vocab - 1, 3, 3, 7, 1, 0, 22, 9, 0}, rows),
			tensors.FromFlatDataAndDimensions([]float32{1, 1, 1, 1, 1, 1, 1, 0, 1, 0}, rows),
		}
	}
	for _, bias := range []bool{true, false} {
		for _, size := range []int{1, 3, 4, rows, 2 * rows} {
			t.Run(fmt.Sprintf("bias %v, %d rows at a time", bias, size), func(t *testing.T) {
				const scale = .7
				got := run(t, func(in []*Node) []*Node {
					h := splade.Head{Weight: in[1], Scale: scale, Bytes: 4 * vocab * size}
					if bias {
						h.Bias = in[2]
					}
					e := h.CrossEntropy(in[0], in[3], in[4])
					for _, rest := range in[0].Graph().Nodes() {
						if d := rest.Shape().Dimensions; len(d) == 2 && d[1] == vocab && d[0] > size {
							t.Errorf("%v are held at once, %d rows are allowed", d, size)
						}
					}
					if !bias {
						return []*Node{e.Loss, e.Hidden, e.Decoder}
					}
					return []*Node{e.Loss, e.Hidden, e.Decoder, e.Bias}
				}, in())
				want := run(t, func(in []*Node) []*Node {
					logits := layers.Linear(in[0], in[1], nil)
					by := []*Node{in[0], in[1]}
					if bias {
						logits, by = Add(logits, ExpandLeftToRank(in[2], 2)), append(by, in[2])
					}
					own := ReduceSum(Mul(OneHot(in[3], vocab, logits.DType()), LogSoftmax(MulScalar(logits, scale), -1)), -1)
					loss := Neg(Div(ReduceAllSum(Mul(own, in[4])), ReduceAllSum(in[4])))
					return append([]*Node{loss}, Gradient(loss, by...)...)
				}, in())
				if len(got) != len(want) {
					t.Fatalf("%d results, want %d", len(got), len(want))
				}
				for k := range want {
					for i, x := range want[k] {
						if math.Abs(float64(got[k][i]-x)) > 1e-6*(1+math.Abs(float64(x))) {
							t.Fatalf("result %d: value %d is %g, want %g", k, i, got[k][i], x)
						}
					}
				}
			})
		}
	}
}

// Logits far beyond what exp can bear give a finite loss.
func TestCrossEntropyOfLargeLogits(t *testing.T) {
	got := run(t, func(in []*Node) []*Node {
		e := splade.Head{Weight: in[1], Scale: 1, Bytes: 1}.CrossEntropy(in[0], in[2], in[3])
		return []*Node{e.Loss, e.Hidden}
	}, []any{
		tensors.FromFlatDataAndDimensions([]float32{200, -200}, 2, 1), tensors.FromFlatDataAndDimensions([]float32{1, -1, .5}, 3, 1),
		tensors.FromFlatDataAndDimensions([]int32{0, 0}, 2), tensors.FromFlatDataAndDimensions([]float32{1, 1}, 2),
	})
	// The first row's label is far the likeliest, the second's the least likely, by 400.
	if got[0][0] != 200 || got[1][0] != 0 || got[1][1] != -1 {
		t.Errorf("loss %v, gradient %v; want 200, [0 -1]", got[0], got[1])
	}
}
