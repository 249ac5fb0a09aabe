package cli_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noted is what a command that must succeed prints on each stream.
func (p *place) noted(args ...string) (out, notes string) {
	p.t.Helper()
	r := p.run(args...)
	if r.code != 0 {
		p.t.Fatalf("%q ends with %d: %s", args, r.code, r.stderr)
	}
	return r.stdout, r.stderr
}

func TestARunFileKeepsTheQuerysIDUnlessToldOtherwise(t *testing.T) {
	p := newPlace(t)
	qrels := p.write("qrels", "5 0 x 1\n6 0 6 1\n")
	run := p.write("run", "5 Q0 5 1 9 t\n5 Q0 x 2 8 t\n6 Q0 6 1 9 t\n")
	for _, c := range []struct {
		args    []string
		rr      float64
		dropped int
		says    string
	}{
		{nil, .75, 0, "rankings that hold an unjudged document with the query's id: 1"},
		{[]string{"--keep-self"}, .75, 0, ""},
		{[]string{"--drop-self"}, .5, 2, "2 ranked documents are left out as the query itself"},
	} {
		out, notes := p.noted(append([]string{"evaluate", qrels, run, "RR", "--json"}, c.args...)...)
		got := decode[struct {
			Measures    map[string]float64
			SelfDropped int `json:"self_dropped"`
		}](t, out)
		if got.Measures["RR"] != c.rr || got.SelfDropped != c.dropped {
			t.Errorf("%q: %+v, want %v and %d", c.args, got, c.rr, c.dropped)
		}
		if !strings.Contains(notes, c.says) || (c.says == "" && notes != "") {
			t.Errorf("%q: notes %q, want %q", c.args, notes, c.says)
		}
	}
	p.refused([]string{"evaluate", qrels, run, "--keep-self", "--drop-self"}, "exclude each other")
}

