package serve

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sort"
	"strings"

	"headroom/metrics/event"
	"headroom/reports/live"
	"headroom/sweeps"
)

// comparison is the page that compares chosen runs side by side.
type comparison struct {
	shown
	Runs     []*live.Run
	Settings []settingRow
	Figures  []figureRow
	// Pairs compare the first run with each of the others.
	Pairs []pair
	Fault string
}

type settingRow struct {
	Key    string
	Values []string
}

type figureRow struct {
	live.Figure
	Texts []string
	Best  int // the index of the best, -1 if there is none
}

type pair struct {
	A, B  *live.Run
	Rows  []pairRow
	Fault string
}

type pairRow struct {
	Measure, Dataset, A, B, Difference, Interval string
	Queries                                      int
	Evidence                                     string // "above", "below" or "~"
	// Better, Worse and Same count the queries, if they are known; Most are those of which
	// the values differ most, from the worst for the second run to the best.
	Better, Worse, Same int
	Most                []queryRow
}

// Compared returns the number of queries with a value of both.
func (r pairRow) Compared() int { return r.Better + r.Worse + r.Same }

// queryRow is one query's values.
type queryRow struct {
	Query, A, B, Difference string
}

// mostQueries is how many of the queries that gained most are shown, and of those that lost.
const mostQueries = 8

// mostCompared is the greatest number of runs side by side.
const mostCompared = 8

func (s *Server) compare(r *http.Request, base shown) (anyPage, error) {
	base.page, base.Title = "compare", "comparison · headroom"
	c := &comparison{shown: base}
	for _, given := range base.V.values["run"] {
		for id := range strings.SplitSeq(given, ",") {
			run, _ := find(base.Snapshot, id)
			if run != nil && !slices.Contains(c.Runs, run) {
				c.Runs = append(c.Runs, run)
			}
		}
	}
	if len(c.Runs) < 2 {
		c.Fault = "Choose two runs or more in a sweep's table."
		return c, nil
	}
	if len(c.Runs) > mostCompared {
		c.Fault = fmt.Sprintf("%d runs were chosen; the first %d are compared.", len(c.Runs), mostCompared)
		c.Runs = c.Runs[:mostCompared]
	}
	c.settings()
	c.figures()
	for _, b := range c.Runs[1:] {
		c.Pairs = append(c.Pairs, s.pair(r, c, c.Runs[0], b))
	}
	return c, nil
}

func (c *comparison) settings() {
	differs := map[string][]string{}
	for i, r := range c.Runs {
		for _, change := range sweeps.Diff(c.Runs[0].Config, r.Config) {
			if differs[change.Key] == nil {
				differs[change.Key] = slices.Repeat([]string{change.A}, len(c.Runs))
			}
			differs[change.Key][i] = change.B
		}
	}
	for _, key := range sweeps.Keys() {
		if values := differs[key]; values != nil {
			c.Settings = append(c.Settings, settingRow{key, values})
		}
	}
}

func (c *comparison) figures() {
	var all []live.Figure
	for _, r := range c.Runs {
		if sweep := c.Snapshot.Sweep(r.Sweep); sweep != nil {
			for _, f := range sweep.Figures {
				if !slices.Contains(all, f) {
					all = append(all, f)
				}
			}
		}
	}
	for _, f := range all {
		row := figureRow{Figure: f, Best: -1}
		scored, best := false, 0.0
		for i, r := range c.Runs {
			v, known := r.Figures[f]
			if !known {
				row.Texts = append(row.Texts, "–")
				continue
			}
			row.Texts = append(row.Texts, number(f, v))
			if f.Cost() {
				continue
			}
			switch {
			case !scored || v > best:
				scored, best, row.Best = true, v, i
			case v == best: // of equals none is the best
				row.Best = -1
			}
		}
		if slices.ContainsFunc(row.Texts, func(t string) bool { return t != "–" }) {
			c.Figures = append(c.Figures, row)
		}
	}
}

// diffFigures is what a page needs of the document of `diff --json`.
type diffFigures struct {
	Evaluations []struct {
		Dataset  string `json:"dataset"`
		Measures []struct {
			Measure    string      `json:"measure"`
			A          event.Value `json:"a"`
			B          event.Value `json:"b"`
			Difference event.Value `json:"difference"`
			Low        *float64    `json:"low"`
			High       *float64    `json:"high"`
			Queries    int         `json:"queries"`
			Differ     int         `json:"queries_that_differ"`
			PerQuery   map[string]struct {
				A event.Value `json:"a"`
				B event.Value `json:"b"`
			} `json:"per_query"`
		} `json:"measures"`
	} `json:"evaluations"`
}

// pair compares two runs by their values per query, as `headroom diff` does.
func (s *Server) pair(r *http.Request, c *comparison, a, b *live.Run) pair {
	p := pair{A: a, B: b}
	document, err := s.o.Documents.Diff(r.Context(), c.Workspace(), a.Run.Run, b.Run.Run, true)
	var text []byte
	if err == nil {
		text, err = json.Marshal(document)
	}
	var d diffFigures
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		p.Fault = err.Error()
		return p
	}
	for _, e := range d.Evaluations {
		for i, m := range e.Measures {
			f := live.Figure{Measure: m.Measure}
			row := pairRow{Measure: m.Measure, Dataset: e.Dataset, A: number(f, float64(m.A)), B: number(f, float64(m.B)), Queries: m.Queries, Evidence: "~", Interval: "too few queries differ"}
			if m.Difference.NonFinite() == "" {
				row.Difference = fmt.Sprintf("%+.4f", float64(m.Difference))
			}
			if m.Low != nil && m.High != nil {
				row.Interval = fmt.Sprintf("%+.4f to %+.4f", *m.Low, *m.High)
				if *m.Low > 0 {
					row.Evidence = "above"
				} else if *m.High < 0 {
					row.Evidence = "below"
				}
			}
			if i == 0 { // one measure is enough to see which queries they are
				var changes []change
				for query, v := range m.PerQuery {
					changes = append(changes, change{query, float64(v.A), float64(v.B)})
				}
				row.queries(changes)
			}
			p.Rows = append(p.Rows, row)
		}
	}
	return p
}

// change has one query's values under two models.
type change struct {
	query string
	a, b  float64
}

// queries counts on how many queries each run is better, and lists those that differ most.
func (r *pairRow) queries(all []change) {
	all = slices.DeleteFunc(all, func(c change) bool { return math.IsNaN(c.b - c.a) })
	slices.SortFunc(all, func(x, y change) int { return cmp.Or(cmp.Compare(x.b-x.a, y.b-y.a), cmp.Compare(x.query, y.query)) })
	r.Worse = sort.Search(len(all), func(i int) bool { return all[i].b >= all[i].a })
	r.Better = len(all) - sort.Search(len(all), func(i int) bool { return all[i].b > all[i].a })
	r.Same = len(all) - r.Worse - r.Better
	worst, best := all[:min(r.Worse, mostQueries)], all[len(all)-min(r.Better, mostQueries):]
	for _, c := range slices.Concat(worst, best) {
		r.Most = append(r.Most, queryRow{c.query, fmt.Sprintf("%.4f", c.a), fmt.Sprintf("%.4f", c.b), fmt.Sprintf("%+.4f", c.b-c.a)})
	}
}
