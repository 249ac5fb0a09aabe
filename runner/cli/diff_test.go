package cli_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/runner/cli"
)

func byQuery(values ...float64) map[string]float64 {
	all := map[string]float64{}
	for i, v := range values {
		all[fmt.Sprintf("q%02d", i)] = v
	}
	return all
}

// The expected numbers are those of testdata/diff.py.
func TestTheIntervalOfADifference(t *testing.T) {
	a := byQuery(.10, .25, .50, .00, .75, 1.00, .30, .45, .60, .20, .90, .35)
	b := byQuery(.20, .15, .80, .00, 1.00, 1.00, .55, .40, .95, .50, .85, .70)
	a["only of a"], b["only of b"] = 1, 0
	a["without a value"], b["without a value"] = math.NaN(), 1
	got, err := cli.DiffInterval(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]float64{"mean": {got.Mean, 0.1416666667}, "low": {got.Low, 0.0309248325}, "high": {got.High, 0.2524085008}, "p": {got.P, 0.0167989667}} {
		if !(math.Abs(c[0]-c[1]) < 1e-6) { // the quantile is found by steps
			t.Errorf("%s is %v, scipy has %v", name, c[0], c[1])
		}
	}
	if got.Queries != 12 || got.Differ != 10 || got.Text != "+0.0309 to +0.2524, 10 of 12 queries differ" {
		t.Errorf("%+v", got)
	}
	for text, values := range map[string][2]map[string]float64{
		"no query in common":              {byQuery(), byQuery(1)},
		"the same on all 2 queries":       {byQuery(.5, .25), byQuery(.5, .25)},
		"too few differ: 1 of 1 query":    {byQuery(.5), byQuery(.25)},
		"too few differ: 1 of 12 queries": {byQuery(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), byQuery(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)},
	} {
		got, err := cli.DiffInterval(values[0], values[1])
		if err != nil || got.Text != text || !math.IsNaN(got.Low) {
			t.Errorf("%q, want %q: %v", got.Text, text, err)
		}
	}
}

func TestDiffShowsWhatCameOfTheDifferences(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	p.sample()
	sweep := p.write("small.toml", strings.NewReplacer("[1, 2]", "[1]", "steps = 6", "steps = 2").Replace(smallSweep))
	p.ok("run", sweep, "--quiet")
	type value struct{ A, B float64 }
	d := decode[struct {
		A, B struct {
			State   string
			Verdict *string
		}
		Evaluations []struct {
			Dataset, Split string
			ActiveDocument value `json:"active_document"`
			Flops          value
			Measures       []struct {
				Measure    string
				A, B       float64
				Difference float64
				Low        *float64
				Queries    int
				PerQuery   map[string]value `json:"per_query"`
			}
		}
	}](t, p.ok("diff", "tiny-k1", "tiny-k4", "-q", "--json"))
	if d.A.State != "done" || d.B.Verdict == nil || len(d.Evaluations) != 1 || d.Evaluations[0].Dataset != "data" || d.Evaluations[0].Split != "test" {
		t.Fatalf("%+v", d)
	}
	stored := decode[struct {
		Rows []struct {
			K, Value, ActiveDocument, Flops float64
			Measure                         string
		}
	}](t, p.ok("query", "SELECT rescale AS k, measure, value, active_document AS ActiveDocument, flops FROM scores JOIN runs USING (run) WHERE current", "--json")).Rows
	e := d.Evaluations[0]
	for _, row := range stored {
		for _, m := range e.Measures {
			value, active, flops := m.A, e.ActiveDocument.A, e.Flops.A
			if row.K == 4 {
				value, active, flops = m.B, e.ActiveDocument.B, e.Flops.B
			}
			if m.Measure == row.Measure && (value != row.Value || active != row.ActiveDocument || flops != row.Flops) {
				t.Errorf("%s: %v, %v, %v; the store has %+v", m.Measure, value, active, flops, row)
			}
		}
	}
	for _, m := range e.Measures {
		sum := 0.0
		for _, v := range m.PerQuery {
			sum += v.B - v.A
		}
		if m.Queries != 4 || len(m.PerQuery) != 4 || math.Abs(m.Difference-sum/4) > 1e-12 || math.Abs(m.Difference-(m.B-m.A)) > 1e-12 || m.Low != nil {
			t.Errorf("%+v", m)
		}
	}
	out := p.ok("diff", "tiny-k1", "tiny-k4")
	for _, want := range []string{"model.rescale", "verdict", "nDCG@10 on data (test)", "active dims, document on data (test)", "FLOPS on data (test)", "second − first", "of 4 queries"} {
		if !strings.Contains(out, want) {
			t.Errorf("diff lacks %q:\n%s", want, out)
		}
	}
}
