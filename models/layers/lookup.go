package layers

import (
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Lookup replaces autodiff for the gradient of token embeddings. Autodiff would add each
// token's row to the table by a scatter with repeated indices. For results that do not
// depend on timing, XLA turns that scatter on a GPU into a sort of every number of every
// row, or, in other versions, into a loop over all tokens of a batch. A Lookup sorts the
// tokens and sums their rows in log₂(tokens) passes, always in the same order.
type Lookup struct {
	// Rows are the rows that were looked up, [batch, tokens, dim]. Take the gradient by them.
	Rows *Node
	ids  *Node
}

// Embed returns the rows of table [vocab, dim] with the numbers ids [batch, tokens] int32.
// Where the mode has a Lookup, TableGradient alone gives the table's gradient.
func (m Mode) Embed(table, ids *Node) *Node {
	if m.lookup == nil {
		return Gather(table, InsertAxes(ids, -1))
	}
	m.lookup.ids = ids
	m.lookup.Rows = Gather(StopGradient(table), InsertAxes(ids, -1))
	return m.lookup.Rows
}

// TableGradient computes the gradient of a table [vocab, dim], float32, from the gradients by
// the Rows of each Lookup.
func TableGradient(vocab int, lookups []*Lookup, gradients []*Node) *Node {
	var ids, rows []*Node
	for i, l := range lookups {
		dims := l.Rows.Shape().Dimensions
		ids = append(ids, Reshape(l.ids, -1))
		rows = append(rows, Reshape(gradients[i], -1, dims[len(dims)-1]))
	}
	return sumByID(vocab, concatenate(ids), concatenate(rows))
}

func concatenate(list []*Node) *Node {
	if len(list) == 1 {
		return list[0]
	}
	return Concatenate(list, 0)
}

// sumByID sums, for each id of the vocabulary, the rows [n, dim] whose ids [n] int32 equal it:
// [vocab, dim].
func sumByID(vocab int, ids, rows *Node) *Node {
	g, n, dim := ids.Graph(), rows.Shape().Dimensions[0], rows.Shape().Dimensions[1]
	// Id and place in one number: no two are equal, so there is one sorted order.
	shift := Const(g, uint64(bits.Len(uint(n))))
	place := Iota(g, shapes.Make(dtypes.Uint64, n), 0)
	keys := Sort(BitwiseOr(BitwiseShiftLeft(ConvertDType(ids, dtypes.Uint64), BroadcastToDims(shift, n)), place), 0, true)
	sorted := ConvertDType(BitwiseShiftRightLogical(keys, BroadcastToDims(shift, n)), dtypes.Int32)
	mask := BroadcastToDims(Const(g, uint64(1)<<bits.Len(uint(n))-1), n)
	order := ConvertDType(BitwiseAnd(keys, mask), dtypes.Int32)

	// After the pass of step s a row is the sum of itself and of up to 2s−1 rows of its id
	// before it. In the end the last row of each id is the sum of all of them.
	sums := Gather(rows, InsertAxes(order, -1))
	for step := 1; step < n; step *= 2 {
		same := Equal(SliceAxis(sorted, 0, AxisRange(step, n)), SliceAxis(sorted, 0, AxisRange(0, n-step)))
		before := SliceAxis(sums, 0, AxisRange(0, n-step))
		added := Where(BroadcastToDims(InsertAxes(same, -1), n-step, dim), before, ZerosLike(before))
		none := Zeros(g, shapes.Make(rows.DType(), step, dim))
		// The barrier keeps a compiler from computing earlier passes again within later ones.
		sums = OptimizationBarrier(Add(sums, Concatenate([]*Node{none, added}, 0)))
	}

	// Count, bit by bit, the sorted ids that are not above each row's number.
	id := Iota(g, shapes.Make(dtypes.Int32, vocab), 0)
	whole := func(x int) *Node { return BroadcastToDims(Const(g, int32(x)), vocab) }
	at := func(count *Node) *Node { return InsertAxes(Max(AddScalar(count, -1), whole(0)), -1) }
	count := whole(0)
	for bit := bits.Len(uint(n)) - 1; bit >= 0; bit-- {
		next := Add(count, whole(1<<bit))
		fits := LogicalAnd(LessOrEqual(next, whole(n)), LessOrEqual(Gather(sorted, Min(at(next), InsertAxes(whole(n-1), -1))), id))
		count = Where(fits, next, count)
	}
	found := LogicalAnd(GreaterThan(count, whole(0)), Equal(Gather(sorted, at(count)), id))
	last := Gather(sums, at(count))
	return Where(BroadcastToDims(InsertAxes(found, -1), vocab, dim), last, ZerosLike(last))
}
