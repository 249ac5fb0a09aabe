package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"headroom/internal/nouns"
	"headroom/metrics/stats"
	"headroom/reports/compare"
	"headroom/reports/table"
	"headroom/sweeps"
)

// mainTable is backbone × k on the first collection, with the baselines below.
func mainTable(c *compare.Comparison) *table.Table {
	t := &table.Table{Title: "Backbone × k on " + primary(c)}
	t.Columns = append(lineColumns(c), table.Column{Name: "k", Numeric: true, Key: true}, table.Column{Name: "verdicts"})
	measures := headline(c)
	type column struct{ dataset, measure string }
	var scores []column
	for i, dataset := range c.Datasets {
		for _, m := range measures {
			if i > 0 && m != c.Measure {
				continue
			}
			name := m
			if i > 0 {
				name += " on " + dataset
			}
			scores = append(scores, column{dataset, m})
			t.Columns = append(t.Columns, table.Column{Name: name, Better: table.Higher, Numeric: true, Spread: true})
		}
	}
	t.Columns = append(t.Columns,
		table.Column{Name: "active dims, query", Better: table.Lower, Numeric: true, Spread: true},
		table.Column{Name: "active dims, document", Better: table.Lower, Numeric: true, Spread: true},
		table.Column{Name: "FLOPS", Better: table.Lower, Numeric: true, Spread: true},
		table.Column{Name: "head norm", Numeric: true, Spread: true},
	)
	spread := t.Note("mean ± sd over seeds (number of seeds); healthy seeds only, unless a note says otherwise")
	norm := t.Note("mean row norm of the MLM head after the division by k, before the first update")
	for i := range t.Columns {
		switch col := &t.Columns[i]; {
		case col.Name == "head norm":
			col.Notes = []int{norm}
		case col.Spread && col.Name == c.Measure:
			col.Notes = []int{spread}
		}
	}
	for _, line := range c.Lines {
		for _, p := range line.Points {
			row := append(lineCells(line), kCell(t, c, p), verdictCell(t, p))
			for _, s := range scores {
				row = append(row, withSources(spreadCell(t, p, p.Score(s.dataset, s.measure), score), evaluationsOf(p, s.dataset)...))
			}
			dataset := primary(c)
			measured := evaluationsOf(p, dataset)
			row = append(row,
				withSources(spreadCell(t, p, p.Active(dataset, true), compare.QuantityLike), measured...),
				withSources(spreadCell(t, p, p.Active(dataset, false), compare.QuantityLike), measured...),
				withSources(spreadCell(t, p, p.Over(func(r *compare.Run) float64 {
					if e := r.Evaluation(dataset, ""); e != nil {
						return e.Flops
					}
					return math.NaN()
				}), compare.QuantityLike), measured...),
				withSources(sampleCell(p.Norm(), quantity), runsOf(p)...),
			)
			t.Rows = append(t.Rows, row)
		}
	}
	for _, b := range baselineNames(c) {
		row := append(titleCells(c, b.title), table.Text(""), table.Text(""))
		for _, s := range scores {
			row = append(row, valueCell(c.Baseline(b.name, b.backbone, s.dataset, b.encoding), func(e *compare.Evaluation) float64 { return measure(e, s.measure) }, compare.Score))
		}
		e := c.Baseline(b.name, b.backbone, primary(c), b.encoding)
		row = append(row,
			valueCell(e, func(e *compare.Evaluation) float64 { return e.ActiveQuery }, compare.Quantity),
			valueCell(e, func(e *compare.Evaluation) float64 { return e.ActiveDocument }, compare.Quantity),
			valueCell(e, func(e *compare.Evaluation) float64 { return e.Flops }, compare.Quantity),
			missingCell())
		t.Rows = append(t.Rows, row)
	}
	for _, difference := range c.Differences() {
		t.Columns[0].Notes = append(t.Columns[0].Notes, t.Note(difference))
	}
	return t
}

// lineColumns name a line: its backbone, and each axis in a column of its own.
func lineColumns(c *compare.Comparison) []table.Column {
	columns := []table.Column{{Name: "backbone", Key: true}}
	for i, name := range c.AxisNames() {
		numeric := true
		for _, line := range c.Lines {
			_, err := strconv.ParseFloat(line.Axes[i].Value, 64)
			numeric = numeric && err == nil
		}
		columns = append(columns, table.Column{Name: name, Numeric: numeric, Key: true})
	}
	return columns
}

func lineCells(line *compare.Line) []table.Cell {
	cells := []table.Cell{table.Text(line.Title)}
	for _, a := range line.Axes {
		cell := table.Text(a.Value)
		if v, err := strconv.ParseFloat(a.Value, 64); err == nil {
			cell = table.Number(v, a.Value)
		}
		cells = append(cells, cell)
	}
	return cells
}

// titleCells returns the cells of a row that is no line of the sweep, such as a baseline.
func titleCells(c *compare.Comparison, title string) []table.Cell {
	cells := []table.Cell{table.Text(title)}
	for range c.AxisNames() {
		cells = append(cells, table.Text(""))
	}
	return cells
}

// primary is the collection of the main table.
func primary(c *compare.Comparison) string {
	if len(c.Datasets) == 0 {
		return "no collection yet"
	}
	return c.Datasets[0]
}

