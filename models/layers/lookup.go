package layers

import (
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Lookup takes the gradient of token embeddings out of autodiff's hands, which would add
// each token's row to the table's by a scatter with repeated indices. Where results must not
// depend on timing, XLA makes of that, on a GPU, a sort of every number of every row, and in
// other versions a loop over all tokens of a batch. Here tokens are sorted, and their rows
// summed in log₂(tokens) passes over them, in one order.
type Lookup struct {
	// Rows are what was looked up, [batch, tokens, dim]: take the gradient by them.
	Rows *Node
	ids  *Node
}

// Embed gives the rows of table [vocab, dim] that ids [batch, tokens] int32 name. Where
// the mode has a Lookup, no gradient reaches the table but by TableGradient.
func (m Mode) Embed(table, ids *Node) *Node {
	if m.Lookup == nil {
		return Gather(table, InsertAxes(ids, -1))
	}
	m.Lookup.ids = ids
	m.Lookup.Rows = Gather(StopGradient(table), InsertAxes(ids, -1))
	return m.Lookup.Rows
}

// TableGradient is the gradient of a table [vocab, dim] whose rows were looked up, given
// the gradients by the Rows of each Lookup, float32.
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

// sumByID is [vocab, dim]: of each id the sum of its rows [n, dim], ids [n] int32.
func sumByID(vocab int, ids, rows *Node) *Node {
	g, n, dim := ids.Graph(), rows.Shape().Dimensions[0], rows.Shape().Dimensions[1]
	// Id and place in one number: no two are equal, so there is one sorted order.
	shift := Const(g, uint64(bits.Len(uint(n))))
	place := Iota(g, shapes.Make(dtypes.Uint64, n), 0)
	keys := Sort(BitwiseOr(BitwiseShiftLeft(ConvertDType(ids, dtypes.Uint64), BroadcastToDims(shift, n)), place), 0, true)
	sorted := ConvertDType(BitwiseShiftRightLogical(keys, BroadcastToDims(shift, n)), dtypes.Int32)
	mask := BroadcastToDims(Const(g, uint64(1)<<bits.Len(uint(n))-1), n)
	order := ConvertDType(BitwiseAnd(keys, mask), dtypes.Int32)

	// Behind the pass of step s a row is the sum of itself and up to 2s−1 rows of its id
	// before it, so in the end the last row of each id is the sum of them all.
	sums := Gather(rows, InsertAxes(order, -1))
	for step := 1; step < n; step *= 2 {
		same := Equal(SliceAxis(sorted, 0, AxisRange(step, n)), SliceAxis(sorted, 0, AxisRange(0, n-step)))
		before := SliceAxis(sums, 0, AxisRange(0, n-step))
		added := Where(BroadcastToDims(InsertAxes(same, -1), n-step, dim), before, ZerosLike(before))
		none := Zeros(g, shapes.Make(rows.DType(), step, dim))
		// The barrier keeps a compiler from computing earlier passes again within later ones.
		sums = OptimizationBarrier(Add(sums, Concatenate([]*Node{none, added}, 0)))
	}

	// How many sorted ids are not above each row's, bit by bit.
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
