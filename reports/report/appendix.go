package report

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"headroom/metrics/stability"
	"headroom/reports/compare"
	"headroom/reports/table"
)

// scoresTable has every measure on every collection, over the healthy seeds and over
// all seeds.
func scoresTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: "All measures on all collections", Columns: slices.Concat([]table.Column{
		{Name: "collection", Key: true}, {Name: "measure", Key: true}}, lineColumns(c), []table.Column{{Name: "k", Numeric: true, Key: true},
		{Name: "healthy seeds", Better: table.Higher, Numeric: true, Spread: true},
		{Name: "all seeds", Better: table.Higher, Numeric: true, Spread: true},
		{Name: "queries", Numeric: true},
	})}
	for i := range t.Columns {
		if t.Columns[i].Spread {
			t.Columns[i].Notes = []int{t.Note("mean ± sd over seeds (number of seeds)")}
		}
	}
	for _, dataset := range c.Datasets {
		for _, m := range c.Measures {
			for _, line := range c.Lines {
				for _, p := range line.Points {
					a := p.Score(dataset, m)
					if a.All.N == 0 {
						continue
					}
					t.Rows = append(t.Rows, slices.Concat([]table.Cell{table.Text(dataset), table.Text(m)}, lineCells(line), []table.Cell{table.Number(p.K, p.Text),
						withSources(sampleCell(a.Healthy, score), evaluationsOf(p, dataset)...), withSources(sampleCell(a.All, score), evaluationsOf(p, dataset)...), queriesCell(p.Runs[0].Evaluation(dataset, ""))}))
				}
			}
			for _, b := range baselineNames(c) {
				e := c.Baseline(b.name, b.backbone, dataset, b.encoding)
				if e == nil || math.IsNaN(measure(e, m)) {
					continue
				}
				value := valueCell(e, func(e *compare.Evaluation) float64 { return measure(e, m) }, compare.Score)
				t.Rows = append(t.Rows, slices.Concat([]table.Cell{table.Text(dataset), table.Text(m)}, titleCells(c, b.title), []table.Cell{table.Text(""), missingCell(), value, queriesCell(e)}))
			}
		}
	}
	return t
}

func queriesCell(e *compare.Evaluation) table.Cell {
	if e == nil || e.Queries == 0 {
		return missingCell()
	}
	return table.Number(float64(e.Queries), strconv.Itoa(e.Queries))
}

// contrastsTable has every difference with its interval.
func contrastsTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: "Differences in " + c.Measure + " of the models as trained", Columns: append([]table.Column{
		{Name: "collection", Key: true}, {Name: "A", Key: true}, {Name: "B", Key: true}}, differenceColumns()...)}
	noteTest(t, 3, "Holm over the rows of one question: the best k against k = 1; backbones and settings against each other; all against baselines")
	for _, d := range c.Contrasts {
		t.Rows = append(t.Rows, append([]table.Cell{table.Text(d.Dataset), table.Text(d.A), table.Text(d.B)}, differenceCells(t, d)...))
	}
	return t
}

// matchedTable has every difference at equal cost.
func matchedTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: c.Measure + " at equal cost", Columns: append([]table.Column{
		{Name: "backbone", Key: true}, {Name: "A", Key: true}, {Name: "B", Key: true}, {Name: "FLOPS", Numeric: true, Key: true}, {Name: "at A", Numeric: true}, {Name: "at B", Numeric: true}},
		append(differenceColumns(), table.Column{Name: "A comes to it", Detail: true}, table.Column{Name: "B comes to it", Detail: true})...)}
	t.Columns[3].Notes = []int{t.Note("mean number of terms that a query and a document share, the same for A and B; between two measured costs values are interpolated on log FLOPS, per seed and query, and never beyond what was measured")}
	noteTest(t, 6, "Holm over the rows of the answer, one per backbone and factor, and over those of other budgets apart")
	way := t.Note("over λ: between models trained with different λ; cut documents: only the greatest weights of each document; A and B each take the way with the greatest mean there")
	t.Columns[len(t.Columns)-1].Notes, t.Columns[len(t.Columns)-2].Notes = []int{way}, []int{way}
	for _, m := range c.Matched {
		a := table.Text(m.A)
		if m.Why != "" {
			a.Notes = append(a.Notes, t.Note(m.Why))
		}
		flops := number(m.Flops, compare.Quantity)
		if m.Answers && m.Why == "" {
			flops.Notes = append(flops.Notes, t.Note("the budget that the answer is about"))
		}
		row := []table.Cell{table.Text(m.Backbone), a, table.Text(m.B), flops, withSources(number(m.MeanA, compare.Score), m.EvaluationsA...), withSources(number(m.MeanB, compare.Score), m.EvaluationsB...)}
		row = append(row, differenceCells(t, &m.Contrast)...)
		t.Rows = append(t.Rows, append(row, table.Text(m.WayA), table.Text(m.WayB)))
	}
	return t
}

