package report_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/data/groups"
	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/report"
)

// inPaper is one backbone at k = 1 and 8 on MS MARCO and on BEIR, three seeds each: k = 8 is
// better by .1 on MS MARCO for every query, and the same elsewhere but for noise.
func inPaper(leave string) *compare.Input {
	in := &compare.Input{Sweep: "paper"}
	measured := func(dataset, measure string, mean float64, seed int, noise float64) compare.Evaluation {
		e := compare.Evaluation{ID: fmt.Sprintf("%s-%v-%d", dataset, mean, seed), Dataset: dataset, Split: "test", Queries: 40, Flops: 3,
			Measures: map[string]float64{}, PerQuery: map[string]map[string]float64{measure: {}}}
		for q := range 40 {
			v := mean + .02*float64(q%5-2) + noise*float64((q*7+seed*3)%11-5)
			e.PerQuery[measure][fmt.Sprint(q)] = v
			e.Measures[measure] += v / 40
		}
		return e
	}
	for _, k := range []float64{1, 8} {
		for seed := range 3 {
			r := compare.Run{ID: fmt.Sprintf("run-%v-%d", k, seed), Label: "r", Backbone: "b", Rescale: k, Seed: int64(seed), State: "done", Verdict: "healthy"}
			r.Config, _ = compare.ParseSettings(sample.Config("b", k, seed))
			for i, name := range append([]string{"msmarco:dev"}, groups.Members("beir:13")...) {
				mean, measure := .4+.01*float64(i), "nDCG@10"
				if i == 0 {
					measure = "RR@10"
				}
				if i == 0 && k == 8 {
					mean += .1
				}
				if name == leave {
					continue
				}
				r.Evaluations = append(r.Evaluations, measured(name, measure, mean, seed+int(k), .001))
			}
			in.Runs = append(in.Runs, r)
		}
	}
	return in
}

func TestPaperLayout(t *testing.T) {
	in := inPaper("")
	p, err := report.NewPaper(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := p.Table()
	if len(table.Rows) != 2 || len(table.Columns) != 2+3+13+1 {
		t.Fatalf("%d rows, %d columns", len(table.Rows), len(table.Columns))
	}
	one, eight := table.Rows[0], table.Rows[1]
	if got := one[2].Text + " " + eight[2].Text; got != "40.0 50.0" {
		t.Errorf("MS MARCO has %s", got)
	}
	noted := func(notes []int) string {
		var out []string
		for _, n := range notes {
			out = append(out, table.Notes[n])
		}
		return strings.Join(out, "; ")
	}
	if got := noted(eight[2].Notes); got != "above k = 1 of the same line: interval and p after Holm over 15 tests of this table" {
		t.Errorf("MS MARCO at k = 8 is noted %q", got)
	}
	for i, cell := range eight[5:19] {
		if strings.Contains(noted(cell.Notes), "k = 1") {
			t.Errorf("column %d is noted %q", i, noted(cell.Notes))
		}
	}
	// The mean of .41, .42 … .53 is .47; it is made of all 13 evaluations of 3 seeds.
	if last := eight[18]; last.Text != "47.0" || len(last.From) != 39 || math.Abs(last.Value-.47) > .002 {
		t.Errorf("the mean is %s of %d evaluations", last.Text, len(last.From))
	}
	// DL 19 and 20 were not measured: a dash, and nothing that could be taken for 0.
	for _, cell := range eight[3:5] {
		if cell.Text != "–" || !math.IsNaN(cell.Value) {
			t.Errorf("what was not measured is %+v", cell)
		}
	}
	if len(in.Runs[0].Evaluations) != 14 {
		t.Error("the input was changed")
	}
}

func TestPaperMeanNeedsAll(t *testing.T) {
	p, err := report.NewPaper(inPaper("beir:fever"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := p.Table().Rows[1]
	if row[18].Text != "–" || row[8].Text != "–" || row[9].Text == "–" {
		t.Errorf("without FEVER: %s, FEVER %s, FiQA %s", row[18].Text, row[8].Text, row[9].Text)
	}
}

// A paper's number is in the row below its point; a number that nobody has entered is a question mark.
func TestPublishedNumbersStandBelowTheirPoint(t *testing.T) {
	value := .383
	ofEight := func(r *compare.Run) bool { return r.Rescale == 8 }
	p, err := report.NewPaper(inPaper(""), nil, []report.Published{
		{On: "msmarco:dev", Measure: "RR@10", Source: "a paper, table 2", Value: &value, Of: ofEight},
		{On: "beir:13", Measure: "nDCG@10", Source: "a paper, table 3", Of: ofEight},
		{On: "msmarco:dev", Measure: "RR@10", Source: "another", Value: &value, Of: func(*compare.Run) bool { return false }},
	})
	if err != nil {
		t.Fatal(err)
	}
	table := p.Table()
	if len(table.Rows) != 3 {
		t.Fatalf("%d rows", len(table.Rows))
	}
	row := table.Rows[2]
	if row[0].Text != "b, published" || row[1].Text != "8" || row[2].Text != "38.3" || row[2].Value != value || table.Notes[row[2].Notes[0]] != "as published: a paper, table 2" {
		t.Errorf("%+v, notes %q", row[:3], table.Notes)
	}
	for _, cell := range row[3:] {
		if cell.Text != "?" || !math.IsNaN(cell.Value) || !strings.Contains(table.Notes[cell.Notes[0]], "nobody has entered") {
			t.Errorf("unknown is %+v", cell)
		}
	}
}
