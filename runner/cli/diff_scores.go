package cli

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"headroom/internal/nouns"
	"headroom/metrics/event"
	"headroom/metrics/stats"
	"headroom/metrics/store"
	"headroom/reports/compare"
)

// pair is one figure of each of two runs.
type pair struct {
	A event.Value `json:"a"`
	B event.Value `json:"b"`
}

// diffEvaluation compares two runs on a collection on which both were measured.
type diffEvaluation struct {
	Dataset        string        `json:"dataset"`
	Split          string        `json:"split"`
	Collection     string        `json:"collection_digest"`
	ActiveQuery    pair          `json:"active_query"`
	ActiveDocument pair          `json:"active_document"`
	Flops          pair          `json:"flops"`
	Measures       []diffMeasure `json:"measures"`
}

// diffMeasure is a measure of both runs; the difference is B minus A over the queries that
// both answered. The interval is over queries. It is about these two models; with another
// seed the difference may be another.
type diffMeasure struct {
	Measure string `json:"measure"`
	pair
	Difference event.Value `json:"difference"`
	// Low and High are null if there are too few queries, or too few that differ.
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Level   float64  `json:"level"`
	P       *float64 `json:"p"`
	Queries int      `json:"queries"`
	Differ  int      `json:"queries_that_differ"`
	// PerQuery is present only with --per-query.
	PerQuery map[string]pair `json:"per_query,omitempty"`
}

// diffScores compares two runs on the present content of every collection on which both were measured.
func diffScores(ctx context.Context, s *store.Store, a, b string, perQuery bool) ([]diffEvaluation, error) {
	of, err := s.Evaluations(ctx, a, store.Scope{})
	if err != nil {
		return nil, err
	}
	others, err := s.Evaluations(ctx, b, store.Scope{})
	if err != nil {
		return nil, err
	}
	all := []diffEvaluation{}
	for _, x := range of {
		i := slices.IndexFunc(others, func(y store.Evaluation) bool { return y.Collection == x.Collection && y.Split == x.Split })
		if i < 0 {
			continue
		}
		y := others[i]
		d := diffEvaluation{
			Dataset: x.Dataset, Split: x.Split, Collection: x.Collection, Measures: []diffMeasure{},
			ActiveQuery: values(x.ActiveQuery, y.ActiveQuery), ActiveDocument: values(x.ActiveDocument, y.ActiveDocument), Flops: values(x.Flops, y.Flops),
		}
		answersA, err := s.QueryScores(ctx, x.ID)
		if err != nil {
			return nil, err
		}
		answersB, err := s.QueryScores(ctx, y.ID)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(x.Measures)) {
			if _, both := y.Measures[name]; !both {
				continue
			}
			m, err := newDiffMeasure(name, answersA[name], answersB[name])
			if err != nil {
				return nil, fmt.Errorf("compare %s on %s: %w", name, x.Dataset, err)
			}
			m.pair = values(x.Measures[name], y.Measures[name])
			if !perQuery {
				m.PerQuery = nil
			}
			d.Measures = append(d.Measures, m)
		}
		all = append(all, d)
	}
	return all, nil
}

func values(a, b float64) pair { return pair{event.Value(a), event.Value(b)} }

func newDiffMeasure(name string, a, b map[string]float64) (diffMeasure, error) {
	m := diffMeasure{Measure: name, Difference: event.Value(math.NaN()), Level: compare.Level, PerQuery: map[string]pair{}}
	var first, second []float64
	for _, query := range slices.Sorted(maps.Keys(a)) {
		x, y := a[query], b[query]
		if _, both := b[query]; !both || math.IsNaN(x) || math.IsNaN(y) {
			continue
		}
		first, second = append(first, x), append(second, y)
		m.PerQuery[query] = values(x, y)
	}
	if len(first) == 0 {
		return m, nil
	}
	d, err := stats.Compare(stats.Arm{Values: [][]float64{second}, Fixed: true}, stats.Arm{Values: [][]float64{first}, Fixed: true}, stats.Variance{}, m.Level)
	if err != nil {
		return m, err
	}
	m.Difference, m.Queries, m.Differ = event.Value(d.Mean), d.Queries, d.Differ
	if d.Testable() {
		m.Low, m.High, m.P = &d.Interval.Low, &d.Interval.High, &d.P
	}
	return m, nil
}

// interval writes the interval of the difference, or why there is none.
func (m diffMeasure) interval() string {
	switch {
	case m.Queries == 0:
		return "no query in common"
	case m.Differ == 0:
		return fmt.Sprintf("the same on all %s", queries(m.Queries))
	case m.Low == nil:
		return fmt.Sprintf("too few differ: %d of %s", m.Differ, queries(m.Queries))
	}
	return fmt.Sprintf("%+.4f to %+.4f, %d of %s differ", *m.Low, *m.High, m.Differ, queries(m.Queries))
}

func queries(n int) string {
	return nouns.CountOf(n, "query", "queries")
}

// rows returns rows for the columns of diff.
func (d diffEvaluation) rows() [][]string {
	on := " on " + d.Dataset
	if d.Split != "" {
		on += " (" + d.Split + ")"
	}
	var rows [][]string
	for _, m := range d.Measures {
		rows = append(rows, []string{m.Measure + on, figure(m.A, "%.4f"), figure(m.B, "%.4f"), figure(m.Difference, "%+.4f"), m.interval()})
	}
	for _, sparse := range []struct {
		name string
		pair pair
	}{{"active dims, query", d.ActiveQuery}, {"active dims, document", d.ActiveDocument}, {"FLOPS", d.Flops}} {
		rows = append(rows, []string{sparse.name + on, figure(sparse.pair.A, "%.2f"), figure(sparse.pair.B, "%.2f"), figure(sparse.pair.B-sparse.pair.A, "%+.2f")})
	}
	return rows
}

func figure(v event.Value, layout string) string {
	if v.NonFinite() != "" {
		return "-"
	}
	return fmt.Sprintf(layout, float64(v))
}

// perQueryRows lists the queries of a measure, the largest differences first.
func (m diffMeasure) perQueryRows() [][]string {
	names := slices.Sorted(maps.Keys(m.PerQuery))
	sort.SliceStable(names, func(i, j int) bool {
		x, y := m.PerQuery[names[i]], m.PerQuery[names[j]]
		return math.Abs(float64(x.B-x.A)) > math.Abs(float64(y.B-y.A))
	})
	var rows [][]string
	for _, name := range names {
		p := m.PerQuery[name]
		rows = append(rows, []string{"  " + name, figure(p.A, "%.4f"), figure(p.B, "%.4f"), figure(p.B-p.A, "%+.4f")})
	}
	return rows
}
