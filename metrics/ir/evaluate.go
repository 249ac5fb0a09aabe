// Package ir computes retrieval measures exactly as trec_eval does with -c, and those that trec_eval lacks as
// ir_measures' providers do. Package metrics/measure says how measures are written.
//
// The mean is over every query of the qrels: a query that the run does not answer counts as 0, and so does a
// query without any relevant document; Coverage says how many. A negative grade gains 0, as an unjudged document
// does. Rankings follow data/trec's rule. Everything is float64, added in trec_eval's order.
package ir

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"headroom/data/trec"
	"headroom/internal/parallel"
	"headroom/metrics/measure"
)

// ErrNoQueries is returned when the qrels judge no query, so that there is nothing to take a mean over.
var ErrNoQueries = errors.New("the qrels hold no query")

// ErrNoMeasures is returned when no measure is asked for.
var ErrNoMeasures = errors.New("no measure is asked for")

// ErrNothingInCommon is returned when the run has rows and none of them is of a judged query.
var ErrNothingInCommon = errors.New("qrels and run name no query in common")

// Result holds the values of every query of the qrels.
type Result struct {
	Measures []measure.Measure
	Queries  []string    // every query of the qrels, in byte order
	PerQuery [][]float64 // [query][measure]
	All      []float64   // [measure], over all Queries: the mean, or the sum of a measure that is Summed
	Coverage Coverage
}

// Evaluate measures a run against the qrels. Queries of the run that are not in the qrels are left out, as
// by trec_eval, and counted. A document twice in one query is an error. Neither argument is changed.
func Evaluate(qrels trec.Qrels, run trec.Run, measures []measure.Measure) (*Result, error) {
	return evaluate(qrels, run, measures, judge)
}

// EvaluateByRank measures a run that trec.ReadRunByRank has read: the place of a document is the file's rank,
// and a rank that the file leaves out is a place without a document.
func EvaluateByRank(qrels trec.Qrels, run trec.Run, measures []measure.Measure) (*Result, error) {
	return evaluate(qrels, run, measures, judgeByRank)
}

func evaluate(qrels trec.Qrels, run trec.Run, measures []measure.Measure, judge judging) (*Result, error) {
	if len(qrels) == 0 {
		return nil, fmt.Errorf("evaluate run: %w", ErrNoQueries)
	}
	if len(measures) == 0 {
		return nil, fmt.Errorf("evaluate run: %w", ErrNoMeasures)
	}
	values := make([]func(ranking) (float64, error), len(measures))
	for i, m := range measures {
		if err := m.Check(); err != nil {
			return nil, err
		}
		values[i] = valueOf(m)
	}
	result := &Result{
		Measures: slices.Clone(measures),
		Queries:  qrels.Queries(),
		PerQuery: make([][]float64, 0, len(qrels)),
		All:      make([]float64, len(measures)),
	}
	if err := result.Coverage.compare(qrels, run); err != nil {
		return nil, err
	}
	rows := make([]measured, len(result.Queries))
	blocks := (len(rows) + blockSize - 1) / blockSize
	parallel.For(blocks, runtime.GOMAXPROCS(0), func(block int) {
		var d scratch
		for i := block * blockSize; i < min((block+1)*blockSize, len(rows)); i++ {
			query := result.Queries[i]
			rows[i].measure(qrels[query], run[query], judge, &d, measures, values)
		}
	})
	levels := levelsOf(measures)
	// In the queries' order, so that sums have the same bits for any number of threads.
	for i, query := range result.Queries {
		if err := rows[i].err; err != nil {
			return nil, fmt.Errorf("evaluate query %q: %w", query, err)
		}
		result.Coverage.add(query, rows[i].covered, levels)
		for j, value := range rows[i].values {
			result.All[j] += value
		}
		result.PerQuery = append(result.PerQuery, rows[i].values)
	}
	for i, m := range measures {
		if !m.Summed() {
			result.All[i] /= float64(len(result.Queries))
		}
	}
	return result, nil
}

// together is how many queries one thread measures, one after the other.
const blockSize = 64

// judging turns the documents found for a query into a ranking.
type judging func(grades map[string]int, found []trec.Scored, d *scratch) (ranking, error)

// measured has the values of one query, or its error.
type measured struct {
	values  []float64
	covered covered
	err     error
}

func (q *measured) measure(grades map[string]int, found []trec.Scored, judge judging, d *scratch, measures []measure.Measure, values []func(ranking) (float64, error)) {
	judged, err := judge(grades, found, d)
	if err != nil {
		q.err = err
		return
	}
	q.covered, q.values = judged.coverage(), make([]float64, len(measures))
	for i, m := range measures {
		q.values[i], err = values[i](judged)
		if err == nil && math.IsNaN(q.values[i]) { // only an exponential gain can overflow
			err = errors.New("the gain 2^grade is not a number")
		}
		if err != nil {
			q.err = fmt.Errorf("%s: %w", m, err)
			return
		}
	}
}
