package compare

import (
	"fmt"
	"slices"

	"headroom/internal/nouns"
	"headroom/metrics/stats"
)

// Kind is the kind of a contrast.
type Kind string

const (
	BestNatural      Kind = "best k minus k = 1"
	BestBM25         Kind = "best k minus BM25"
	BestUntrained    Kind = "best k minus untrained"
	NaturalBM25      Kind = "k = 1 minus BM25"
	NaturalUntrained Kind = "k = 1 minus untrained"
	HealthyBM25      Kind = "other k minus BM25"
	BetweenLines     Kind = "between backbones at their best k"
)

// Level is the level of every interval; 1 − Level is the level of every test.
const Level = 0.95

// Collapses counts the runs of an arm that ended collapsed.
type Collapses struct {
	N, Of int
	// Share is the exact interval of the chance that a seed collapses.
	Share stats.Interval
}

// Contrast is a difference A − B of one measure on one collection, over the runs that did not
// collapse. Collapsed runs are counted and never averaged in. Higher is better for every
// measure, so a positive difference is in favour of A.
type Contrast struct {
	Kind             Kind
	Line             *Line
	Dataset, Measure string
	A, B             string // as a table names them
	// Difference has NaN in all figures if every run of an arm collapsed, or an arm has no
	// values per query.
	stats.Difference
	// MeanA and MeanB are the arms' means over the queries that both answered.
	MeanA, MeanB float64
	// Adjusted is P corrected by Holm over the contrasts of its family; NaN if there was no
	// test, or if the test is not about settings (Claims).
	Adjusted               float64
	CollapsedA, CollapsedB Collapses
	Notes                  []string
	// EvaluationsA and EvaluationsB are the ids of the evaluations with the arms' values; at
	// equal cost, those of all λ with which the arm was trained.
	EvaluationsA, EvaluationsB []string
}

// Verdict is the result of the comparison of A with B.
type Verdict string

// The verdicts.
const (
	Above      Verdict = "above"
	Below      Verdict = "below"
	NoEvidence Verdict = "~"
)

// Verdict is Above or Below if interval and corrected test agree. One seed is never
// evidence about a setting.
func (c *Contrast) Verdict() Verdict {
	switch {
	case !c.Claims(), !c.Interval.Excludes(0), !(c.Adjusted <= 1-Level):
		return NoEvidence
	case c.Mean > 0:
		return Above
	}
	return Below
}

// Claims reports whether the test is about settings, and not only about the trained models:
// each trained arm has two seeds or more.
func (c *Contrast) Claims() bool {
	return c.Testable() && c.SeedsA != 1 && c.SeedsB != 1
}

// contrast compares two sides. It is nil if neither has anything to compare.
func (c *Comparison) contrast(kind Kind, line *Line, dataset string, a, b side, seeds seedVariances) (*Contrast, error) {
	blank := c.blankContrast(dataset, a, b)
	out := &blank
	out.Kind, out.Line = kind, line
	for _, arm := range []struct {
		side
		Collapses
	}{{a, out.CollapsedA}, {b, out.CollapsedB}} {
		if arm.N > 0 {
			out.Notes = append(out.Notes, fmt.Sprintf("%d of %s of %s collapsed (a seed's chance: %s); the difference is between those that did not",
				arm.N, nouns.Count(arm.Of, "run"), arm.name, percents(arm.Share)))
		}
	}
	as, bs := a.evaluations(dataset, c.Measure), b.evaluations(dataset, c.Measure)
	if len(as) == 0 || len(bs) == 0 {
		if out.CollapsedA.N+out.CollapsedB.N == 0 {
			return nil, nil // not measured
		}
		return out, nil
	}
	for _, e := range append(slices.Clone(as), bs...) {
		if e.QrelsDigest != as[0].QrelsDigest && e.QrelsDigest != "" && as[0].QrelsDigest != "" {
			out.Notes = append(out.Notes, "the two sides were judged by different qrels")
			break
		}
	}
	made, queries, dropped := lineUp(c.Measure, as, bs)
	if len(queries) == 0 {
		out.Notes = append(out.Notes, "no values per query: no test")
		return out, nil
	}
	if dropped > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s left out of the interval: not every run answered them", nouns.Count(dropped, "query value")))
	}
	made[0].Fixed, made[1].Fixed = a.fixed != nil, b.fixed != nil
	var err error
	if out.Difference, err = stats.Compare(made[0], made[1], seeds.pooledWithout(append(slices.Clone(a.runs), b.runs...)...), Level); err != nil {
		return nil, fmt.Errorf("compare %s with %s on %s: %w", a.name, b.name, dataset, err)
	}
	out.MeanA, out.MeanB = armMean(made[0]), armMean(made[1])
	out.Notes = append(out.Notes, out.basis()...)
	return out, nil
}

// basis names the limits of the test.
func (c *Contrast) basis() []string {
	switch {
	case !c.Testable():
		return []string{fmt.Sprintf("too few queries differ for a test (%d of %d; at least %d of %d are needed)", c.Differ, c.Queries, stats.LeastDiffer, stats.LeastQueries)}
	case !c.Claims():
		return []string{"one seed: said of these models, not of their settings"}
	}
	return nil
}

func percents(i stats.Interval) string {
	return fmt.Sprintf("%.0f to %.0f %%", 100*i.Low, 100*i.High)
}
