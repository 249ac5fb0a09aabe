package compare

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"headroom/metrics/stats"
)

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

func armMean(a stats.Arm) float64 {
	var sum float64
	for _, row := range a.Values {
		sum += stats.Mean(row)
	}
	return sum / float64(len(a.Values))
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
