package train

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// dots are the dot products of every query [batch, vocab] with every document [documents, vocab].
func dots(queries, documents *Node) *Node {
	return DotGeneral(queries, []int{1}, nil, documents, []int{1}, nil)
}

// ownScores are the dot products of each query of queries [batch, vocab] with its
// own documents in documents [columns·batch, vocab]: [batch, columns].
func ownScores(queries, documents *Node) *Node {
	batch, vocab := queries.Shape().Dimensions[0], queries.Shape().Dimensions[1]
	columns := documents.Shape().Dimensions[0] / batch
	list := make([]*Node, columns)
	for i := range list {
		column := documents
		if columns > 1 {
			column = Slice(documents, AxisRange(i*batch, (i+1)*batch))
		}
		list[i] = Reshape(ReduceSum(Mul(queries, Reshape(column, batch, vocab)), -1), batch, 1)
	}
	return Concatenate(list, 1)
}

// InfoNCE is the mean cross-entropy of scores [batch, candidates] where query i's positive is candidate i. Chance
// level is ln(candidates).
func InfoNCE(scores *Node) *Node {
	batch, candidates := scores.Shape().Dimensions[0], scores.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, candidates)
	own := ConvertDType(Equal(Iota(scores.Graph(), shape, 0), Iota(scores.Graph(), shape, 1)), scores.DType())
	return Neg(MulScalar(ReduceAllSum(Mul(own, LogSoftmax(scores, -1))), 1/float64(batch)))
}

// Hardness is the term that gives hard negatives more weight: strength times their own
// scores [batch, candidates], unscaled and without a gradient. sentence-transformers'
// SparseMultipleNegativesRankingLoss adds the same term (hardness_mode). Candidate j belongs
// to query i if j mod batch = i, and is its positive if j = i. With own, all candidates
// from number batch on belong to the query.
func Hardness(scores *Node, mode string, strength float64, own bool) *Node {
	batch, candidates := scores.Shape().Dimensions[0], scores.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, candidates)
	row, column := Iota(scores.Graph(), shape, 0), Iota(scores.Graph(), shape, 1)
	size := OnesLike(column)
	size = MulScalar(size, batch)
	behind := GreaterOrEqual(column, size)
	belongs := Equal(Mod(column, size), row)
	if own {
		belongs = LogicalOr(Equal(column, row), behind)
	}
	var weighed *Node
	switch mode {
	case "in_batch_negatives":
		weighed = LogicalNot(belongs)
	case "hard_negatives":
		weighed = LogicalAnd(belongs, behind)
	case "all_negatives":
		weighed = LogicalNot(Equal(column, row))
	default:
		panic(fmt.Errorf("build objective: loss.hardness %q is unknown", mode))
	}
	return Where(weighed, MulScalar(StopGradient(scores), strength), ZerosLike(scores))
}

// MarginMSE is the mean of ((s⁺ − s⁻) − (t⁺ − t⁻))² over queries and their negatives,
// of scores s and teacher's scores t [batch, 1+negatives] (Hofstätter et al. 2020).
func MarginMSE(scores, teacher *Node) *Node {
	margins := func(x *Node) *Node {
		return Sub(Slice(x, AxisRange(), AxisRange(0, 1)), Slice(x, AxisRange(), AxisRange(1)))
	}
	return ReduceAllMean(Square(Sub(margins(scores), margins(teacher))))
}

// KL is τ²·KL(softmax(t/τ) ‖ softmax(s/τ)), the mean over queries, of scores s and
// teacher's scores t [batch, documents]: the loss of sentence-transformers'
// SparseDistillKLDivLoss.
func KL(scores, teacher *Node, temperature float64) *Node {
	t := LogSoftmax(DivScalar(teacher, temperature), -1)
	s := LogSoftmax(DivScalar(scores, temperature), -1)
	return MulScalar(ReduceAllMean(ReduceSum(Mul(Exp(t), Sub(t, s)), -1)), temperature*temperature)
}
