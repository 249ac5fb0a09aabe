package train

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/sweeps"
)

// Objective is what a run minimizes: exactly the sum of its components.
type Objective struct {
	Scale       float64 // multiplies scores before the softmax
	Regularizer string  // "flops", "l1", "none"
}

// NewObjective takes the objective that a configuration lists.
func NewObjective(cfg sweeps.RunConfig) (Objective, error) {
	if cfg.Loss.Kind != "infonce" || cfg.Loss.Candidates != "all" {
		return Objective{}, fmt.Errorf("build objective: loss.kind %q with candidates %q cannot be trained yet", cfg.Loss.Kind, cfg.Loss.Candidates)
	}
	return Objective{Scale: cfg.Loss.Scale, Regularizer: cfg.Regularizer.Kind}, nil
}

// Components are the scalar parts of the objective, as graph nodes.
type Components struct {
	Contrastive               *Node
	RegQuery, RegDocument     *Node // weighted by λ
	FlopsQuery, FlopsDocument *Node // unweighted, whatever the regularizer
	L1Query, L1Document       *Node // unweighted; nil but for "l1"
	Scores                    *Node // [queries, candidates], scaled
}

// Total is the sum that is differentiated.
func (c Components) Total() *Node { return Add(Add(c.Contrastive, c.RegQuery), c.RegDocument) }

// Build returns the components for queries [batch, vocab] and candidates
// [batch·n, vocab]: rows 0 to batch−1 are the queries' positives, in order. λ are scalars.
func (o Objective) Build(queries, documents, lambdaQuery, lambdaDocument *Node) Components {
	var c Components
	c.Scores = MulScalar(DotGeneral(queries, []int{1}, nil, documents, []int{1}, nil), o.Scale)
	c.Contrastive = InfoNCE(c.Scores)
	c.FlopsQuery, c.FlopsDocument = FLOPS(queries), FLOPS(documents)
	zero := ScalarZero(queries.Graph(), dtypes.Float32)
	switch o.Regularizer {
	case "flops":
		c.RegQuery, c.RegDocument = Mul(lambdaQuery, c.FlopsQuery), Mul(lambdaDocument, c.FlopsDocument)
	case "l1":
		c.L1Query, c.L1Document = L1(queries), L1(documents)
		c.RegQuery, c.RegDocument = Mul(lambdaQuery, c.L1Query), Mul(lambdaDocument, c.L1Document)
	case "none":
		c.RegQuery, c.RegDocument = zero, zero
	default:
		panic(fmt.Errorf("build objective: regularizer %q is unknown", o.Regularizer))
	}
	return c
}

// InfoNCE is the mean cross-entropy of scores [batch, candidates] where query
// i's positive is candidate i. Chance level is ln(candidates).
func InfoNCE(scores *Node) *Node {
	batch, candidates := scores.Shape().Dimensions[0], scores.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, candidates)
	own := ConvertDType(Equal(Iota(scores.Graph(), shape, 0), Iota(scores.Graph(), shape, 1)), scores.DType())
	return Neg(MulScalar(ReduceAllSum(Mul(own, LogSoftmax(scores, -1))), 1/float64(batch)))
}

// FLOPS is Σ_j (mean_i x_ij)² of x [texts, vocab].
func FLOPS(x *Node) *Node { return ReduceAllSum(Square(ReduceMean(x, 0))) }

// L1 is mean_i Σ_j |x_ij| of x [texts, vocab].
func L1(x *Node) *Node { return ReduceAllMean(ReduceSum(Abs(x), -1)) }