func TestOneLevelOfRelevanceIsForAllMeasures(t *testing.T) {
	p := newPlace(t)
	qrels, run := p.write("qrels", "q 0 a 1\nq 0 b 2\n"), p.write("run", "q Q0 a 1 9 t\nq Q0 b 2 8 t\n")
	out, _ := p.noted("evaluate", qrels, run, "RR", "P@2", "P(rel=1)@2", "nDCG@10", "-l", "2")
	want := "RR(rel=2)             \tall\t0.5000\nP(rel=2)@2            \tall\t0.5000\nP@2                   \tall\t1.0000\n"
	if !strings.HasPrefix(out, want) {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	p.refused([]string{"evaluate", qrels, run, "--rel", "-1"}, "--rel is -1", "1 or more")
}

// The scores say a before b, the rank column b before a.
func TestByRankReadsTheRankColumn(t *testing.T) {
	p := newPlace(t)
	qrels := p.write("qrels", "q 0 b 1\n")
	for name, want := range map[string]string{"q Q0 a 2 9 t\nq Q0 b 1 8 t\n": "1.0000", "q\ta\t1\nq\tb\t3\n": "0.3333"} {
		out, _ := p.noted("evaluate", qrels, p.write("run", name), "RR@10", "--by-rank")
		if !strings.Contains(out, want) {
			t.Errorf("%q: %s, want %s", name, out, want)
		}
	}
}

func TestARunOfThreeColumnsSaysHowItIsRead(t *testing.T) {
	p := newPlace(t)
	p.refused([]string{"evaluate", p.write("qrels", "q 0 a 1\n"), p.write("run", "q\ta\t1\n")}, "run:1", "3 columns", "--by-rank")
}

func TestARunFileThatMeasuresNothingSaysSo(t *testing.T) {
	p := newPlace(t)
	qrels := p.write("qrels", "q1 0 a 1\nq2 0 b 1\nq3 0 c 0\n")
	for text, says := range map[string]string{
		"":                               "the ranking is empty: no document for 3 judged queries",
		"q1 Q0 a 1 9 t\n":                `1 of 3 judged queries are answered, the rest count as 0; the first without an answer is "q2"`,
		"q1 Q0 z 1 9 t\n":                "none of the 1 returned document is judged",
		"q1 Q0 a 1 9 t\nq9 Q0 a 1 9 t\n": "1 query of the run is not judged and left out",
		"q1 Q0 a 1 9 t\nq2 Q0 b 1 9 t\n": `1 judged query has no document with a grade above 0; the first is "q3"`,
	} {
		if _, notes := p.noted("evaluate", qrels, p.write("run", text), "RR"); !strings.Contains(notes, says) {
			t.Errorf("%q: notes %q, want %q", text, notes, says)
		}
	}
	p.refused([]string{"evaluate", qrels, p.write("run", "other Q0 a 1 9 t\n"), "RR"}, "no query in common", `"q1"`, `"other"`)
	p.stdin = "q1 Q0 x 1 9 t\nq1 Q0 a 2 8 t\n"
	if out, _ := p.noted("evaluate", qrels, "-", "P@2"); !strings.Contains(out, "0.1667") {
		t.Errorf("of a run from standard input: %s", out)
	}
	p.refused([]string{"evaluate", "-", "-"}, "one of the two can be standard input")
}

// Query 1 is document 1; query 2 only has its number.
func TestARunFileIsMeasuredOnACollectionAsTheModelIs(t *testing.T) {
	p, model := steps(t)
	folder := filepath.Join(p.dir, "own")
	for name, text := range map[string]string{
		"corpus.jsonl":  `{"_id":"1","text":"red stone"}` + "\n" + `{"_id":"2","text":"river"}` + "\n" + `{"_id":"3","text":"stone red river"}` + "\n",
		"queries.jsonl": `{"_id":"1","text":"red stone"}` + "\n" + `{"_id":"2","text":"stone"}` + "\n",
		"qrels/dev.tsv": "query-id\tcorpus-id\tscore\n1\t3\t1\n2\t1\t1\n",
	} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	type measured struct {
		Measures    map[string]float64
		SelfDropped int `json:"self_dropped"`
	}
	out := filepath.Join(p.dir, "out")
	values := map[string]measured{}
	for self, dropped := range map[string]int{"--keep-self=false": 1, "--keep-self": 0, "--drop-self": 2} {
		whole := decode[struct{ Evaluations []measured }](t, p.ok("evaluate", "--model", model, "--on", folder, "--split", "dev", "--backend", "go", "--max-length", "16", "--json", self))
		p.ok("evaluate", "--model", model, "--on", folder, "--split", "dev", "--backend", "go", "--max-length", "16", "--keep-self", "--output", out)
		run, err := filepath.Glob(filepath.Join(out, "*", "run.trec.gz"))
		if err != nil || len(run) != 1 {
			t.Fatalf("%v %v", run, err)
		}
		file := decode[measured](t, p.ok("evaluate", folder, run[0], "--split", "dev", "--json", self))
		if got := whole.Evaluations[0]; !maps.Equal(got.Measures, file.Measures) || got.SelfDropped != dropped || file.SelfDropped != dropped {
			t.Errorf("%s: the model has %+v, its file %+v, want %d left out", self, got, file, dropped)
		}
		values[self] = file
	}
	if values["--keep-self"].Measures["RR@10"] >= values["--keep-self=false"].Measures["RR@10"] {
		t.Errorf("the query itself makes no difference: %+v", values)
	}
	p.refused([]string{"evaluate", folder, "run"}, "no such split; it has dev")
	p.refused([]string{"evaluate", "qrels", "run", "--split", "dev"}, "--split belongs to")
}

func TestADeeperCutoffAndTheWholeRankingAreNotKeptTogether(t *testing.T) {
	p := newPlace(t)
	p.refused([]string{"plan", p.sample(), "evaluate.measures=['AP', 'R@1400']"}, "evaluate.measures", "measure AP looks at whole rankings", "1400")
	for _, together := range []string{"['AP', 'R@1000']", "['AP@1400', 'R@1400']", "['NumRel', 'R@1400']"} {
		p.ok("plan", p.sample(), "evaluate.measures="+together)
	}
}

func TestARunFileThatWasCutSaysWhatItCannotMeasure(t *testing.T) {
	p := newPlace(t)
	qrels := p.write("qrels", "q1 0 d1 1\nq2 0 d1 1\nq3 0 d1 1\n")
	text := func(lengths ...int) string {
		var b strings.Builder
		for q, n := range lengths {
			for d := range n {
				fmt.Fprintf(&b, "q%d Q0 d%d %d %d t\n", q+1, d+1, d+1, n-d)
			}
		}
		return b.String()
	}
	for _, c := range []struct {
		lengths []int
		measure string
		says    string
	}{
		{[]int{100, 100, 40}, "R@1000", "2 of 3 rankings end after 100 documents, none has more: R@1000 cannot see deeper"},
		{[]int{100, 100, 40}, "R@100", ""},
		{[]int{100, 90, 40}, "R@1000", ""},
		{[]int{5, 5, 5}, "R@1000", ""},
	} {
		_, notes := p.noted("evaluate", qrels, p.write("run", text(c.lengths...)), c.measure)
		if !strings.Contains(notes, c.says) || (c.says == "" && notes != "") {
			t.Errorf("%v, %s: notes %q, want %q", c.lengths, c.measure, notes, c.says)
		}
	}
}