// headline is the measures of the main table: the sweep's measure and RR@10.
func headline(c *compare.Comparison) []string {
	var out []string
	for _, m := range c.Measures {
		if m == c.Measure || m == "RR@10" {
			out = append(out, m)
		}
	}
	return out
}

func kCell(t *table.Table, c *compare.Comparison, p *compare.Point) table.Cell {
	cell := table.Number(p.K, p.Text)
	if p.Line.Best == p {
		note := fmt.Sprintf("best k of its backbone: greatest mean %s over all seeds, chosen on the %s queries", c.Measure, p.Line.SelectedOn)
		if p.Line.SelectedOn != "dev" {
			note += " it is reported on, which favours it"
		}
		cell.Notes = append(cell.Notes, t.Note(note))
	}
	if other := p.SameAs(); other != nil {
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("%s came to k = %s, which is a point of its own: the same training, not a second answer", p.Auto, other.Text)))
	}
	if len(p.Varies) > 0 {
		cell.Notes = append(cell.Notes, t.Note("the runs of this point vary in "+strings.Join(p.Varies, ", ")))
	}
	if n := len(p.Open); n > 0 {
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("%d of %d runs did not finish", n, n+len(p.Runs))))
	}
	return cell
}

func verdictCell(t *table.Table, p *compare.Point) table.Cell {
	counts := map[string]int{}
	var notes []int
	for _, r := range p.Runs {
		v := r.Verdict
		if r.Recovered != "" {
			notes = append(notes, t.Note(fmt.Sprintf("%s recovered from %s: it was a collapse for a while and ended healthy", r.Label, r.Recovered)))
		}
		v = cmp.Or(v, "not judged")
		counts[v]++
	}
	words := make([]string, 0, len(counts))
	for v := range counts {
		words = append(words, v)
	}
	sort.Strings(words)
	for i, v := range words {
		words[i] = fmt.Sprintf("%s × %d", v, counts[v])
	}
	cell := table.Text(strings.Join(words, ", "))
	cell.Notes = notes
	return cell
}

// spreadCell shows the mean of the healthy seeds, with a note on the mean over all seeds.
func spreadCell(t *table.Table, p *compare.Point, a compare.Aggregate, write format) table.Cell {
	cell := sampleCell(a.Shown(), write)
	switch bad := len(p.Collapsed()); {
	case bad > 0 && a.Healthy.N == 0 && a.All.N > 0:
		cell.Notes = append(cell.Notes, t.Note("every seed collapsed: the value is theirs"))
	case a.Healthy.N < a.All.N:
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("%s left out; the table of all measures has the mean with it", nouns.Count(bad, "collapsed seed"))))
	}
	if a.Missing > 0 {
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("%s without this value", nouns.Count(a.Missing, "finished run"))))
	}
	return cell
}

// format writes a value with the precision of a second one, its mean.
type format func(v, like float64) string

func score(v, _ float64) string { return compare.Score(v) }

func quantity(v, like float64) string {
	if v == like {
		return fmt.Sprintf("%.3g", v)
	}
	return compare.QuantityLike(v, like)
}

func sampleCell(s stats.Sample, write format) table.Cell {
	if s.N == 0 {
		return missingCell()
	}
	cell := table.Cell{Value: s.Mean, SD: s.SD, N: s.N}
	if s.N == 1 {
		cell.Text = fmt.Sprintf("%s (1)", write(s.Mean, s.Mean))
	} else {
		cell.Text = fmt.Sprintf("%s ± %s (%d)", write(s.Mean, s.Mean), write(s.SD, s.Mean), s.N)
	}
	return cell
}

func valueCell(e *compare.Evaluation, value func(*compare.Evaluation) float64, format func(float64) string) table.Cell {
	if e == nil || math.IsNaN(value(e)) {
		return missingCell()
	}
	return withSources(table.Number(value(e), format(value(e))), e.ID)
}

func missingCell() table.Cell {
	return table.Cell{Text: table.Missing, Value: math.NaN(), SD: math.NaN()}
}

func measure(e *compare.Evaluation, name string) float64 {
	if v, ok := e.Measures[name]; ok {
		return v
	}
	return math.NaN()
}

type baselineName struct {
	title, name, backbone string
	encoding              *sweeps.Encoding // nil if there is none, or it is not known
}

// baselineNames lists the baselines once each, over all collections.
func baselineNames(c *compare.Comparison) []baselineName {
	var out []baselineName
	for _, b := range c.Baselines {
		n := baselineName{name: b.Name, backbone: b.Backbone, title: b.Name, encoding: b.Encoding}
		if b.Name == sweeps.BM25 {
			n.title = "BM25"
		}
		if b.Backbone != "" {
			n.title = c.BackboneName(b.Backbone) + ", " + b.Name
		}
		if form := c.Form(b); form != "" {
			n.title += " (" + form + ")"
		}
		if !slices.ContainsFunc(out, n.same) {
			out = append(out, n)
		}
	}
	return out
}

func (n baselineName) same(other baselineName) bool {
	sameEncoding := n.encoding == other.encoding || n.encoding != nil && other.encoding != nil && *n.encoding == *other.encoding
	return n.title == other.title && n.name == other.name && n.backbone == other.backbone && sameEncoding
}
