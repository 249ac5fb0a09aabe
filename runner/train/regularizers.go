package train

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// FLOPS is Σ_j (mean_i x_ij)² of x [texts, vocab].
func FLOPS(x *Node) *Node { return ReduceAllSum(Square(ReduceMean(x, 0))) }

// MaskedFLOPS is FLOPS of x [texts, vocab] in which texts with at most threshold terms are
// zero; they still count in the mean (sentence-transformers' FlopsLoss, arXiv 2504.14839).
func MaskedFLOPS(x *Node, threshold int) *Node {
	if threshold <= 0 {
		return FLOPS(x)
	}
	terms := ReduceAndKeep(ConvertDType(NotEqual(x, ZerosLike(x)), dtypes.Int32), ReduceSum, -1)
	many := GreaterThan(terms, MulScalar(OnesLike(terms), threshold))
	return FLOPS(Where(BroadcastToShape(many, shapes.Make(dtypes.Bool, x.Shape().Dimensions...)), x, ZerosLike(x)))
}

// L1 is mean_i Σ_j |x_ij| of x [texts, vocab].
func L1(x *Node) *Node { return ReduceAllMean(ReduceSum(Abs(x), -1)) }

// DFFLOPS is Σ_j (w_j·mean_i x_ij)² of x [texts, vocab], where w_j grows from 0 to 1 with the share of texts that
// have term j: 1/(1 + (share^(log_α 2) − 1)^β), ½ at a share of α (arXiv 2505.15070). The shares are counted over the
// texts of x, and have no gradient.
func DFFLOPS(x *Node, alpha, beta float64) *Node {
	found := ConvertDType(NotEqual(x, ZerosLike(x)), dtypes.Float32)
	share := StopGradient(ReduceMean(found, 0))
	some := GreaterThan(share, ZerosLike(share))
	logarithm := Log(Where(some, share, OnesLike(share)))
	odds := AddScalar(Exp(MulScalar(logarithm, math.Ln2/math.Log(alpha))), -1)
	present := GreaterThan(odds, ZerosLike(odds)) // a term of every text has odds of 0 and weight 1
	power := Where(present, Exp(MulScalar(Log(Where(present, odds, OnesLike(odds))), beta)), ZerosLike(odds))
	weight := Where(some, Reciprocal(AddScalar(power, 1)), ZerosLike(share))
	return ReduceAllSum(Square(Mul(StopGradient(weight), ReduceMean(x, 0))))
}

// AntiZero is 1/(Σq)² + 1/(Σd)² of all term weights of queries and of documents, each
// [texts, vocab] (naver/splade, hf/trainers.py). It is infinite if one side is zero
// everywhere.
func AntiZero(queries, documents *Node) *Node {
	one := func(x *Node) *Node { return Reciprocal(Square(ReduceAllSum(x))) }
	return Add(one(queries), one(documents))
}