// differenceColumns returns the columns of a difference, its test and its basis.
func differenceColumns() []table.Column {
	level := fmt.Sprintf("%.3g %%", 100*compare.Level)
	return []table.Column{
		{Name: "A − B", Better: table.Higher, Numeric: true},
		{Name: level + " from", Numeric: true}, {Name: level + " to", Numeric: true},
		{Name: "A is"}, {Name: "p, Holm", Numeric: true}, {Name: "p", Numeric: true, Detail: true},
		{Name: "p, own seeds", Numeric: true, Detail: true}, {Name: "seeds", Detail: true}, {Name: "queries", Numeric: true, Detail: true},
	}
}

// noteTest adds notes that explain the columns of a difference; first is the column of
// the difference itself.
func noteTest(t *table.Table, first int, family string) {
	t.Columns[first+1].Notes = []int{t.Note("queries and seeds are both random: the statement is about further queries, and about models trained with further seeds")}
	t.Columns[first+3].Notes = []int{t.Note("~: no evidence; above or below only where the interval excludes 0 and the corrected p is at most .05")}
	t.Columns[first+4].Notes = []int{t.Note(family)}
	t.Columns[first+6].Notes = []int{t.Note("by the seeds of A and B alone; interval and p also use the spread between seeds of the sweep's other points, where the two agree")}
}

func differenceCells(t *table.Table, d *compare.Contrast) []table.Cell {
	var notes []int
	for _, n := range d.Notes {
		notes = append(notes, t.Note(n))
	}
	mean := withSources(number(d.Mean, compare.Signed), slices.Concat(d.EvaluationsA, d.EvaluationsB)...)
	mean.Notes = notes
	verdict, seeds, queries := table.Text(string(d.Verdict())), missingCell(), missingCell()
	if math.IsNaN(d.Mean) {
		verdict = missingCell()
	} else {
		seeds = table.Text(strconv.Itoa(d.SeedsA))
		if d.SeedsB > 0 {
			seeds = table.Text(fmt.Sprintf("%d, %d", d.SeedsA, d.SeedsB))
		}
		queries = table.Number(float64(d.Queries), strconv.Itoa(d.Queries))
	}
	return []table.Cell{mean, number(d.Interval.Low, compare.Signed), number(d.Interval.High, compare.Signed), verdict,
		number(d.Adjusted, compare.PText), number(d.P, compare.PText), number(d.OwnP, compare.PText), seeds, queries}
}

func number(v float64, format func(float64) string) table.Cell {
	if math.IsNaN(v) {
		return missingCell()
	}
	return table.Number(v, format(v))
}

