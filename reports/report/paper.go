package report

import (
	"fmt"
	"math"
	"slices"

	"headroom/data/groups"
	"headroom/internal/nouns"
	"headroom/metrics/stats"
	"headroom/reports/compare"
	"headroom/reports/table"
)

// Paper holds the contents of a table in the paper's layout.
type Paper struct {
	comparison *compare.Comparison
	columns    []paperColumn
	contrasts  map[compare.Cell]*compare.Contrast
	published  []Published
}

type paperColumn struct {
	title string
	compare.Column
	// reference names the collection or group as in claims.
	reference string
}

// Published is a number from somebody else's publication about comparable runs.
type Published struct {
	// On is a reference to a collection or a group; Source names the publication.
	On, Measure, Source string
	// Value is nil if nobody has entered it.
	Value *float64
	// Of reports whether the number is about a run.
	Of func(*compare.Run) bool
}

// beirMean is the group whose mean is the last column.
const beirMean = "beir:13"

// NewPaper makes the paper's table: one row per backbone and k; columns for MS MARCO, TREC DL
// 2019 and 2020, the 13 collections of BEIR and their mean. labels are the names in the input
// of the sweep's collections, by reference. Published numbers of a point have a row below it.
func NewPaper(in *compare.Input, labels map[string]string, published []Published) (*Paper, error) {
	called := func(reference string) string {
		if label, ok := labels[reference]; ok {
			return label
		}
		return reference
	}
	p := &Paper{published: published}
	add := func(title, reference, dataset, measure string) {
		p.columns = append(p.columns, paperColumn{title, compare.Column{Dataset: dataset, Measure: measure}, reference})
	}
	add("MS MARCO dev, RR@10", "msmarco:dev", called("msmarco:dev"), "RR@10")
	add("DL 19", "trec-dl:19", called("trec-dl:19"), "nDCG@10")
	add("DL 20", "trec-dl:20", called("trec-dl:20"), "nDCG@10")
	titles := []string{"Argu Ana", "Climate FEVER", "DB Pedia", "FEVER", "FiQA", "Hotpot QA", "NF Corpus", "NQ", "Quora", "SCI DOCS", "Sci Fact", "TREC COVID", "Touché"}
	var members []string
	for i, reference := range groups.Members(beirMean) {
		members = append(members, called(reference))
		add(titles[i], reference, called(reference), "nDCG@10")
	}
	add("BEIR 13, mean", beirMean, beirMean, "nDCG@10")
	var err error
	if p.comparison, err = compare.Compare(in.WithMean(beirMean, members)); err != nil {
		return nil, err
	}
	asked := make([]compare.Column, len(p.columns))
	for i, c := range p.columns {
		asked[i] = c.Column
	}
	p.contrasts, err = p.comparison.OverNatural(asked)
	return p, err
}

