package splade

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/layers"
)

// Head is an MLM decoder in a graph, for backends on which package fused's kernels
// cannot run. It never holds the logits of a whole batch, [texts, tokens, vocab]:
// texts go through it in groups.
type Head struct {
	Weight *Node   // [vocab, dim] float32
	Bias   *Node   // [vocab] float32, or nil
	Scale  float64 // multiplies every logit
	// Bytes bounds a group's float32 logits; a group has at least one text.
	Bytes int
}

// DefaultBytes is a group large enough for full speed of a matrix product and small
// beside a GPU's memory.
const DefaultBytes = 1 << 30

// Pooled is what pooling keeps of a batch's logits.
type Pooled struct {
	// Values [texts, vocab] float32: the largest logit, bias included and not yet
	// scaled; with Form.Sum the sum of the activations.
	Values *Node
	// Position [texts, vocab] int32 is the first token that has the largest logit; nil with Form.Sum.
	Position *Node
}

// Pool runs hidden states [texts, tokens, dim] of any float type through the head and
// leaves out the tokens after lengths [texts] int32. Products are of hidden's type;
// their sums and everything after them are float32.
func (h Head) Pool(hidden, lengths *Node, form Form) Pooled {
	weight := ConvertDType(h.Weight, hidden.DType())
	var values, positions []*Node
	h.groups(hidden, lengths, func(hidden, lengths *Node) []*Node {
		logits := h.logits(hidden, weight)
		valid := h.valid(lengths, logits)
		if form.Sum {
			logits = h.shifted(logits)
			valid = form.kept(logits, valid)
			sum := ReduceSum(Where(valid, form.activate(MulScalar(logits, h.Scale)), ZerosLike(logits)), 2)
			values = append(values, sum)
			return []*Node{sum}
		}
		if form.TokenTopM > 0 {
			valid = form.kept(h.shifted(logits), valid)
		}
		logits = Where(valid, logits, BroadcastToShape(Infinity(hidden.Graph(), dtypes.Float32, -1), logits.Shape()))
		top := ReduceMax(logits, 2)
		values = append(values, top)
		position := ArgMax(logits, 2, dtypes.Int32)
		positions = append(positions, position)
		return []*Node{top, position}
	})
	if form.Sum {
		return Pooled{Values: byText(values)}
	}
	return Pooled{Values: h.addBias(byText(values)), Position: byText(positions)}
}

// Max is Pool's values alone, for inference: max over tokens of the logits,
// bias included and Scale not, [texts, vocab] float32.
func (h Head) Max(hidden, lengths *Node) *Node {
	weight := ConvertDType(h.Weight, hidden.DType())
	var values []*Node
	h.groups(hidden, lengths, func(hidden, lengths *Node) []*Node {
		logits := h.logits(hidden, weight)
		logits = Where(h.valid(lengths, logits), logits, BroadcastToShape(Infinity(hidden.Graph(), dtypes.Float32, -1), logits.Shape()))
		top := ReduceMax(logits, 2)
		values = append(values, top)
		return []*Node{top}
	})
	return h.addBias(byText(values))
}

// Weights are the term weights [texts, vocab] of a batch, pruned.
func (h Head) Weights(p Pooled, form Form) *Node {
	if form.Sum {
		return form.pruneWeights(p.Values)
	}
	return form.pruneWeights(form.activate(MulScalar(p.Values, h.Scale)))
}

// Gradients takes the gradient by the term weights [texts, vocab], the result of
// Weights, back to the hidden states (of their own type), the decoder and the bias
// (float32; nil without a bias). A largest logit passes its gradient to the first token
// that has it, which Pool found.
func (h Head) Gradients(hidden, lengths *Node, form Form, p Pooled, weights, dWeights *Node) (dHidden, dDecoder, dBias *Node) {
	kept := NotEqual(weights, ZerosLike(weights)) // active, and not pruned
	dValues := Where(kept, dWeights, ZerosLike(dWeights))
	if !form.Sum {
		dValues = MulScalar(Mul(dValues, form.slope(MulScalar(p.Values, h.Scale))), h.Scale)
	}
	weight := ConvertDType(h.Weight, hidden.DType())
	var list []*Node
	first := 0
	if h.Bias != nil {
		dBias = ReduceSum(dValues, 0) // with Form.Sum not yet: every token counts
		if form.Sum {
			dBias = ZerosLike(h.Bias)
		}
	}
	h.groups(hidden, lengths, func(hidden, lengths *Node) []*Node {
		texts, tokens := hidden.Shape().Dimensions[0], hidden.Shape().Dimensions[1]
		// [vocab, texts, 1]
		rows := func(x *Node) *Node {
			return InsertAxes(Transpose(SliceAxis(x, 0, AxisRange(first, first+texts)), 0, 1), -1)
		}
		var dLogits *Node
		if form.Sum {
			// The logits are computed again, once the gradient is there: the barrier keeps the
			// compiler from storing those of the first pass.
			barred := OptimizationBarriers(hidden, rows(dValues))
			logits := h.logits(barred[0], weight)
			logits = h.shifted(logits)
			dLogits = MulScalar(Mul(BroadcastToShape(barred[1], logits.Shape()), form.slope(MulScalar(logits, h.Scale))), h.Scale)
			dLogits = Where(form.kept(logits, h.valid(lengths, logits)), dLogits, ZerosLike(dLogits))
			if dBias != nil {
				dBias = Add(dBias, ReduceSum(dLogits, 1, 2))
			}
		} else {
			d := rows(dValues)
			shape := shapes.Make(dtypes.Float32, d.Shape().Dimensions[0], texts, tokens)
			token := Iota(hidden.Graph(), shapes.Make(dtypes.Int32, shape.Dimensions...), 2)
			own := Equal(token, BroadcastToDims(rows(p.Position), shape.Dimensions...))
			d = BroadcastToShape(d, shape)
			dLogits = Where(own, d, ZerosLike(d))
		}
		flat := Reshape(ConvertDType(dLogits, hidden.DType()), -1, texts*tokens)
		list = append(list, Reshape(layers.Product(flat, []int{0}, nil, weight, []int{0}, nil), hidden.Shape().Dimensions...))
		part := product32(flat, 1, Reshape(hidden, texts*tokens, -1), 0)
		if dDecoder != nil {
			part = Add(dDecoder, part)
		}
		dDecoder = part
		first += texts
		return []*Node{part}
	})
	return concatenate(list), dDecoder, dBias
}

