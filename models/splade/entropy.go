package splade

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/layers"
)

// Entropy is a masked language model's loss and its gradients.
type Entropy struct {
	Loss    *Node // scalar float32
	Hidden  *Node // [rows, dim], of the hidden states' type
	Decoder *Node // [vocab, dim] float32
	Bias    *Node // [vocab] float32; nil without a bias
}

// CrossEntropy is the weighted mean cross-entropy of hidden states [rows, dim] of any
// float type against labels [rows] int32, weights [rows] float32, and its gradients. Loss and
// gradients share the logits, which are computed once for each group of rows,
// [rows of a group, vocab]. Products are of hidden's type, forward and backward; their
// sums, the softmax and the loss are float32.
func (h Head) CrossEntropy(hidden, labels, weights *Node) Entropy {
	weight := ConvertDType(h.Weight, hidden.DType())
	vocab := h.Weight.Shape().Dimensions[0]
	share := Div(weights, BroadcastToShape(ReduceAllSum(weights), weights.Shape())) // of the mean
	e := Entropy{Loss: Scalar(hidden.Graph(), dtypes.Float32, 0)}
	var list []*Node
	for first, rows := range h.rowGroups(hidden.Shape().Dimensions[0]) {
		some := AxisRange(first, first+rows)
		part := SliceAxis(hidden, 0, some)
		if e.Decoder != nil { // one group's logits at a time
			part = SchedulingBarrier(part, e.Decoder)
		}
		wide := func(x *Node) *Node { return BroadcastToDims(InsertAxes(x, -1), rows, vocab) }
		logits := MulScalar(h.addBias(product32(part, 1, weight, 1)), h.Scale)
		own := Equal(Iota(hidden.Graph(), shapes.Make(dtypes.Int32, rows, vocab), 1), wide(SliceAxis(labels, 0, some)))
		top := ReduceMax(logits, -1)
		exp := Exp(Sub(logits, wide(top)))
		sum := ReduceSum(exp, -1)
		label := ReduceSum(Where(own, logits, ZerosLike(logits)), -1)
		counts := SliceAxis(share, 0, some)
		e.Loss = Add(e.Loss, ReduceAllSum(Mul(counts, Sub(Add(Log(sum), top), label))))

		dLogits := MulScalar(Mul(Sub(Mul(exp, wide(Reciprocal(sum))), ConvertDType(own, dtypes.Float32)), wide(counts)), h.Scale)
		if h.Bias != nil {
			e.Bias = sumOrFirst(e.Bias, ReduceSum(dLogits, 0))
		}
		dLogits = ConvertDType(dLogits, hidden.DType())
		list = append(list, layers.Product(dLogits, []int{1}, nil, weight, []int{0}, nil))
		e.Decoder = sumOrFirst(e.Decoder, product32(dLogits, 0, part, 0))
	}
	e.Hidden = concatenate(list)
	return e
}

// rowGroups yields the first row and the number of rows of each group. A group is as large as
// Bytes allows. Groups are of one size if that takes less than twice as many: the compiler
// then has one shape to make fast, and pads none.
func (h Head) rowGroups(n int) func(yield func(first, rows int) bool) {
	most := max(1, h.Bytes/(4*h.Weight.Shape().Dimensions[0]))
	least := (n + most - 1) / most
	groups := least
	for n%groups != 0 && groups < 2*least {
		groups++
	}
	return func(yield func(first, rows int) bool) {
		for i := range groups {
			first, end := i*n/groups, (i+1)*n/groups
			if !yield(first, end-first) {
				return
			}
		}
	}
}

// sumOrFirst is sum + x, or x if sum is nil.
func sumOrFirst(a, b *Node) *Node {
	if a == nil {
		return b
	}
	return Add(a, b)
}
