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
	loss        sweeps.Loss
	settings    sweeps.LossConfig
	regularizer sweeps.RegularizerConfig
	own         bool // InfoNCE: the only hard negatives among a query's candidates are its own
	averaged    bool // the regularizer of positives and that of negatives are averaged
}

// NewObjective returns the objective of a configuration. An unknown kind of loss or
// regularizer is an error.
func NewObjective(cfg sweeps.RunConfig) (Objective, error) {
	o := Objective{
		settings: cfg.Loss, regularizer: cfg.Regularizer,
		own: cfg.Loss.Candidates == "in_batch_and_own", averaged: cfg.Regularizer.Negatives == "averaged",
	}
	var err error
	if o.loss, err = sweeps.LossOf(cfg.Loss.Kind); err != nil {
		return o, fmt.Errorf("build objective: %w", err)
	}
	if _, err = sweeps.RegularizerOf(cfg.Regularizer.Kind); err != nil {
		return o, fmt.Errorf("build objective: %w", err)
	}
	return o, nil
}

// Teacher reports whether the loss compares scores with those of a teacher.
func (o Objective) Teacher() bool { return o.loss.Teacher }

// Positive is the column of the scores that holds query i's positive.
func (o Objective) Positive(i int) int {
	if o.Teacher() {
		return 0
	}
	return i
}

// Check refuses a batch for which the objective cannot be computed.
func (o Objective) Check(b loader.Batch) error {
	queries, documents := len(b.Queries), len(b.Documents)
	if queries == 0 || documents == 0 || documents%queries != 0 {
		return fmt.Errorf("%d documents for %d queries: every query needs the same number, at least its positive", documents, queries)
	}
	if !o.Teacher() {
		return nil
	}
	if b.Columns() < 2 {
		return fmt.Errorf("loss %q compares documents of one query: data.negatives must be at least 1", o.loss.Kind)
	}
	if len(b.Scores) != documents {
		return fmt.Errorf("loss %q needs a teacher's score for each of the %d documents; the batch has %d", o.loss.Kind, documents, len(b.Scores))
	}
	return nil
}

// Components are the scalar parts of the objective, as graph nodes.
type Components struct {
	Weighted []*Node // the terms of the sum: ranking loss, regularizers times λ, further terms
	Recorded []*Node // unweighted quantities that are only recorded
	Scores   *Node   // [queries, candidates], scaled
}

// Total is the sum that is differentiated.
func (c Components) Total() *Node {
	total := c.Weighted[0]
	for _, part := range c.Weighted[1:] {
		total = Add(total, part)
	}
	return total
}

// Scalars returns all recorded components, the weighted ones first.
func (c Components) Scalars() []*Node {
	return append(c.Weighted[:len(c.Weighted):len(c.Weighted)], c.Recorded...)
}

// Names returns the names of a run's components, in the order of Components.Scalars. The
// first weighted of them sum to the loss.
func (o Objective) Names() (names []string, weighted int) {
	names = []string{o.settings.Series(), "loss/reg_query", "loss/reg_document"}
	if o.regularizer.AntiZero > 0 {
		names = append(names, "loss/anti_zero")
	}
	weighted = len(names)
	names = append(names, "flops/query", "flops/document")
	if series := o.regularizer.Series(); series != "" && series != "flops" {
		names = append(names, series+"/query", series+"/document")
	}
	return names, weighted
}

