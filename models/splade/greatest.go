package splade

import (
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Logit is a logit that a token keeps.
type Logit struct {
	Term  int32
	Value float32
}

// Kept appends to list the logits of a token [vocab] that stay: those above 0 among the
// TokenTopM greatest, by ascending term. Of equal logits those with the lowest ids stay.
// NaN counts as the greatest. A logit that is not above 0 has no weight, so it is left out.
func (f Form) Kept(logits []float32, list []Logit) []Logit {
	first := len(list)
	for v, z := range logits {
		if !(z <= 0) {
			list = append(list, Logit{int32(v), z})
		}
	}
	own := list[first:]
	if f.TokenTopM <= 0 || len(own) <= f.TokenTopM {
		return list
	}
	least := nthGreatest(own, f.TokenTopM)
	above := 0
	for _, x := range own {
		if greater(x.Value, least) {
			above++
		}
	}
	tied, n := f.TokenTopM-above, 0
	for _, x := range own {
		switch {
		case greater(x.Value, least):
		case !greater(least, x.Value) && tied > 0:
			tied--
		default:
			continue
		}
		own[n] = x
		n++
	}
	return list[:first+n]
}

// greater orders values with NaN above all.
func greater(a, b float32) bool { return a > b || a != a && b == b }

// nthGreatest is the n-th greatest value of a list, 1 ≤ n ≤ its length. It does not sort the
// list, but keeps a heap of the n greatest values so far with the least of them on top.
func nthGreatest(list []Logit, n int) float32 {
	heap := make([]float32, 0, n)
	for _, x := range list {
		switch {
		case len(heap) < n:
			heap = append(heap, x.Value)
			for i := len(heap) - 1; i > 0 && greater(heap[(i-1)/2], heap[i]); i = (i - 1) / 2 {
				heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
			}
		case greater(x.Value, heap[0]):
			heap[0] = x.Value
			for i := 0; ; {
				least := i
				for child := 2*i + 1; child <= min(2*i+2, n-1); child++ {
					if greater(heap[least], heap[child]) {
						least = child
					}
				}
				if least == i {
					break
				}
				heap[i], heap[least] = heap[least], heap[i]
				i = least
			}
		}
	}
	return heap[0]
}

// kept is Kept in a graph. It is true for the logits [vocab, texts, tokens], bias included,
// that their tokens keep; valid, of the same shape, is false at padding.
func (f Form) kept(logits, valid *Node) *Node {
	if f.TokenTopM <= 0 || f.TokenTopM >= logits.Shape().Dimensions[0] {
		return valid
	}
	return LogicalAnd(valid, greatest(positive(logits), f.TokenTopM, 0))
}

// pruneWeights is Prune in a graph, for weights [texts, vocab].
func (f Form) pruneWeights(weights *Node) *Node {
	if f.TopK <= 0 || f.TopK >= weights.Shape().Dimensions[1] {
		return weights
	}
	return Where(greatest(weights, f.TopK, 1), weights, ZerosLike(weights))
}

// greatest is true for the k largest values along an axis; of equal values, for those with the
// lowest indices. No value may be negative. It does not sort: floats that are not negative
// have the order of their bits, so the smallest value that stays is found bit by bit. NaN
// counts as the largest.
func greatest(values *Node, k, axis int) *Node {
	g, shape := values.Graph(), values.Shape()
	size := shape.Dimensions[axis]
	pattern := Bitcast(StopGradient(values), dtypes.Uint32)
	count := func(chosen *Node) *Node { return ReduceAndKeep(ConvertDType(chosen, dtypes.Int32), ReduceSum, axis) }
	narrow := append([]int(nil), shape.Dimensions...)
	narrow[axis] = 1
	spread := func(x *Node) *Node { return BroadcastToDims(x, shape.Dimensions...) }
	all := func(x any) *Node { return BroadcastToDims(Const(g, x), narrow...) }
	least := Zeros(g, shapes.Make(dtypes.Uint32, narrow...))
	for bit := 31; bit >= 0; bit-- {
		next := BitwiseOr(least, all(uint32(1)<<bit))
		enough := GreaterOrEqual(count(GreaterOrEqual(pattern, spread(next))), all(int32(k)))
		least = Where(enough, next, least)
	}
	above, tied := GreaterThan(pattern, spread(least)), Equal(pattern, spread(least))
	// Values equal to the smallest one that stays, at indices below end, fill up the k.
	left := Sub(all(int32(k)), count(above))
	index := Iota(g, shapes.Make(dtypes.Int32, shape.Dimensions...), axis)
	end := Zeros(g, shapes.Make(dtypes.Int32, narrow...))
	for bit := bits.Len(uint(size)) - 1; bit >= 0; bit-- {
		next := Add(end, all(int32(1)<<bit))
		fits := LessOrEqual(count(LogicalAnd(tied, LessThan(index, spread(next)))), left)
		end = Where(fits, next, end)
	}
	return LogicalOr(above, LogicalAnd(tied, LessThan(index, spread(end))))
}
