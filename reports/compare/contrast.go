package compare

import (
	"fmt"
	"math"
	"sort"

	"headroom/metrics/stats"
)

// Kind says what a contrast compares.
type Kind string

const (
	BestNatural      Kind = "best k minus k = 1"
	BestBM25         Kind = "best k minus BM25"
	BestUntrained    Kind = "best k minus untrained"
	NaturalBM25      Kind = "k = 1 minus BM25"
	NaturalUntrained Kind = "k = 1 minus untrained"
	HealthyBM25      Kind = "other k, healthy seeds, minus BM25"
	BetweenLines     Kind = "between backbones at their best k"
)

// SeedDifference is a contrast within one seed.
type SeedDifference struct {
	Seed  int64
	Value float64
}

// Contrast is a difference A - B of one measure on one collection. Higher is
// better for every measure, so a positive difference speaks for A.
type Contrast struct {
	Kind             Kind
	Line             *Line
	Dataset, Measure string
	A, B             string // as a table names them
	// Mean is over all finished seeds, collapsed ones included.
	Mean float64
	// Interval is NaN on both ends where nothing can be resampled.
	Interval stats.Interval
	// PerSeed has one value a seed, by seed.
	PerSeed []SeedDifference
	Queries int
	// P is the paired randomization test's over queries (seeds averaged), Adjusted
	// after Holm over all contrasts of the report; NaN where it was not made.
	P, Adjusted float64
	Notes       []string
}

// Verdict is "above", "below", or "~" where the interval gives no evidence.
func (c *Contrast) Verdict() string {
	switch {
	case !c.Interval.Excludes(0):
		return "~"
	case c.Mean > 0:
		return "above"
	}
	return "below"
}

// Least is the smallest per-seed difference.
func (c *Contrast) Least() float64 {
	least := math.NaN()
	for _, s := range c.PerSeed {
		if !(s.Value >= least) {
			least = s.Value
		}
	}
	return least
}

// side is one arm of a contrast: a run per seed, or one baseline for all seeds.
type side struct {
	name  string
	runs  []*Run
	fixed *Evaluation
}

func (s side) evaluation(seed int64, dataset string) *Evaluation {
	if s.fixed != nil {
		return s.fixed
	}
	for _, r := range s.runs {
		if r.Seed == seed {
			return r.Evaluation(dataset, "")
		}
	}
	return nil
}

func (s side) collapsed() int {
	n := 0
	for _, r := range s.runs {
		if r.Collapsed() {
			n++
		}
	}
	return n
}

// contrast compares two sides over the seeds that both have. It is nil where
// there is nothing to compare.
func contrast(kind Kind, line *Line, dataset, measure string, a, b side, r stats.Resampling) (*Contrast, error) {
	c := &Contrast{Kind: kind, Line: line, Dataset: dataset, Measure: measure, A: a.name, B: b.name,
		Interval: stats.Interval{Low: math.NaN(), High: math.NaN(), Level: r.Level}, P: math.NaN(), Adjusted: math.NaN()}
	type pair struct{ a, b *Evaluation }
	var pairs []pair
	var values []float64
	for _, run := range a.runs {
		ea, eb := a.evaluation(run.Seed, dataset), b.evaluation(run.Seed, dataset)
		d := ea.value(measure) - eb.value(measure)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		pairs = append(pairs, pair{ea, eb})
		values = append(values, d)
		c.PerSeed = append(c.PerSeed, SeedDifference{Seed: run.Seed, Value: d})
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	c.Mean = stats.Mean(values)
	if n := a.collapsed() + b.collapsed(); n > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("includes %s, which the means of the main table leave out", count(n, "collapsed run")))
	}

	for _, p := range pairs {
		if p.a.QrelsDigest != p.b.QrelsDigest && p.a.QrelsDigest != "" && p.b.QrelsDigest != "" {
			c.Notes = append(c.Notes, "the two sides were judged by different qrels")
			break
		}
	}

	// The queries that every evaluation answered, in one order.
	var answers []map[string]float64
	for _, p := range pairs {
		answers = append(answers, p.a.PerQuery[measure], p.b.PerQuery[measure])
	}
	queries, dropped := common(answers)
	if len(queries) == 0 {
		if interval, err := stats.TInterval(values, r.Level); err == nil {
			c.Interval = interval
			c.Notes = append(c.Notes, "no per-query values: Student's t over seeds alone")
		} else {
			c.Notes = append(c.Notes, "no per-query values and one seed: no interval")
		}
		return c, nil
	}
	if dropped > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%s left out of the interval: not every run answered them", count(dropped, "query value")))
	}
	c.Queries = len(queries)
	differences := make([][]float64, len(pairs))
	mean := make([]float64, len(queries))
	for i, p := range pairs {
		for q, query := range queries {
			d := p.a.PerQuery[measure][query] - p.b.PerQuery[measure][query]
			differences[i] = append(differences[i], d)
			mean[q] += d / float64(len(pairs))
		}
	}
	estimate, err := stats.Hierarchical(differences, r)
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s on %s: %w", a.name, b.name, dataset, err)
	}
	c.Interval = estimate.Interval
	if c.P, err = stats.Randomization(mean, r); err != nil {
		return nil, fmt.Errorf("compare %s with %s on %s: %w", a.name, b.name, dataset, err)
	}
	// A difference within the noise of training is not a finding, however many
	// queries say it.
	if s := stats.Summarize(values); s.N > 1 && math.Abs(c.Mean) < s.SD {
		c.Notes = append(c.Notes, fmt.Sprintf("smaller than the seeds' own spread (sd %.3f)", s.SD))
	}
	return c, nil
}

// common lists the queries that stand in all answers, sorted, and how many stand
// in some only. An answer without per-query values leaves none.
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

// contrasts makes every comparison of the report and adjusts their p values as
// one family.
func (c *Comparison) contrasts(r stats.Resampling) error {
	add := func(kind Kind, line *Line, dataset string, a, b side) error {
		made, err := contrast(kind, line, dataset, c.Measure, a, b, r)
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
			atBest := side{name: line.Name() + " k=" + best.Text, runs: best.Runs}
			bm25 := side{name: "BM25", fixed: c.Baseline("bm25", "", dataset, nil)}
			untrained := side{name: "untrained", fixed: c.Baseline("untrained", line.Backbone, dataset, line.Encoding())}
			var atOne side
			if natural != nil && natural != best {
				atOne = side{name: line.Name() + " k=1", runs: natural.Runs}
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
					other := side{name: line.Name() + " k=" + p.Text, runs: p.Healthy()}
					if p == best || p == natural || len(other.runs) == 0 {
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
				if a.Best == nil || b.Best == nil {
					continue
				}
				if err := add(BetweenLines, a, dataset,
					side{name: a.Name() + " k=" + a.Best.Text, runs: a.Best.Runs},
					side{name: b.Name() + " k=" + b.Best.Text, runs: b.Best.Runs}); err != nil {
					return err
				}
			}
		}
	}
	p := make([]float64, len(c.Contrasts))
	for i, made := range c.Contrasts {
		p[i] = made.P
	}
	for i, v := range stats.Holm(p) {
		c.Contrasts[i].Adjusted = v
	}
	return nil
}

// Contrast finds a comparison, nil where it was not made.
func (c *Comparison) Contrast(kind Kind, line *Line, dataset string) *Contrast {
	for _, made := range c.Contrasts {
		if made.Kind == kind && made.Line == line && made.Dataset == dataset {
			return made
		}
	}
	return nil
}
