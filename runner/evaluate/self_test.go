package evaluate_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/trec"
	"headroom/metrics/measure"
	"headroom/runner/evaluate"
)

// written is a collection of documents and queries by id, judged by rows of a qrels file.
func written(t *testing.T, documents, queries map[string]string, qrels string) *collection.Collection {
	t.Helper()
	folder := t.TempDir()
	put := func(name, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := func(texts map[string]string) string {
		var b strings.Builder
		for id, text := range texts {
			fmt.Fprintf(&b, "{\"_id\":%q,\"text\":%q}\n", id, text)
		}
		return b.String()
	}
	put("corpus.jsonl", lines(documents))
	put("queries.jsonl", lines(queries))
	put("qrels/test.tsv", "query-id\tcorpus-id\tscore\n"+qrels)
	c, err := collection.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func measures(t *testing.T, names ...string) []measure.Measure {
	t.Helper()
	list, err := measure.ParseAll(names)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Of the query's own text, BM25 ranks the longer document that also has it second.
func TestADocumentIsTheQueryWhereIDAndTextAreTheSameAndItIsNotJudged(t *testing.T) {
	const own, other = "amber kettle", "amber kettle boils over slowly"
	for name, c := range map[string]struct {
		document, query, qrels string
		self                   evaluate.Self
		rr                     float64
		dropped                int
	}{
		"the same text":                  {own, own, "7\tb\t1\n", evaluate.SameText, 1, 1},
		"the same words, other spaces":   {own, " amber  kettle", "7\tb\t1\n", evaluate.SameText, 1, 1},
		"only the id":                    {"amber kettle amber", own, "7\tb\t1\n", evaluate.SameText, .5, 0},
		"only the id, and it is right":   {"amber kettle amber", own, "7\t7\t1\n", evaluate.SameText, 1, 0},
		"judged relevant":                {own, own, "7\t7\t1\n", evaluate.SameText, 1, 0},
		"judged not relevant":            {own, own, "7\t7\t0\n7\tb\t1\n", evaluate.SameText, .5, 0},
		"kept":                           {own, own, "7\tb\t1\n", evaluate.KeepSelf, .5, 0},
		"BEIR's rule, only the id":       {"amber kettle amber", own, "7\tb\t1\n", evaluate.DropSelf, 1, 1},
		"BEIR's rule, the judged answer": {own, own, "7\t7\t1\n", evaluate.DropSelf, 0, 1},
	} {
		data := written(t, map[string]string{"7": c.document, "b": other, "c": "unrelated"}, map[string]string{"7": c.query}, c.qrels)
		s, err := evaluate.BM25(t.Context(), data, evaluate.CollectionOptions{Measures: measures(t, "RR"), Self: c.self})
		if err != nil {
			t.Fatal(err)
		}
		if s.Measures["RR"] != c.rr || s.SelfDropped != c.dropped {
			t.Errorf("%s: RR %v and %d left out, want %v and %d", name, s.Measures["RR"], s.SelfDropped, c.rr, c.dropped)
		}
		if said := strings.Contains(strings.Join(s.Notices(nil), "\n"), "left out as the query itself"); said != (c.dropped > 0) {
			t.Errorf("%s: notices %q", name, s.Notices(nil))
		}
	}
}

func TestARunLosesTheDocumentsOfTheseQueries(t *testing.T) {
	run := trec.Run{"a": {{Doc: "b", Score: 2}, {Doc: "a", Score: 1}}, "b": {{Doc: "a", Score: 1}}, "c": {{Doc: "c", Score: 1}}}
	qrels := trec.Qrels{"a": {"b": 1}, "b": {"a": 1}, "c": {"c": 1}, "d": {"d": 1}}
	if own := evaluate.OwnIDs(qrels, run); !maps.Equal(own, map[string]bool{"a": true}) {
		t.Errorf("own ids that are not judged: %v", own)
	}
	if n := evaluate.WithoutSelf(run, map[string]bool{"a": true, "b": true, "d": true}); n != 1 || len(run) != 3 || len(run["a"]) != 1 || run["a"][0].Doc != "b" || len(run["b"]) != 1 || len(run["c"]) != 1 {
		t.Errorf("%d were left out, the rest is %v", n, run)
	}
}

// 1,100 documents have the query's word, each later one in a longer text; the last two are relevant.
func TestRankingsAreAsDeepAsTheDeepestCutoff(t *testing.T) {
	documents := map[string]string{}
	for i := range 1100 {
		documents[fmt.Sprintf("d%04d", i)] = "flint" + strings.Repeat(" xx", i)
	}
	data := written(t, documents, map[string]string{"q": "flint"}, "q\td1099\t1\nq\td1049\t1\n")
	for _, c := range []struct {
		names []string
		want  map[string]float64
		depth int
		cut   int
	}{
		{[]string{"R@1000", "AP"}, map[string]float64{"R@1000": 0, "AP": 0}, 1000, 1},
		{[]string{"R@1050", "R@1000"}, map[string]float64{"R@1050": .5, "R@1000": 0}, 1050, 1},
		{[]string{"R@1100", "P@1100", "AP"}, map[string]float64{"R@1100": 1, "P@1100": 2. / 1100, "AP": (1./1050 + 2./1100) / 2}, 1100, 0},
	} {
		s, err := evaluate.BM25(t.Context(), data, evaluate.CollectionOptions{Measures: measures(t, c.names...)})
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(s.Measures, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) || s.Depth != c.depth || s.Cut != c.cut {
			t.Errorf("%v: %v at depth %d with %d cut, want %v, %d, %d", c.names, s.Measures, s.Depth, s.Cut, c.want, c.depth, c.cut)
		}
		said := strings.Contains(strings.Join(s.Notices(measures(t, c.names...)), "\n"), "AP looks at the whole of a ranking and is measured on its first 1000 documents; rankings that have more: 1")
		if said != (c.names[1] == "AP") {
			t.Errorf("%v: notices %q", c.names, s.Notices(measures(t, c.names...)))
		}
	}
}

// Queries and documents of Cranfield are both numbered from 1. The figures are those of
// bm25s' Lucene form over the same tokens, with nothing left out.
func TestCranfieldsBM25LosesNoDocumentToItsNumber(t *testing.T) {
	c, err := collection.Open(filepath.Join(dataRoot(t), "beir/cranfield"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := evaluate.BM25(t.Context(), c, evaluate.CollectionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.Measures["nDCG@10"]-.4673) > 5e-5 || math.Abs(s.Measures["R@1000"]-.9609) > 5e-5 || s.SelfDropped != 0 {
		t.Errorf("%v with %d left out", s.Measures, s.SelfDropped)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	data := written(t, map[string]string{"a": "red fox", "b": ""}, map[string]string{"1": "fox", "2": " "}, "1\ta\t1\n1\tgone\t1\n2\tb\t1\n")
	s, err := evaluate.BM25(t.Context(), data, evaluate.CollectionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Missing != 1 || s.EmptyQueries != 1 || s.EmptyDocuments != 1 || s.Answered != 1 {
		t.Errorf("got %+v", s)
	}
	all := strings.Join(s.Notices(nil), "\n")
	for _, want := range []string{"1 of 2 judged queries", "that the corpus lacks: 1", "judged queries without a word: 1", "documents without a word: 1"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing says %q in %q", want, all)
		}
	}
}
