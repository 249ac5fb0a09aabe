package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// curveRow is a row of the view curves.
type curveRow struct {
	Run, Dataset, Split, Side, Measure string
	Terms                              int
	Value, Flops                       float64
	ActiveQuery                        float64 `json:"active_query"`
	ActiveDocument                     float64 `json:"active_document"`
	Current                            int
}

// one is a sweep of one run.
func (p *place) one() string {
	p.t.Helper()
	p.sample()
	return p.write("small.toml", strings.NewReplacer("[1, 4]", "[4]", "[1, 2]", "[1]").Replace(smallSweep))
}

func (p *place) curves(condition string) []curveRow {
	p.t.Helper()
	return decode[struct{ Rows []curveRow }](p.t, p.ok("query", "SELECT * FROM curves WHERE "+condition+" ORDER BY run, side, terms, measure", "--json")).Rows
}

// TestACurveIsWhatTheSingleStepsGive: each cut of a run's evaluation has the figures of
// vectors that encode --top-k wrote, indexed, searched and measured.
func TestACurveIsWhatTheSingleStepsGive(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep := p.one()
	cuts := []string{"evaluate.prune_document=[5,2]", "evaluate.prune_query=[1]"}
	end := lastLine(t, p.ok(append([]string{"run", sweep, "--json"}, cuts...)...))
	run := end.Runs[0].ID
	rows := p.curves("run = '" + run + "'")
	if len(rows) != 3*3 {
		t.Fatalf("the curve has the rows %+v", rows)
	}
	at := func(name string) string { return filepath.Join(p.dir, name) }
	test := map[string]bool{}
	for line := range strings.Lines(read(t, at("data/qrels/test.tsv"))) {
		test[strings.Fields(line)[0]] = true
	}
	for _, c := range []struct {
		side  string
		terms int
	}{{"document", 2}, {"document", 5}, {"query", 1}} {
		encode := func(side, input, length string, query ...string) string {
			top := "0"
			if side == c.side {
				top = fmt.Sprint(c.terms)
			}
			output := at(side + ".jsonl")
			p.ok(append([]string{"encode", run, "--input", input, "--output", output, "--max-length", length, "--backend", "go", "--top-k", top}, query...)...)
			return output
		}
		documents := encode("document", at("data/corpus.jsonl"), "16")
		queries := encode("query", at("data/queries.jsonl"), "8", "--query")
		p.ok("index", documents, "--output", at("index"))
		p.ok("search", at("index"), "--queries", queries, "--k", "1000", "--output", at("run.trec"))
		if err := os.RemoveAll(at("index")); err != nil {
			t.Fatal(err)
		}
		want := decode[struct{ Measures map[string]float64 }](t, p.ok("evaluate", at("data/qrels/test.tsv"), at("run.trec"), "--json")).Measures
		inDocuments, activeDocument := frequencies(t, documents, nil)
		inQueries, activeQuery := frequencies(t, queries, test)
		flops := 0.0
		for term, share := range inQueries {
			flops += share * inDocuments[term]
		}
		found := 0
		for _, row := range rows {
			if row.Side != c.side || row.Terms != c.terms {
				continue
			}
			found++
			near := func(what string, got, want float64) {
				if math.Abs(got-want) > 1e-12 {
					t.Errorf("%s %d, %s: %s is %v in the curve and %v step by step", c.side, c.terms, row.Measure, what, got, want)
				}
			}
			value, ok := want[row.Measure]
			if !ok {
				t.Errorf("%s is not measured step by step", row.Measure)
			}
			near("the value", row.Value, value)
			near("the mean of terms per query", row.ActiveQuery, activeQuery)
			near("the mean of terms per document", row.ActiveDocument, activeDocument)
			near("FLOPS", row.Flops, flops)
			if row.Dataset != "data" || row.Split != "test" || row.Current != 1 {
				t.Errorf("row %+v", row)
			}
		}
		if found != 3 {
			t.Errorf("%s %d has %d measures", c.side, c.terms, found)
		}
	}
	// The untrained baseline has them too; a damaged file is measured again.
	type summary struct {
		Name  string
		Curve []struct{ Side string }
		Files map[string]struct{ SHA256 string }
	}
	names, err := filepath.Glob(at("ws/baselines/*/summary.json"))
	if err != nil || len(names) != 2 {
		t.Fatalf("baselines %v, %v", names, err)
	}
	for _, name := range names {
		s := decode[summary](t, read(t, name))
		if want := map[string]int{"bm25": 0, "untrained": 3}[s.Name]; len(s.Curve) != want || (s.Files["curve.tsv.gz"].SHA256 != "") != (want > 0) {
			t.Errorf("%s has %+v", s.Name, s)
		}
	}
	files, err := filepath.Glob(at("ws/runs/" + run + "/evaluations/*/curve.tsv.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	before := read(t, files[0])
	if err := os.WriteFile(files[0], []byte(strings.Replace(before, before[20:21], string(before[20]^1), 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if state, why := p.evaluationState(append([]string{sweep}, cuts...)); state != "damaged" || !strings.Contains(why, "curve.tsv.gz") {
		t.Errorf("a damaged curve plans as %s: %s", state, why)
	}
	p.ok(append([]string{"run", sweep}, cuts...)...)
	if read(t, files[0]) != before {
		t.Error("the curve that was made again is another")
	}
}

// evaluationState is the state of the first run's evaluation in a plan.
func (p *place) evaluationState(args []string) (state, why string) {
	p.t.Helper()
	for _, e := range decode[struct {
		Evaluations []struct{ Run, State, Why string }
	}](p.t, p.ok(append([]string{"plan", "--json"}, args...)...)).Evaluations {
		if e.Run != "" {
			return e.State, e.Why
		}
	}
	p.t.Fatal("the plan has no evaluation of a run")
	return "", ""
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// frequencies are, by term, the share of a file's vectors that have it, and the mean
// number of terms; of the vectors with these ids, or of all.
func frequencies(t *testing.T, path string, ids map[string]bool) (share map[string]float64, mean float64) {
	t.Helper()
	share = map[string]float64{}
	n := 0.0
	for line := range strings.Lines(read(t, path)) {
		v := decode[struct {
			ID     string
			Vector map[string]json.Number
		}](t, line)
		if ids != nil && !ids[v.ID] {
			continue
		}
		n++
		for term := range v.Vector {
			share[term]++
		}
	}
	for term := range share {
		mean += share[term] / n
		share[term] /= n
	}
	return share, mean
}

// TestWhichCurvesAreMissing: what is listed is missing if it was not measured; what
// nobody listed never is.
func TestWhichCurvesAreMissing(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	few := []string{p.one()}
	with := func(more ...string) []string { return append(slices.Clone(few), more...) }
	id := lastLine(t, p.ok(append([]string{"run", "--json"}, with("evaluate.prune_document=[]")...)...)).Runs[0].ID
	if rows := p.curves("1"); len(rows) != 0 {
		t.Fatalf("a curve that was not asked for: %+v", rows)
	}
	for _, args := range [][]string{with(), with("evaluate.prune_query=[]")} {
		if state, why := p.evaluationState(args); state != "done" {
			t.Errorf("%q plans as %s: %s", args[1:], state, why)
		}
	}
	asked := with("evaluate.prune_document=[4,2]", "evaluate.prune_query=[3]")
	if state, why := p.evaluationState(asked); state != "new" || why != "its summary lacks evaluate.prune_document = 4" {
		t.Errorf("cuts that are listed plan as %s: %s", state, why)
	}
	again := lastLine(t, p.ok(append([]string{"run", "--json"}, asked...)...))
	if again.Runs[0].ID != id || again.Done == 0 {
		t.Errorf("cuts make another run, or measure nothing: %+v", again)
	}
	have := func() []string {
		all := map[string]bool{}
		for _, row := range p.curves("run = '" + id + "'") {
			all[fmt.Sprint(row.Side, " ", row.Terms)] = true
		}
		return slices.Sorted(maps.Keys(all))
	}
	if got, want := have(), []string{"document 2", "document 4", "query 3"}; !slices.Equal(got, want) {
		t.Errorf("the curve has %v, want %v", got, want)
	}
	// Another list keeps what another sweep may want.
	p.ok(append([]string{"run"}, with("evaluate.prune_document=[3]")...)...)
	p.ok("evaluate", "--run", id[:8], "--on", filepath.Join(p.dir, "data"), "--backend", "go", "--prune-query", "1,2")
	if got, want := have(), []string{"document 2", "document 3", "document 4", "query 1", "query 2", "query 3"}; !slices.Equal(got, want) {
		t.Errorf("the curve has %v, want %v", got, want)
	}
	if state, why := p.evaluationState(asked); state != "done" {
		t.Errorf("cuts that are there plan as %s: %s", state, why)
	}
}

func TestEvaluatePrintsCuts(t *testing.T) {
	p, model := steps(t)
	out := p.ok("evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--backend", "go", "--max-length", "16", "--prune-document", "3,1")
	var vectors []string
	for line := range strings.Lines(out) {
		for _, cell := range []string{"vectors", "whole", "document 1", "document 3"} {
			if strings.Contains(line, cell) {
				vectors = append(vectors, cell)
			}
		}
	}
	if want := []string{"vectors", "whole", "document 1", "document 3"}; !slices.Equal(vectors, want) {
		t.Errorf("the table has the rows %q, want %q:\n%s", vectors, want, out)
	}
	for list, text := range map[string]string{"0": "element 1: 0 is too small", "2,2": "element 2: 2 is there twice", "-1": "too small", "x": "allowed: integers"} {
		p.refused([]string{"evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--prune-query=" + list}, "prune-query", text)
	}
	p.refused([]string{"evaluate", "qrels", "run", "--prune-document", "3"}, "--prune-document belongs to --model and --run")
}