// Build returns the components for term weights of queries [batch, vocab] and of
// documents [columns·batch, vocab]: rows 0 to batch−1 are the queries' positives in
// order, the next batch rows their first hard negatives, and so on. The teacher's
// scores [batch, columns] are nil unless the loss is a distillation. λ are scalars.
func (o Objective) Build(queries, documents, teacher, lambdaQuery, lambdaDocument *Node) Components {
	var c Components
	var ranking *Node
	c.Scores, ranking = o.ranking(queries, documents, teacher)
	batch := queries.Shape().Dimensions[0]
	flops := []*Node{FLOPS(queries), o.documents(FLOPS, documents, batch)}
	penalties := o.penalties(queries, documents, flops)
	if penalties == nil {
		zero := ScalarZero(queries.Graph(), dtypes.Float32)
		c.Weighted = []*Node{ranking, zero, zero}
	} else {
		c.Weighted = []*Node{ranking, Mul(lambdaQuery, penalties[0]), Mul(lambdaDocument, penalties[1])}
	}
	if o.regularizer.AntiZero > 0 {
		c.Weighted = append(c.Weighted, MulScalar(AntiZero(queries, documents), o.regularizer.AntiZero))
	}
	c.Recorded = flops
	if series := o.regularizer.Series(); series != "" && series != "flops" {
		c.Recorded = append(flops, penalties...)
	}
	return c
}

// ranking builds the scores and the ranking loss.
func (o Objective) ranking(queries, documents, teacher *Node) (scores, loss *Node) {
	switch o.loss.Kind {
	case "infonce":
		unscaled := o.candidates(queries, documents)
		scores = MulScalar(unscaled, o.settings.Scale)
		if !o.settings.Hard() {
			return scores, InfoNCE(scores)
		}
		own := o.own && documents.Shape().Dimensions[0] > queries.Shape().Dimensions[0]
		return scores, InfoNCE(Add(scores, Hardness(unscaled, o.settings.Hardness, o.settings.HardnessStrength, own)))
	case "margin_mse":
		scores = MulScalar(ownScores(queries, documents), o.settings.Scale)
		return scores, MarginMSE(scores, teacher)
	case "kl":
		scores = MulScalar(ownScores(queries, documents), o.settings.Scale)
		return scores, KL(scores, teacher, o.settings.Temperature)
	}
	panic(fmt.Errorf("build objective: loss %q is unknown", o.loss.Kind))
}

// penalties returns the unweighted regularizers of queries and of documents, nil if there
// is none. flops are both sides' FLOPS.
func (o Objective) penalties(queries, documents *Node, flops []*Node) []*Node {
	r := o.regularizer
	batch := queries.Shape().Dimensions[0]
	both := func(query, document func(*Node) *Node) []*Node {
		return []*Node{query(queries), o.documents(document, documents, batch)}
	}
	switch r.Kind {
	case "flops":
		if !r.Masked() {
			return flops
		}
		masked := func(threshold int) func(*Node) *Node {
			return func(x *Node) *Node { return MaskedFLOPS(x, threshold) }
		}
		return both(masked(r.ThresholdQuery), masked(r.ThresholdDocument))
	case "l1":
		return both(L1, L1)
	case "df_flops":
		df := func(x *Node) *Node { return DFFLOPS(x, r.DFAlpha, r.DFBeta) }
		return both(df, df)
	case "none":
		return nil
	}
	panic(fmt.Errorf("build objective: regularizer %q is unknown", r.Kind))
}

// documents applies a regularizer to all documents together, like sentence-transformers,
// or averages its values for the positives and for the negatives, like naver/splade.
func (o Objective) documents(regularizer func(*Node) *Node, documents *Node, batch int) *Node {
	if !o.averaged || documents.Shape().Dimensions[0] == batch {
		return regularizer(documents)
	}
	positives, negatives := Slice(documents, AxisRange(0, batch)), Slice(documents, AxisRange(batch))
	return MulScalar(Add(regularizer(positives), regularizer(negatives)), .5)
}

// candidates returns the unscaled scores over which InfoNCE normalizes: those of every
// document of the batch, or of the batch's positives followed by the query's own negatives.
func (o Objective) candidates(queries, documents *Node) *Node {
	batch := queries.Shape().Dimensions[0]
	if !o.own || documents.Shape().Dimensions[0] == batch {
		return dots(queries, documents)
	}
	own := ownScores(queries, documents)
	return Concatenate([]*Node{dots(queries, Slice(documents, AxisRange(0, batch))), Slice(own, AxisRange(), AxisRange(1))}, 1)
}
