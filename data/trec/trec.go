// Package trec reads and writes relevance judgements (qrels) and runs.
//
// Qrels have TREC's four columns (any white space), or columns that a header names, as in BEIR's tab-separated
// files; the first line shows which. All files may be gzipped, which their content shows and not their name.
// Malformed lines are errors that name file and line: nothing is skipped, except blank lines and, in TREC's
// formats, lines that start with '#' (comments since trec_eval 10).
//
// Ids are bytes without white space and NUL. Scores are decimal numbers or inf, grades integers ("1.0" too).
//
// A ranking is ordered by score descending and, among equal scores, by document id descending in byte
// order. That is trec_eval's rule; the rank column of a file is ignored. Scores are compared as float64,
// as trec_eval 10 does (its predecessors rounded them to float32 first).
package trec

import (
	"cmp"
	"slices"
	"strings"
)

// Qrels maps a query to its judged documents and their grades. Grades may be negative.
type Qrels map[string]map[string]int

// Scored is one row of a run.
type Scored struct {
	Doc   string
	Score float64
}

// Run maps a query to its scored documents, in any order.
type Run map[string][]Scored

// Queries returns the judged queries in byte order.
func (q Qrels) Queries() []string {
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Queries returns the run's queries in byte order.
func (r Run) Queries() []string {
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Ranked reports whether rows are in the order of Rank.
func Ranked(scored []Scored) bool {
	for i := 1; i < len(scored); i++ {
		a, b := &scored[i-1], &scored[i]
		if !(a.Score > b.Score || a.Score == b.Score && a.Doc > b.Doc) {
			return false
		}
	}
	return true
}

// Rank sorts in place by the ranking rule. A NaN score, which the readers of this package refuse, ranks last.
func Rank(scored []Scored) {
	slices.SortFunc(scored, func(a, b Scored) int {
		if c := cmp.Compare(b.Score, a.Score); c != 0 {
			return c
		}
		return strings.Compare(b.Doc, a.Doc)
	})
}