// runsTable lists every run, finished or not.
func runsTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: "Runs", Columns: []table.Column{
		{Name: "run", Key: true}, {Name: "id"}, {Name: "backbone"}, {Name: "k", Numeric: true}, {Name: "seed", Numeric: true},
		{Name: "state"}, {Name: "verdict"}, {Name: "episodes"}, {Name: "steps", Numeric: true},
	}}
	for _, dataset := range c.Datasets {
		t.Columns = append(t.Columns, table.Column{Name: c.Measure + " on " + dataset, Better: table.Higher, Numeric: true})
	}
	selected := slices.ContainsFunc(c.Runs, func(r *compare.Run) bool { return r.Selected > 0 })
	if selected {
		t.Columns = append(t.Columns, table.Column{Name: "weights of step", Numeric: true})
		t.Columns[len(t.Columns)-1].Notes = []int{t.Note("the step whose model is measured: the best on dev data, by which it was chosen during training")}
	}
	ties := slices.ContainsFunc(c.Runs, func(r *compare.Run) bool { return !math.IsNaN(tieShare(r, primary(c))) })
	if ties {
		t.Columns = append(t.Columns, table.Column{Name: "tie share", Better: table.Lower, Numeric: true})
	}
	beside := slices.ContainsFunc(c.Runs, func(r *compare.Run) bool { return r.Beside != "" })
	if beside {
		t.Columns = append(t.Columns, table.Column{Name: "beside the file"})
	}
	keys := c.Varying()
	if len(keys) > 0 {
		t.Columns = append(t.Columns, table.Column{Name: "differs in"})
	}
	for _, r := range c.Runs {
		var episodes []string
		for _, e := range r.Episodes {
			text := e.Kind
			if e.Series != "" {
				text += " in " + e.Series
			}
			if e.Stands {
				text += fmt.Sprintf(" from %d", e.FirstStep)
			} else {
				text += fmt.Sprintf(" %d–%d, passed", e.FirstStep, e.LastStep)
			}
			episodes = append(episodes, text)
		}
		state := table.Text(r.State)
		if r.Error != "" {
			state.Notes = []int{t.Note(r.Error)}
		}
		label := table.Text(r.Label)
		label.Link = "#" + anchor(r)
		row := []table.Cell{label, longText(r.Short(), r.ID), table.Text(c.BackboneName(r.Backbone)),
			table.Number(r.Rescale, compare.KText(r.Rescale)), table.Number(float64(r.Seed), strconv.FormatInt(r.Seed, 10)),
			state, table.Text(stability.MarkedVerdict(r.Verdict, r.Recovered)), table.Text(strings.Join(episodes, "; ")),
			table.Number(float64(r.Step+1), strconv.Itoa(r.Step+1))}
		for _, dataset := range c.Datasets {
			cell := number(r.Score(dataset, c.Measure), compare.Score)
			if e := r.Evaluation(dataset, ""); e != nil {
				cell = withSources(cell, e.ID)
			}
			row = append(row, cell)
		}
		if selected {
			cell := missingCell()
			if r.Selected > 0 {
				cell = table.Number(float64(r.Selected), strconv.Itoa(r.Selected))
			}
			row = append(row, cell)
		}
		if ties {
			row = append(row, number(tieShare(r, primary(c)), compare.Score))
		}
		if beside {
			row = append(row, table.Text(r.Beside))
		}
		if len(keys) > 0 {
			var words []string
			for _, key := range keys {
				words = append(words, key+" = "+r.Setting(key))
			}
			row = append(row, table.Text(strings.Join(words, ", ")))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// tieShare is the share of a run's ranking on a collection that is decided by the rule
// for ties. It is large for a collapsed model.
func tieShare(r *compare.Run, dataset string) float64 {
	if e := r.Evaluation(dataset, ""); e != nil {
		return e.TieShare
	}
	return math.NaN()
}

// provenanceTable leads from each cell of the main table to its runs and qrels.
func provenanceTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: "Where the numbers come from", Columns: append(lineColumns(c), []table.Column{
		{Name: "k", Numeric: true, Key: true}, {Name: "collection", Key: true}, {Name: "split"}, {Name: "seed: run / evaluation"}, {Name: "qrels"},
	}...)}
	for _, dataset := range c.Datasets {
		for _, line := range c.Lines {
			for _, p := range line.Points {
				var runs, whole []string
				qrels, splits := map[string]bool{}, map[string]bool{}
				for _, r := range p.Runs {
					e := r.Evaluation(dataset, "")
					if e == nil {
						continue
					}
					runs = append(runs, fmt.Sprintf("%d: %s / %s", r.Seed, r.Short(), short(e.ID)))
					whole = append(whole, fmt.Sprintf("%d: %s / %s", r.Seed, r.ID, e.ID))
					qrels[e.QrelsDigest] = true
					splits[e.Split] = true
				}
				if len(runs) > 0 {
					t.Rows = append(t.Rows, append(lineCells(line), table.Number(p.K, p.Text), table.Text(dataset),
						table.Text(joinSet(splits, unchanged)), longText(strings.Join(runs, ", "), strings.Join(whole, ", ")), longText(joinSet(qrels, short), joinSet(qrels, unchanged))))
				}
			}
		}
		for _, b := range baselineNames(c) {
			if e := c.Baseline(b.name, b.backbone, dataset, b.encoding); e != nil {
				t.Rows = append(t.Rows, append(titleCells(c, b.title), table.Text(""), table.Text(dataset), table.Text(e.Split),
					longText("/ "+short(e.ID), "/ "+e.ID), longText(short(e.QrelsDigest), e.QrelsDigest)))
			}
		}
	}
	return t
}

// short is the first eight digits of an id or digest, its algorithm kept.
func short(id string) string {
	if i := strings.IndexByte(id, ':'); i >= 0 {
		return id[:min(len(id), i+9)]
	}
	return id[:min(len(id), 8)]
}

func unchanged(s string) string { return s }

func longText(text, full string) table.Cell {
	c := table.Text(text)
	c.Full = full
	return c
}

func joinSet(set map[string]bool, write func(string) string) string {
	var words []string
	for w := range set {
		if w != "" {
			words = append(words, write(w))
		}
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}
