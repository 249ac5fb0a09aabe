package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"headroom/metrics/stats"
	"headroom/sweeps"
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

// side is one arm of a contrast: runs, or a baseline.
type side struct {
	name  string
	runs  []*Run
	fixed *Evaluation
}

func (s side) healthy() []*Run {
	return slices.DeleteFunc(slices.Clone(s.runs), (*Run).Collapsed)
}

func (s side) collapses() Collapses {
	n := len(s.runs) - len(s.healthy())
	return Collapses{N: n, Of: len(s.runs), Share: stats.Binomial(n, len(s.runs), Level)}
}

// evaluations returns the evaluations of the arm's healthy runs on a collection that have the measure.
func (s side) evaluations(dataset, measure string) []*Evaluation {
	if s.fixed != nil {
		return []*Evaluation{s.fixed}
	}
	var out []*Evaluation
	for _, r := range s.healthy() {
		if e := r.Evaluation(dataset, ""); !math.IsNaN(e.value(measure)) {
			out = append(out, e)
		}
	}
	return out
}

// ids returns the ids of the arm's evaluations on a collection.
func (s side) ids(dataset, measure string) []string {
	var out []string
	for _, e := range s.evaluations(dataset, measure) {
		out = append(out, e.ID)
	}
	return out
}

// seedVariances are the points' variances between seeds on a collection, if two
// healthy seeds or more have values.
type seedVariances map[*Point]stats.Variance

func (c *Comparison) seedVariances(dataset string) seedVariances {
	out := seedVariances{}
	for _, line := range c.Lines {
		for _, p := range line.Points {
			made, _, _ := lineUp(c.Measure, side{runs: p.Runs}.evaluations(dataset, c.Measure))
			if v := stats.SeedVariance(made[0]); v.DF > 0 {
				out[p] = v
			}
		}
	}
	return out
}

// pooledWithout pools the variances of all points except those of the given runs.
func (v seedVariances) pooledWithout(runs ...*Run) stats.Variance {
	var others []stats.Variance
	for p, variance := range v {
		if !slices.ContainsFunc(p.Runs, func(r *Run) bool { return slices.Contains(runs, r) }) {
			others = append(others, variance)
		}
	}
	// Always in the same order, so that the sum has the same bits every time.
	slices.SortFunc(others, func(a, b stats.Variance) int { return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.DF, b.DF)) })
	return stats.PoolVariances(others)
}

// lineUp makes arms of the evaluations' values per query, for the queries that all of them
// answered; dropped counts the queries that only some answered.
func lineUp(measure string, groups ...[]*Evaluation) (made []stats.Arm, queries []string, dropped int) {
	var answers []map[string]float64
	for _, group := range groups {
		for _, e := range group {
			answers = append(answers, e.PerQuery[measure])
		}
	}
	queries, dropped = common(answers)
	made = make([]stats.Arm, len(groups))
	for i, group := range groups {
		for _, e := range group {
			row := make([]float64, len(queries))
			for q, query := range queries {
				row[q] = e.PerQuery[measure][query]
			}
			made[i].Values = append(made[i].Values, row)
		}
	}
	return made, queries, dropped
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
				arm.N, count(arm.Of, "run"), arm.name, percents(arm.Share)))
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
		out.Notes = append(out.Notes, fmt.Sprintf("%s left out of the interval: not every run answered them", count(dropped, "query value")))
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