// Table returns the table, with a dash in cells without a measurement.
func (p *Paper) Table() *table.Table {
	c := p.comparison
	t := &table.Table{Title: "Effectiveness in and out of domain, as trained (× 100; nDCG@10 unless a column says otherwise)",
		Columns: append(lineColumns(c), table.Column{Name: "k", Numeric: true, Key: true})}
	tested := 0
	for _, d := range p.contrasts {
		if d.Claims() {
			tested++
		}
	}
	for _, column := range p.columns {
		t.Columns = append(t.Columns, table.Column{Name: column.title, Numeric: true, Better: table.Higher})
	}
	first := &t.Columns[0]
	first.Notes = append(first.Notes, t.Note("mean over the seeds that did not collapse; – was not measured"))
	for _, line := range c.Lines {
		for _, point := range line.Points {
			row := append(lineCells(line), table.Number(point.K, point.Text))
			for _, column := range p.columns {
				row = append(row, p.cell(t, point, column, tested))
			}
			t.Rows = append(t.Rows, row)
			if row := p.publishedRow(t, point); row != nil {
				t.Rows = append(t.Rows, row)
			}
		}
	}
	for _, b := range baselineNames(c) {
		row, any := append(titleCells(c, b.title), table.Text("")), false
		for _, column := range p.columns {
			e := c.Baseline(b.name, b.backbone, column.Dataset, b.encoding)
			cell := valueCell(e, func(e *compare.Evaluation) float64 { return measure(e, column.Measure) }, hundredfold)
			any = any || cell.N > 0
			row = append(row, cell)
		}
		if any {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// publishedRow is what is published of a point; nil if nothing is.
func (p *Paper) publishedRow(t *table.Table, point *compare.Point) []table.Cell {
	var of []Published
	for _, one := range p.published {
		if len(point.Runs) > 0 && !slices.ContainsFunc(point.Runs, func(r *compare.Run) bool { return !one.Of(r) }) {
			of = append(of, one)
		}
	}
	if len(of) == 0 {
		return nil
	}
	row := append(lineCells(point.Line), table.Number(point.K, point.Text))
	row[0] = table.Text(point.Line.Title + ", published")
	for _, column := range p.columns {
		cell := table.Cell{Text: "?", Value: math.NaN(), SD: math.NaN()}
		i := slices.IndexFunc(of, func(one Published) bool { return one.On == column.reference && one.Measure == column.Measure })
		if i >= 0 && of[i].Value != nil {
			cell.Text, cell.Value = hundredfold(*of[i].Value), *of[i].Value
			cell.Notes = append(cell.Notes, t.Note("as published: "+of[i].Source))
		} else {
			cell.Notes = append(cell.Notes, t.Note("? nobody has entered the published number: it belongs into a claim of kind value, with its source"))
		}
		row = append(row, cell)
	}
	return row
}

func (p *Paper) cell(t *table.Table, point *compare.Point, column paperColumn, tested int) table.Cell {
	a := point.Score(column.Dataset, column.Measure)
	cell := missingCell()
	if a.Healthy.N > 0 {
		cell = hundred(a.Healthy)
		cell.From = p.evaluations(point, column.Dataset)
	}
	switch bad := len(point.Collapsed()); {
	case bad > 0 && bad == len(point.Runs):
		cell.Notes = append(cell.Notes, t.Note("every seed collapsed"))
	case bad > 0 && a.Healthy.N > 0:
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("%d of %s collapsed and left out", bad, nouns.Count(len(point.Runs), "seed"))))
	}
	d := p.contrasts[compare.Cell{Point: point, Column: column.Column}]
	if d == nil {
		return cell
	}
	switch d.Verdict() {
	case compare.Above:
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("above k = 1 of the same line: interval and p after Holm over %s of this table", nouns.Count(tested, "test"))))
	case compare.Below:
		cell.Notes = append(cell.Notes, t.Note(fmt.Sprintf("below k = 1 of the same line: interval and p after Holm over %s of this table", nouns.Count(tested, "test"))))
	}
	return cell
}

// evaluations returns the evaluations behind a cell; behind a mean, those on all members.
func (p *Paper) evaluations(point *compare.Point, dataset string) []string {
	if dataset != beirMean {
		return evaluationsOf(point, dataset)
	}
	var out []string
	for _, column := range p.columns {
		if column.Measure == "nDCG@10" && column.Dataset != beirMean && !slices.Contains([]string{p.columns[1].Dataset, p.columns[2].Dataset}, column.Dataset) {
			out = append(out, evaluationsOf(point, column.Dataset)...)
		}
	}
	return out
}

func hundred(s stats.Sample) table.Cell {
	return table.Cell{Text: hundredfold(s.Mean), Value: s.Mean, SD: math.NaN(), N: s.N}
}

// hundredfold writes a measure times 100, as in papers: 38.3 for .383.
func hundredfold(v float64) string { return fmt.Sprintf("%.1f", 100*v) }
