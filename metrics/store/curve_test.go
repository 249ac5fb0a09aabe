package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/metrics/record"
	"headroom/metrics/store"
)

const (
	curveSummary = `{"schema":1,"id":"e","dataset":"builtin:demo","split":"test","queries":2,"documents":9,
	"measures":{"nDCG@10":0.5,"RR@10":0.5},"active_query":3.5,"active_document":7,"flops":1.25,"seconds":{},"collection_digest":"sha256:q",
	"curve":[{"side":"document","terms":4,"measures":{"nDCG@10":0.375,"RR@10":0.25},"active_query":3.5,"active_document":4,"flops":0.75},
	{"side":"query","terms":1,"measures":{"nDCG@10":0,"RR@10":0.125},"active_query":1,"active_document":7,"flops":0.5}]}`
	curveValues = "side\tterms\tmeasure\tquery\tvalue\n" +
		"document\t4\tnDCG@10\tq1\t0.75\ndocument\t4\tnDCG@10\tq2\t0\ndocument\t4\tRR@10\tq2\t0.5\ndocument\t4\tRR@10\tq1\t0\n" +
		"query\t1\tnDCG@10\tq1\t0\nquery\t1\tnDCG@10\tq2\t0\nquery\t1\tRR@10\tq1\t0.25\nquery\t1\tRR@10\tq2\t0\n"
)

// curve writes an evaluation with two cuts into a folder.
func (w *space) curve(folder, summary, values string) {
	w.T.Helper()
	w.evaluation(folder, "e", "test", .5)
	w.Write(filepath.Join(folder, "e", record.SummaryFile), summary)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	if _, err := zip.Write([]byte(values)); err != nil {
		w.T.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		w.T.Fatal(err)
	}
	w.Write(filepath.Join(folder, "e", record.CurveFile), zipped.String())
}

func TestCurvesAreRowsAndTheirQueriesAreReadBack(t *testing.T) {
	w := newSpace(t)
	w.sweep("demo", "0001", member("a", 1))
	w.attempt("a", 0)
	w.curve("runs/"+id("a")+"/evaluations", curveSummary, curveValues)
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT run, dataset, split, side, terms, measure, value, active_query, active_document, flops, collection_digest, current FROM curves ORDER BY side, terms, measure",
		id("a")+"|builtin:demo|test|document|4|RR@10|0.25|3.5|4|0.75|sha256:q|1",
		id("a")+"|builtin:demo|test|document|4|nDCG@10|0.375|3.5|4|0.75|sha256:q|1",
		id("a")+"|builtin:demo|test|query|1|RR@10|0.125|1|7|0.5|sha256:q|1",
		id("a")+"|builtin:demo|test|query|1|nDCG@10|0|1|7|0.5|sha256:q|1")
	table, err := s.Query(context.Background(), "SELECT * FROM curves")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(table.Columns, ", "), "run, dataset, split, side, terms, measure, value, active_query, active_document, flops, collection_digest, current"; got != want {
		t.Errorf("curves has %s, want %s", got, want)
	}
	w.sameAsNew(s)
	got, err := s.Curve(context.Background(), "e")
	if err != nil {
		t.Fatal(err)
	}
	type values = map[string]map[string]float64
	want := []store.Cut{
		{Cut: record.Cut{Side: "document", Terms: 4, Measures: map[string]float64{"nDCG@10": .375, "RR@10": .25}, ActiveQuery: 3.5, ActiveDocument: 4, Flops: .75},
			PerQuery: values{"nDCG@10": {"q1": .75, "q2": 0}, "RR@10": {"q1": 0, "q2": .5}}},
		{Cut: record.Cut{Side: "query", Terms: 1, Measures: map[string]float64{"nDCG@10": 0, "RR@10": .125}, ActiveQuery: 1, ActiveDocument: 7, Flops: .5},
			PerQuery: values{"nDCG@10": {"q1": 0, "q2": 0}, "RR@10": {"q1": .25, "q2": 0}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the curve is %+v, want %+v", got, want)
	}
	if none, err := s.Curve(context.Background(), "another"); err != nil || none != nil {
		t.Errorf("no curve: %v, %v", none, err)
	}
	// Measured again without cuts, they are gone.
	w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5)
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM cut_value", "0")
}

func TestCurvesThatContradictTheSummaryAreDamage(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a mean":              {`"nDCG@10":0.375`, `"nDCG@10":0.25`, "the mean of its values of nDCG@10 is 0.375, the summary says 0.25"},
		"a row is gone":       {"query\t1\tRR@10\tq2\t0\n", "", "it has 1 values of RR@10, and the summary says 2 queries"},
		"another query":       {"document\t4\tnDCG@10\tq2\t0\ndocument\t4\tRR@10\tq2", "document\t4\tnDCG@10\tq3\t0\ndocument\t4\tRR@10\tq3", "the cut document 4 has other queries than per_query.tsv"},
		"a cut too many":      {`{"side":"query","terms":1`, `{"side":"query","terms":2`, "it has 0 values of RR@10"},
		"a cut that is gone":  {`,` + "\n\t" + `{"side":"query","terms":1,"measures":{"nDCG@10":0,"RR@10":0.125},"active_query":1,"active_document":7,"flops":0.5}`, ``, "it has the cut query 1, which the summary does not have"},
		"a cut twice":         {`"side":"query","terms":1`, `"side":"document","terms":4`, "it has the cut document 4 twice"},
		"other measures":      {`"measures":{"nDCG@10":0,"RR@10":0.125}`, `"measures":{"nDCG@10":0}`, "the cut query 1 has other measures than the whole"},
		"a value is no value": {"q1\t0.75", "q1\thigh", `curve.tsv.gz:2: value is "high": want a number`},
		"a header":            {"side\tterms", "side\tn", `want "side\tterms\tmeasure\tquery\tvalue"`},
		"a row twice":         {"query\t1\tRR@10\tq2", "query\t1\tRR@10\tq1", `query "q1" has RR@10 twice at query 1`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSpace(t)
			summary, values := strings.Replace(curveSummary, c.old, c.new, 1), strings.Replace(curveValues, c.old, c.new, 1)
			if summary == curveSummary && values == curveValues {
				t.Fatalf("%q is nowhere", c.old)
			}
			w.curve("baselines", summary, values)
			s := w.open()
			var damage *store.Damage
			err := store.Fold(context.Background(), w.Root, s)
			if !errors.As(err, &damage) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fold gives %v; want %q", err, c.want)
			}
			expect(t, s, "SELECT count(*) FROM evaluation", "0")
		})
	}
}

// The value over all queries of a measure that counts is the sum, of the whole and of a cut.
func TestACountIsTheSumOfItsQueries(t *testing.T) {
	w := newSpace(t)
	counted := strings.NewReplacer(`"nDCG@10":0.5,"RR@10":0.5`, `"nDCG@10":0.5,"NumRet":1`,
		`"RR@10":0.25`, `"NumRet":0.5`, `"RR@10":0.125`, `"NumRet":0.25`, "RR@10", "NumRet")
	w.curve("baselines", counted.Replace(curveSummary), counted.Replace(curveValues))
	w.Write("baselines/e/per_query.tsv", "query\tmeasure\tvalue\nq1\tnDCG@10\t1\nq1\tNumRet\t1\nq2\tnDCG@10\t0\nq2\tNumRet\t0\n")
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM cut_value WHERE measure = 'NumRet'", "2")
}
