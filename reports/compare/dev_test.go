package compare_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

func TestACollectionThatSomeRunsWereMeasuredOnByHandStandsAside(t *testing.T) {
	in := sample.Demo()
	extra := in.Runs[0].Evaluations[0]
	extra.ID, extra.Dataset, extra.Measures = "hand", "beir:scifact", map[string]float64{"nDCG@10": .5, "AP": .25}
	for i := range in.Runs {
		in.Runs[i].Evaluations = slices.Clone(in.Runs[i].Evaluations)
	}
	in.Runs[0].Evaluations = append(in.Runs[0].Evaluations, extra)
	c := compared(t, in)
	if slices.Contains(c.Datasets, "beir:scifact") || slices.Contains(c.Measures, "AP") || c.Aside["beir:scifact"] != 1 {
		t.Errorf("collections %q, measures %q, aside %v", c.Datasets, c.Measures, c.Aside)
	}
	if !said(c.Limits, "Not compared: beir:scifact", "only 1 of") {
		t.Errorf("limits %q", c.Limits)
	}
	// Once every finished run has it, it is compared.
	for i := range in.Runs {
		if i > 0 && in.Runs[i].Finished() {
			in.Runs[i].Evaluations = append(in.Runs[i].Evaluations, extra)
		}
	}
	if c = compared(t, in); !slices.Contains(c.Datasets, "beir:scifact") || len(c.Aside) != 0 || said(c.Limits, "Not compared") {
		t.Errorf("collections %q, aside %v", c.Datasets, c.Aside)
	}
}

// What a sweep asks for is a column from its first run on.
func TestWhatTheSweepAsksForIsAColumnWhoeverHasIt(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs[1:] {
		in.Runs[i+1].Evaluations = nil
	}
	if c := compared(t, in); !slices.Equal(c.Datasets, []string{"builtin:demo", "builtin:demo-no-overlap"}) || len(c.Aside) != 0 {
		t.Errorf("collections %q, aside %v", c.Datasets, c.Aside)
	}
}

// watched gives every run an evaluation on dev data whose scores rise with k.
func watched(in *compare.Input) {
	for i := range in.Runs {
		r := &in.Runs[i]
		dev := r.Evaluations[0]
		dev.ID, dev.Split, dev.PerQuery = "dev"+dev.ID, "dev", nil
		dev.Measures = map[string]float64{"nDCG@10": math.Log2(r.Rescale) / 100}
		r.Evaluations = append([]compare.Evaluation{dev}, r.Evaluations...)
	}
}

func TestDevDataChooseKAndAreNoColumn(t *testing.T) {
	in := sample.Demo()
	watched(in)
	c := compared(t, in)
	if !slices.Equal(c.Datasets, []string{"builtin:demo", "builtin:demo-no-overlap"}) || said(c.Limits, "no dev evaluation") {
		t.Errorf("collections %q, limits %q", c.Datasets, c.Limits)
	}
	if said(c.Limits, "are test queries") {
		t.Errorf("limits %q", c.Limits)
	}
	in.Runs[3].DevTested = 7
	if limits := compared(t, in).Limits; !said(limits, "7 of the dev queries", "are test queries") {
		t.Errorf("limits %q", limits)
	}
	for _, l := range c.Lines {
		if l.SelectedOn != "dev" || l.Best != l.Points[len(l.Points)-1] {
			t.Errorf("%s: k = %s, selected on %s", l.Name(), l.Best.Text, l.SelectedOn)
		}
	}
}

// How often dev data are looked at decides the result if the best step is taken,
// and is no difference if it is not.
func TestWhatSelectsTheStepIsAnAxisWhereItSelects(t *testing.T) {
	for _, choice := range []string{"last", "best"} {
		in := sample.Demo()
		for i := range in.Runs {
			for _, every := range []string{"10", "20"} {
				r := in.Runs[i]
				r.ID = every + r.ID
				r.Config = append(slices.Clone(r.Config), compare.Setting{Key: "checkpoint.select", Value: choice}, compare.Setting{Key: "evaluate.every", Value: every})
				slices.SortFunc(r.Config, func(a, b compare.Setting) int { return strings.Compare(a.Key, b.Key) })
				in.Runs = append(in.Runs, r)
			}
		}
		in.Runs = in.Runs[len(in.Runs)/3:]
		if c, want := compared(t, in), map[string]int{"last": 2, "best": 4}[choice]; len(c.Lines) != want {
			t.Errorf("select %s: %d lines, want %d", choice, len(c.Lines), want)
		}
	}
}
