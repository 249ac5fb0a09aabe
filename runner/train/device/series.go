package device

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/runner/train"
)

// seriesNames lists the series that a step's programs compute, in their order. Those of the
// optimizer come after them.
func (d *Splade) seriesNames() []string {
	names, _ := d.objective.Names()
	names = append(names, "score/mean", "score/sd", "accuracy")
	for _, side := range []string{"query", "document"} {
		names = append(names, "active/"+side, "empty/"+side, "cosine/"+side)
	}
	return names
}

// series returns the nodes of these series. They are the quantities that host/series.go
// computes in plain Go; sums are in float64.
func (d *Splade) series(c train.Components, queries, documents *Node) []*Node {
	list := append(c.Scalars(), scoreNodes(d.objective, c.Scores)...)
	return append(append(list, textNodes(queries)...), textNodes(documents)...)
}

// scoreNodes describe the scores [queries, candidates]: mean, standard deviation, accuracy.
func scoreNodes(o train.Objective, scores *Node) []*Node {
	g, dims := scores.Graph(), scores.Shape().Dimensions
	wide := ConvertDType(scores, dtypes.Float64)
	mean := ReduceAllMean(wide)
	spread := Sqrt(ReduceAllMean(Square(Sub(wide, mean))))
	shape := shapes.Make(dtypes.Int32, dims...)
	column := Iota(g, shape, 1)
	own := Equal(column, ZerosLike(column))
	if !o.Teacher() {
		own = Equal(column, Iota(g, shape, 0))
	}
	positive := ReduceAndKeep(Where(own, scores, ZerosLike(scores)), ReduceSum, 1)
	// A tie is no success, so that a constant model does not look right.
	beats := LogicalOr(own, GreaterThan(BroadcastToShape(positive, scores.Shape()), scores))
	misses := ReduceSum(ConvertDType(LogicalNot(beats), dtypes.Int32), 1)
	right := ReduceAllMean(ConvertDType(Equal(misses, ZerosLike(misses)), dtypes.Float64))
	return []*Node{mean, spread, right}
}

// textNodes describe term weights [texts, vocab]: active dims, the share of empty rows,
// and the mean cosine between two different texts that are not empty.
func textNodes(weights *Node) []*Node {
	wide := func(x *Node) *Node { return ConvertDType(x, dtypes.Float64) }
	active := NotEqual(weights, ZerosLike(weights))
	terms := wide(ReduceSum(ConvertDType(active, dtypes.Int32), 1))
	empty := Equal(terms, ZerosLike(terms))
	square := ReduceSum(Square(wide(weights)), 1)
	one := OnesLike(square)
	inverse := Where(empty, ZerosLike(square), Reciprocal(Sqrt(Where(empty, one, square))))
	sum := ReduceSum(Mul(wide(weights), BroadcastToDims(InsertAxes(inverse, -1), weights.Shape().Dimensions...)), 0)
	alive := ReduceAllSum(Where(empty, ZerosLike(one), one))
	several := GreaterThan(alive, OnesLike(alive))
	pairs := Where(several, Mul(alive, AddScalar(alive, -1)), OnesLike(alive))
	cosine := Where(several, Div(Sub(ReduceAllSum(Square(sum)), alive), pairs), ZerosLike(alive))
	return []*Node{ReduceAllMean(terms), ReduceAllMean(wide(empty)), cosine}
}
