package train

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

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

// InfoNCE is the mean cross-entropy of scores [batch, candidates] where query
// i's positive is candidate i. Chance level is ln(candidates).
func InfoNCE(scores *Node) *Node {
	batch, candidates := scores.Shape().Dimensions[0], scores.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, candidates)
	own := ConvertDType(Equal(Iota(scores.Graph(), shape, 0), Iota(scores.Graph(), shape, 1)), scores.DType())
	return Neg(MulScalar(ReduceAllSum(Mul(own, LogSoftmax(scores, -1))), 1/float64(batch)))
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
// teacher's scores t [batch, documents], as sentence-transformers'
// SparseDistillKLDivLoss has it.
func KL(scores, teacher *Node, temperature float64) *Node {
	t := LogSoftmax(DivScalar(teacher, temperature), -1)
	s := LogSoftmax(DivScalar(scores, temperature), -1)
	return MulScalar(ReduceAllMean(ReduceSum(Mul(Exp(t), Sub(t, s)), -1)), temperature*temperature)
}

// FLOPS is Σ_j (mean_i x_ij)² of x [texts, vocab].
func FLOPS(x *Node) *Node { return ReduceAllSum(Square(ReduceMean(x, 0))) }

// L1 is mean_i Σ_j |x_ij| of x [texts, vocab].
func L1(x *Node) *Node { return ReduceAllMean(ReduceSum(Abs(x), -1)) }