// groups calls do with the hidden states and lengths of a few texts at a time. Each group
// waits for the results of the group before it: a compiler that ran them side by side would
// hold all their logits at once.
func (h Head) groups(hidden, lengths *Node, do func(hidden, lengths *Node) []*Node) {
	texts, tokens := hidden.Shape().Dimensions[0], hidden.Shape().Dimensions[1]
	size := max(1, h.Bytes/(4*tokens*h.Weight.Shape().Dimensions[0]))
	if size >= texts {
		do(hidden, lengths)
		return
	}
	var before []*Node
	for first := 0; first < texts; first += size {
		some := AxisRange(first, min(first+size, texts))
		part := SliceAxis(hidden, 0, some)
		if before != nil {
			part = delayUntil(part, before)
		}
		before = do(part, SliceAxis(lengths, 0, some))
	}
}

// delayUntil returns x, computed only after every node of before. The backend's barrier adds
// zero times one element of each node it waits for; a NaN there would spoil x, so the barrier
// gets the element's sign as an integer.
func delayUntil(x *Node, before []*Node) *Node {
	signs := make([]*Node, len(before))
	for i, b := range before {
		first := make([]SliceAxisSpec, b.Rank())
		for axis := range first {
			first[axis] = AxisRange(0, 1)
		}
		one := Slice(b, first...)
		signs[i] = ConvertDType(GreaterThan(one, ZerosLike(one)), dtypes.Int32)
	}
	return SchedulingBarrier(x, signs...)
}

// logits is weight·hiddenᵀ, [vocab, texts, tokens] float32, without bias and scale. Tokens
// are the last axis because XLA reduces along the last axis; any other order costs a copy
// of the logits.
func (h Head) logits(hidden, weight *Node) *Node {
	dims := hidden.Shape().Dimensions
	return Reshape(product32(weight, 1, Reshape(hidden, dims[0]*dims[1], dims[2]), 1), -1, dims[0], dims[1])
}

// product32 contracts one axis of two matrices of one type; the result is float32.
func product32(a *Node, axisA int, b *Node, axisB int) *Node {
	dot := Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType)
	if a.DType() != dtypes.Float32 {
		dot = dot.WithOutputDType(dtypes.Float32)
	}
	return dot.General([]int{axisA}, nil, []int{axisB}, nil)
}

// shifted adds the bias to logits [vocab, texts, tokens].
func (h Head) shifted(values *Node) *Node {
	if h.Bias == nil {
		return values
	}
	return Add(values, BroadcastToShape(InsertAxes(h.Bias, -1, -1), values.Shape()))
}

// addBias adds the bias to values whose last axis is the vocabulary.
func (h Head) addBias(values *Node) *Node {
	if h.Bias == nil {
		return values
	}
	return Add(values, ExpandLeftToRank(h.Bias, values.Rank()))
}

// valid is true for the tokens that count, of logits' shape [vocab, texts, tokens].
func (h Head) valid(lengths, logits *Node) *Node {
	return BroadcastToShape(InsertAxes(layers.Valid(lengths, logits.Shape().Dimensions[2]), 0), shapes.Make(dtypes.Bool, logits.Shape().Dimensions...))
}

// byText joins groups of [vocab, texts] to [texts, vocab].
func byText(list []*Node) *Node {
	all := list[0]
	if len(list) > 1 {
		all = Concatenate(list, 1)
	}
	return Transpose(all, 0, 1)
}

func concatenate(list []*Node) *Node {
	if len(list) == 1 {
		return list[0]
	}
	return Concatenate(list, 0)
}

// positive is z if it is above 0, else 0. NaN stays NaN.
func positive(z *Node) *Node { return Where(LessOrEqual(z, ZerosLike(z)), ZerosLike(z), z) }

// activate is Weight in a graph.
func (f Form) activate(z *Node) *Node {
	w := Log1p(positive(z))
	if f.Twice {
		w = Log1p(w)
	}
	return w
}

// slope is Slope in a graph.
func (f Form) slope(z *Node) *Node {
	up := positive(z)
	slope := Reciprocal(AddScalar(up, 1))
	if f.Twice {
		slope = Div(slope, AddScalar(Log1p(up), 1))
	}
	return Where(LessOrEqual(z, ZerosLike(z)), ZerosLike(z), slope)
}
