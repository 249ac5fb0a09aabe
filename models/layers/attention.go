package layers

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Valid is [batch, tokens], true at a text's tokens and false at padding; lengths is [batch] int32.
func Valid(lengths *Node, tokens int) *Node {
	position := Iota(lengths.Graph(), shapes.Make(dtypes.Int32, lengths.Shape().Dimensions[0], tokens), 1)
	return LessThan(position, BroadcastToDims(InsertAxes(lengths, -1), lengths.Shape().Dimensions[0], tokens))
}

// masked is added to the score of a pair that must not attend: exp underflows to exactly 0.
const masked = -1e9

// AttentionBias is [batch, tokens, tokens], 0 where a query position may attend
// to a key position and -1e9 elsewhere: keys beyond a text's length, and, for
// window > 0, keys more than window/2 positions away.
func AttentionBias(lengths *Node, tokens, window int) *Node {
	batch := lengths.Shape().Dimensions[0]
	allowed := BroadcastToDims(InsertAxes(Valid(lengths, tokens), 1), batch, tokens, tokens)
	if window > 0 && window/2 < tokens-1 {
		shape := shapes.Make(dtypes.Int32, batch, tokens, tokens)
		distance := Abs(Sub(Iota(lengths.Graph(), shape, 1), Iota(lengths.Graph(), shape, 2)))
		allowed = LogicalAnd(allowed, LessOrEqual(distance, Scalar(lengths.Graph(), dtypes.Int32, window/2)))
	}
	zero := ZerosLike(ConvertDType(allowed, dtypes.Float32))
	return StopGradient(Where(allowed, zero, AddScalar(zero, masked)))
}

// Attention is softmax(turn(q)·turn(k)ᵀ + bias)·v for each head. q, already scaled
// by 1/√dim, k and v are [batch·tokens, heads·dim], bias as AttentionBias gives it,
// turn may be nil; the result is like q. The softmax is float32.
func (m Mode) Attention(q, k, v, bias *Node, heads int, turn *Rotation) *Node {
	batch, tokens := bias.Shape().Dimensions[0], bias.Shape().Dimensions[1]
	rows, hidden := q.Shape().Dimensions[0], q.Shape().Dimensions[1]
	dim := hidden / heads
	// Each operand gets its heads first, once. The products, forward and backward, then have
	// their batch axes first and need no more transpositions, and bias and turn, which all
	// heads share, are one row that is added to every row.
	headsFirst := func(x *Node) *Node {
		return Reshape(TransposeAllAxes(Reshape(x, rows, heads, dim), 1, 0, 2), heads, batch, tokens, dim)
	}
	headsLast := func(x *Node) *Node {
		return Reshape(TransposeAllAxes(Reshape(x, heads, rows, dim), 1, 0, 2), rows, hidden)
	}
	product := func(a *Node, axisA int, b *Node, axisB int) *Node {
		return Product(a, []int{axisA}, []int{0, 1}, b, []int{axisB}, []int{0, 1})
	}
	fq, fk, fv := turn.apply(headsFirst(q), false), turn.apply(headsFirst(k), false), headsFirst(v)
	shape := []int{heads, batch, tokens, tokens}
	scores := product(fq, 3, fk, 3)
	var kept, weights *Node
	dropped := inFloat32(scores, func(scores *Node) *Node {
		biased := Add(Reshape(scores, heads, batch*tokens*tokens), Reshape(bias, 1, batch*tokens*tokens))
		weights = Softmax(Reshape(biased, shape...), -1)
		var y *Node
		y, kept = m.dropout.drop(weights, m.dropout.ratesOrZero().Attention)
		return y
	})
	y := headsLast(product(dropped, 3, fv, 2))
	fq, fk, fv = m.tape.keep(fq), m.tape.keep(fk), m.tape.keep(fv)
	weights, dropped, kept = m.tape.keep(weights), m.tape.keep(dropped), m.tape.keep(kept)
	m.tape.record(y, func(dy *Node) {
		transposed := func(x *Node) *Node { return TransposeAllAxes(x, 0, 1, 3, 2) }
		dContext := headsFirst(dy)
		m.tape.add(v, headsLast(product(transposed(dropped), 3, dContext, 2)))
		dWeights := m.dropout.dropGradient(product(dContext, 3, fv, 3), kept, m.dropout.ratesOrZero().Attention)
		// Softmax: w·(d − Σ w·d), with the masked pairs' w exactly 0.
		dScores := Mul(weights, Sub(dWeights, ReduceAndKeep(Mul(weights, dWeights), ReduceSum, -1)))
		m.tape.add(q, headsLast(turn.apply(product(dScores, 3, fk, 2), true)))
		m.tape.add(k, headsLast(turn.apply(product(transposed(dScores), 3, fq, 2), true)))
	})
	return y
}

// AttentionScale is the factor on queries: 1/√dim.
func AttentionScale(dim int) float64 { return 1 / math.Sqrt(float64(dim)) }

// Rotation holds rotary position tables [1, tokens·dim], computed in the graph: as
// literals they would be written once per layer and shape. A nil Rotation does nothing.
type Rotation struct {
	cos, sin *Node // the first half of sin's columns is negative
	dim      int
}

// NewRotation makes the tables for heads of dim and a base θ.
func NewRotation(g *Graph, tokens, dim int, theta float64) *Rotation {
	// Float64: at thousands of positions a float32 angle is off by more than its own rounding.
	shape := shapes.Make(dtypes.Float64, tokens, dim/2)
	position := Iota(g, shape, 0)
	// θ^(−2j/dim)
	frequency := Exp(MulScalar(Iota(g, shape, 1), -2*math.Log(theta)/float64(dim)))
	angle := Mul(position, frequency)
	wide := func(first, second *Node) *Node {
		return StopGradient(Reshape(ConvertDType(Concatenate([]*Node{first, second}, -1), dtypes.Float32), 1, tokens*dim))
	}
	return &Rotation{wide(Cos(angle), Cos(angle)), wide(Neg(Sin(angle)), Sin(angle)), dim}
}

// apply rotates x [heads, batch, tokens, dim] in float32: x·cos + (−x₂, x₁)·sin. With back it rotates the other way.
func (r *Rotation) apply(x *Node, back bool) *Node {
	if r == nil {
		return x
	}
	if own := x.DType(); own != dtypes.Float32 {
		return ConvertDType(r.apply(ConvertDType(x, dtypes.Float32), back), own)
	}
	first := SliceAxis(x, 3, AxisRange(0, r.dim/2))
	second := SliceAxis(x, 3, AxisRange(r.dim/2, r.dim))
	flat := func(x *Node) *Node { return Reshape(x, -1, r.cos.Shape().Dimensions[1]) }
	along, across := Mul(flat(x), r.cos), Mul(flat(Concatenate([]*Node{second, first}, -1)), r.sin)
	turned := Add(along, across)
	if back {
		turned = Sub(along, across)
	}
	return Reshape(turned, x.Shape().Dimensions...)
}