func armMean(a stats.Arm) float64 {
	var sum float64
	for _, row := range a.Values {
		sum += stats.Mean(row)
	}
	return sum / float64(len(a.Values))
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

// common lists the queries that are in all answers, sorted, and counts those that are
// in some only. If an answer has no values per query, there are none.
func common(answers []map[string]float64) (queries []string, dropped int) {
	seen := map[string]int{}
	for _, values := range answers {
		for q := range values {
			seen[q]++
		}
	}
	for q, n := range seen {
		if n == len(answers) {
			queries = append(queries, q)
		} else {
			dropped++
		}
	}
	sort.Strings(queries)
	return queries, dropped
}

// contrasts makes every comparison of the report. The tests of each question of the sweep are a
// family: the best k against k = 1, the backbones and settings against each other, and all
// against the baselines.
func (c *Comparison) contrasts() error {
	variances := map[string]seedVariances{}
	for _, dataset := range c.Datasets {
		variances[dataset] = c.seedVariances(dataset)
	}
	add := func(kind Kind, line *Line, dataset string, a, b side) error {
		made, err := c.contrast(kind, line, dataset, a, b, variances[dataset])
		if err != nil {
			return err
		}
		if made != nil {
			c.Contrasts = append(c.Contrasts, made)
		}
		return nil
	}
	for _, dataset := range c.Datasets {
		for _, line := range c.Lines {
			best, natural := line.Best, line.At(1)
			if best == nil {
				continue
			}
			atBest := side{name: line.nameAt(best.Text), runs: best.Runs}
			bm25 := side{name: "BM25", fixed: c.Baseline(sweeps.BM25, "", dataset, nil)}
			untrained := side{name: "untrained", fixed: c.Baseline(sweeps.Untrained, line.Backbone, dataset, line.Encoding())}
			var atOne side
			if natural != nil && natural != best {
				atOne = side{name: line.nameAt(KText(1)), runs: natural.Runs}
				if err := add(BestNatural, line, dataset, atBest, atOne); err != nil {
					return err
				}
			}
			for _, pair := range []struct {
				kind Kind
				a, b side
			}{{BestBM25, atBest, bm25}, {BestUntrained, atBest, untrained}, {NaturalBM25, atOne, bm25}, {NaturalUntrained, atOne, untrained}} {
				if len(pair.a.runs) == 0 || pair.b.fixed == nil {
					continue
				}
				if err := add(pair.kind, line, dataset, pair.a, pair.b); err != nil {
					return err
				}
			}
			if dataset == c.Datasets[0] && bm25.fixed != nil {
				for _, p := range line.Points {
					other := side{name: line.nameAt(p.Text), runs: p.Runs}
					if p == best || p == natural || len(p.Healthy()) == 0 {
						continue
					}
					if err := add(HealthyBM25, line, dataset, other, bm25); err != nil {
						return err
					}
				}
			}
		}
		for i, a := range c.Lines {
			for _, b := range c.Lines[i+1:] {
				if a.Best == nil || b.Best == nil || a.differs(b) != 1 {
					continue
				}
				if err := add(BetweenLines, a, dataset,
					side{name: a.nameAt(a.Best.Text), runs: a.Best.Runs},
					side{name: b.nameAt(b.Best.Text), runs: b.Best.Runs}); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range []family{factors, settings, baselines} {
		adjust(c.Contrasts, func(made *Contrast) bool { return made.Kind.family() == f })
	}
	return nil
}

// family is a question, and the contrasts that answer it.
type family int

const (
	factors family = iota
	settings
	baselines
)

func (k Kind) family() family {
	switch k {
	case BestNatural:
		return factors
	case BetweenLines:
		return settings
	}
	return baselines
}

// differs counts the quantities, backbone and axes, in which two lines differ. A comparison of
// lines that differ in two quantities shows nothing about either.
func (l *Line) differs(other *Line) int {
	n := oneIf(l.Backbone != other.Backbone)
	for i := range l.Axes {
		n += oneIf(l.Axes[i].Value != other.Axes[i].Value)
	}
	return n
}

// adjust corrects the p values of one family. Contrasts that are not about settings (Claims) are not in it.
func adjust(contrasts []*Contrast, member func(*Contrast) bool) {
	var family []*Contrast
	var p []float64
	for _, c := range contrasts {
		if member(c) && c.Claims() {
			family, p = append(family, c), append(p, c.P)
		}
	}
	for i, v := range stats.Holm(p) {
		family[i].Adjusted = v
	}
}

// Contrast finds a comparison, nil if it was not made.
func (c *Comparison) Contrast(kind Kind, line *Line, dataset string) *Contrast {
	for _, made := range c.Contrasts {
		if made.Kind == kind && made.Line == line && made.Dataset == dataset {
			return made
		}
	}
	return nil
}
