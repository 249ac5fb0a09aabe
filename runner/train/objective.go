package train

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/data/loader"
	"headroom/sweeps"
)

// Objective is what a run minimizes: exactly the sum of its components.
type Objective struct {
	Loss        string  // "infonce", "margin_mse", "kl"
	Scale       float64 // multiplies scores before the loss
	Own         bool    // InfoNCE: of hard negatives only the query's own are its candidates
	Temperature float64 // of KL
	Regularizer string  // "flops", "l1", "none"
	Averaged    bool    // the regularizer of positives and that of negatives are averaged
}

// NewObjective takes the objective that a configuration lists.
func NewObjective(cfg sweeps.RunConfig) (Objective, error) {
	o := Objective{
		Loss: cfg.Loss.Kind, Scale: cfg.Loss.Scale, Own: cfg.Loss.Candidates == "in_batch_and_own", Temperature: cfg.Loss.Temperature,
		Regularizer: cfg.Regularizer.Kind, Averaged: cfg.Regularizer.Negatives == "averaged",
	}
	switch {
	case o.Loss != "infonce" && o.Loss != "margin_mse" && o.Loss != "kl":
		return o, fmt.Errorf("build objective: loss.kind %q is unknown: infonce, margin_mse, kl are allowed", o.Loss)
	case o.Regularizer != "flops" && o.Regularizer != "l1" && o.Regularizer != "none":
		return o, fmt.Errorf("build objective: regularizer.kind %q is unknown: flops, l1, none are allowed", o.Regularizer)
	}
	return o, nil
}

// Name is the component's series: "loss/contrastive", "loss/margin_mse", "loss/kl".
func (o Objective) Name() string {
	if o.Loss == "infonce" {
		return "loss/contrastive"
	}
	return "loss/" + o.Loss
}

// Teacher says whether the loss compares with a teacher's scores.
func (o Objective) Teacher() bool { return o.Loss != "infonce" }

// Candidates is the number of documents that each query is scored against, with
// the given number of documents a query (its positive and hard negatives).
func (o Objective) Candidates(batch, columns int) int {
	switch {
	case o.Teacher():
		return columns
	case o.Own:
		return batch + columns - 1
	}
	return batch * columns
}

// Positive is the column of the scores that is query i's positive.
func (o Objective) Positive(i int) int {
	if o.Teacher() {
		return 0
	}
	return i
}

// Check refuses a batch that the objective cannot be computed on.
func (o Objective) Check(b loader.Batch) error {
	queries, documents := len(b.Queries), len(b.Documents)
	if queries == 0 || documents == 0 || documents%queries != 0 {
		return fmt.Errorf("%d documents for %d queries: every query needs the same number, at least its positive", documents, queries)
	}
	if !o.Teacher() {
		return nil
	}
	if b.Columns() < 2 {
		return fmt.Errorf("loss %q compares documents of one query: data.negatives must be at least 1", o.Loss)
	}
	if len(b.Scores) != documents {
		return fmt.Errorf("loss %q needs a teacher's score for each of the %d documents; the batch has %d", o.Loss, documents, len(b.Scores))
	}
	return nil
}

// Components are the scalar parts of the objective, as graph nodes.
type Components struct {
	Ranking                   *Node
	RegQuery, RegDocument     *Node // weighted by λ
	FlopsQuery, FlopsDocument *Node // unweighted, whatever the regularizer
	L1Query, L1Document       *Node // unweighted; nil but for "l1"
	Scores                    *Node // [queries, candidates], scaled
}

// Names are the series of a run's components, in the order of Components.Scalars.
func (o Objective) Names() []string {
	names := []string{o.Name(), "loss/reg_query", "loss/reg_document", "flops/query", "flops/document"}
	if o.Regularizer == "l1" {
		names = append(names, "l1/query", "l1/document")
	}
	return names
}

// Weighted is how many of Names, from the first on, sum to the loss.
const Weighted = 3

// Scalars are the components that are recorded.
func (c Components) Scalars() []*Node {
	list := []*Node{c.Ranking, c.RegQuery, c.RegDocument, c.FlopsQuery, c.FlopsDocument}
	if c.L1Query != nil {
		list = append(list, c.L1Query, c.L1Document)
	}
	return list
}

// Total is the sum that is differentiated.
func (c Components) Total() *Node { return Add(Add(c.Ranking, c.RegQuery), c.RegDocument) }

// Build returns the components for term weights of queries [batch, vocab] and of
// documents [columns·batch, vocab]: rows 0 to batch−1 are the queries' positives in
// order, the next batch rows their first hard negatives, and so on. The teacher's
// scores [batch, columns] are nil unless the loss is a distillation. λ are scalars.
func (o Objective) Build(queries, documents, teacher, lambdaQuery, lambdaDocument *Node) Components {
	var c Components
	switch o.Loss {
	case "infonce":
		c.Scores = MulScalar(o.candidates(queries, documents), o.Scale)
		c.Ranking = InfoNCE(c.Scores)
	case "margin_mse":
		c.Scores = MulScalar(ownScores(queries, documents), o.Scale)
		c.Ranking = MarginMSE(c.Scores, teacher)
	case "kl":
		c.Scores = MulScalar(ownScores(queries, documents), o.Scale)
		c.Ranking = KL(c.Scores, teacher, o.Temperature)
	default:
		panic(fmt.Errorf("build objective: loss %q is unknown", o.Loss))
	}
	batch := queries.Shape().Dimensions[0]
	c.FlopsQuery, c.FlopsDocument = FLOPS(queries), o.documents(FLOPS, documents, batch)
	zero := ScalarZero(queries.Graph(), dtypes.Float32)
	switch o.Regularizer {
	case "flops":
		c.RegQuery, c.RegDocument = Mul(lambdaQuery, c.FlopsQuery), Mul(lambdaDocument, c.FlopsDocument)
	case "l1":
		c.L1Query, c.L1Document = L1(queries), o.documents(L1, documents, batch)
		c.RegQuery, c.RegDocument = Mul(lambdaQuery, c.L1Query), Mul(lambdaDocument, c.L1Document)
	case "none":
		c.RegQuery, c.RegDocument = zero, zero
	default:
		panic(fmt.Errorf("build objective: regularizer %q is unknown", o.Regularizer))
	}
	return c
}

// documents applies a regularizer to all documents together as sentence-transformers
// does, or averages that of the positives and that of the negatives as naver does.
func (o Objective) documents(regularizer func(*Node) *Node, documents *Node, batch int) *Node {
	if !o.Averaged || documents.Shape().Dimensions[0] == batch {
		return regularizer(documents)
	}
	positives, negatives := Slice(documents, AxisRange(0, batch)), Slice(documents, AxisRange(batch))
	return MulScalar(Add(regularizer(positives), regularizer(negatives)), .5)
}

// candidates are the unscaled scores over which InfoNCE normalizes: every document
// of the batch, or the batch's positives followed by the query's own negatives.
func (o Objective) candidates(queries, documents *Node) *Node {
	batch := queries.Shape().Dimensions[0]
	if !o.Own || documents.Shape().Dimensions[0] == batch {
		return dots(queries, documents)
	}
	own := ownScores(queries, documents)
	return Concatenate([]*Node{dots(queries, Slice(documents, AxisRange(0, batch))), Slice(own, AxisRange(), AxisRange(1))}, 1)
}

func dots(queries, documents *Node) *Node {
	return DotGeneral(queries, []int{1}, nil, documents, []int{1}, nil)
}
