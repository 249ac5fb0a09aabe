package ir

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"headroom/data/trec"
)

// ErrNoQueries is returned when the qrels judge no query, so that there is nothing to take a mean over.
var ErrNoQueries = errors.New("the qrels hold no query")

// ErrNoMeasures is returned when no measure is asked for.
var ErrNoMeasures = errors.New("no measure is asked for")

// Result holds the values of every query of the qrels.
type Result struct {
	Measures []Measure
	Queries  []string    // every query of the qrels, in byte order
	PerQuery [][]float64 // [query][measure]
	Mean     []float64   // [measure], over all Queries
}

// Evaluate measures a run against the qrels. Queries of the run that the qrels do not hold are left out, as
// trec_eval leaves them out. A document twice in one query is an error. Neither argument is changed.
func Evaluate(qrels trec.Qrels, run trec.Run, measures []Measure) (*Result, error) {
	if len(qrels) == 0 {
		return nil, fmt.Errorf("evaluate run: %w", ErrNoQueries)
	}
	if len(measures) == 0 {
		return nil, fmt.Errorf("evaluate run: %w", ErrNoMeasures)
	}
	for _, measure := range measures {
		if err := measure.check(); err != nil {
			return nil, err
		}
	}
	result := &Result{
		Measures: slices.Clone(measures),
		Queries:  qrels.Queries(),
		PerQuery: make([][]float64, 0, len(qrels)),
		Mean:     make([]float64, len(measures)),
	}
	for _, query := range result.Queries {
		judged, err := judge(query, qrels[query], run[query])
		if err != nil {
			return nil, err
		}
		values := make([]float64, len(measures))
		for i, measure := range measures {
			values[i] = measure.value(judged)
			if math.IsNaN(values[i]) { // only an exponential gain can overflow
				return nil, fmt.Errorf("evaluate query %q: %s: the gain 2^%d is not a number", query, measure, judged.ideal[0])
			}
			result.Mean[i] += values[i]
		}
		result.PerQuery = append(result.PerQuery, values)
	}
	for i := range result.Mean {
		result.Mean[i] /= float64(len(result.Queries))
	}
	return result, nil
}

func (m Measure) check() error {
	for _, shape := range forms() {
		if shape.kind != m.Kind {
			continue
		}
		if m.Rel < 1 || m.Cutoff < 0 || (shape.cutoff && m.Cutoff == 0) {
			return fmt.Errorf("evaluate measure %s with rel %d and cut-off %d: %s", m, m.Rel, m.Cutoff, allowed)
		}
		return nil
	}
	return fmt.Errorf("evaluate measure %s: %s", m, allowed)
}

// judgedRanking is one query as the measures see it.
type judgedRanking struct {
	grades []int // of the ranked documents; 0 where unjudged or negative
	ideal  []int // every positive grade of the query, falling
}

func judge(query string, grades map[string]int, found []trec.Scored) (judgedRanking, error) {
	ranked := slices.Clone(found)
	trec.Rank(ranked)
	seen := make(map[string]struct{}, len(ranked))
	judged := judgedRanking{grades: make([]int, len(ranked))}
	for i, hit := range ranked {
		if _, twice := seen[hit.Doc]; twice {
			return judged, fmt.Errorf("evaluate query %q: document %q is twice in the run", query, hit.Doc)
		}
		seen[hit.Doc] = struct{}{}
		if math.IsNaN(hit.Score) {
			return judged, fmt.Errorf("evaluate query %q: document %q has the score NaN, which has no rank", query, hit.Doc)
		}
		judged.grades[i] = max(0, grades[hit.Doc])
	}
	for _, grade := range grades {
		if grade > 0 {
			judged.ideal = append(judged.ideal, grade)
		}
	}
	slices.Sort(judged.ideal)
	slices.Reverse(judged.ideal)
	return judged, nil
}

// value computes the measure for one query; 0 where the query has no relevant document.
func (m Measure) value(judged judgedRanking) float64 {
	ranked := judged.grades
	if m.Cutoff > 0 && m.Cutoff < len(ranked) {
		ranked = ranked[:m.Cutoff]
	}
	switch m.Kind {
	case NDCG:
		return m.ndcg(ranked, judged.ideal)
	case AP:
		return averagePrecision(ranked, m.Rel, relevant(judged.ideal, m.Rel))
	case Precision:
		// Ranks that the run left empty count as not relevant: the divisor is the cut-off.
		return float64(relevant(ranked, m.Rel)) / float64(m.Cutoff)
	case Recall:
		if all := relevant(judged.ideal, m.Rel); all > 0 {
			return float64(relevant(ranked, m.Rel)) / float64(all)
		}
		return 0
	case RR:
		for i, grade := range ranked {
			if grade >= m.Rel {
				return 1 / float64(i+1)
			}
		}
		return 0
	case Success:
		if relevant(ranked, m.Rel) > 0 {
			return 1
		}
		return 0
	}
	return math.NaN() // check let no other kind in
}

func relevant(grades []int, rel int) int {
	n := 0
	for _, grade := range grades {
		if grade >= rel {
			n++
		}
	}
	return n
}

func averagePrecision(ranked []int, rel, all int) float64 {
	if all == 0 {
		return 0
	}
	sum, found := 0.0, 0
	for i, grade := range ranked {
		if grade >= rel {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(all)
}

// ndcg divides by the best order of all judged documents, not of the returned ones.
func (m Measure) ndcg(ranked, ideal []int) float64 {
	if m.Cutoff > 0 && m.Cutoff < len(ideal) {
		ideal = ideal[:m.Cutoff]
	}
	best := m.dcg(ideal)
	if best == 0 {
		return 0
	}
	return m.dcg(ranked) / best
}

func (m Measure) dcg(grades []int) float64 {
	sum := 0.0
	for i, grade := range grades {
		if grade > 0 {
			gain := float64(grade)
			if m.Exponential {
				gain = math.Exp2(gain) - 1
			}
			sum += gain / math.Log2(float64(i+2))
		}
	}
	return sum
}
