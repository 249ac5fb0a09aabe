package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A note names a ranking without a row: an index of words and queries of ids have no term in common.
func TestASearchThatFindsNothingSaysSo(t *testing.T) {
	p := newPlace(t)
	documents := p.write("documents.jsonl", "{\"id\":\"d1\",\"vector\":{\"fox\":1}}\n")
	p.ok("index", documents, "--output", filepath.Join(p.dir, "words"))
	p.write("documents.jsonl", "{\"id\":\"d1\",\"vector\":{\"5\":1}}\n")
	p.ok("index", documents, "--output", filepath.Join(p.dir, "ids"))
	queries := p.write("queries.jsonl", "{\"id\":\"q1\",\"vector\":{\"5\":1}}\n{\"id\":\"q2\",\"vector\":{\"7\":1}}\n")
	for index, want := range map[string]string{
		"words": "note: the run is empty: no document has a term of any of the queries (2)",
		"ids":   `note: 1 of 2 queries find no document and have no row in the run; the first is "q2"`,
	} {
		if r := p.run("search", filepath.Join(p.dir, index), "--queries", queries); r.code != 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", index, r)
		}
	}
}

func TestAnEvaluationsFolderIsSeenAndHasOneCollection(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	p.ok("run", p.sample())
	p.ok("evaluate", "--model", "tiny-k1-s1", "--on", filepath.Join(p.dir, "data"), "--output", filepath.Join(p.dir, "out"), "--backend", "go")
	entries, err := os.ReadDir(filepath.Join(p.dir, "out"))
	if err != nil || len(entries) != 1 || strings.ContainsAny(entries[0].Name()[:1], ".-") {
		t.Errorf("%v, %v", entries, err)
	}
	spaced, dashed := filepath.Join(p.dir, "a b"), filepath.Join(p.dir, "a-b") // results of both would be in a folder …-a-b
	for _, folder := range []string{spaced, dashed} {
		if err := os.CopyFS(folder, os.DirFS(filepath.Join(p.dir, "data"))); err != nil {
			t.Fatal(err)
		}
	}
	p.refused([]string{"evaluate", "--model", "tiny-k1-s1", "--on", spaced, dashed, "--output", filepath.Join(p.dir, "out"), "--backend", "go"}, "--output has one folder")
	p.refused([]string{"evaluate", "--model", "tiny-k1-s1", "--on", filepath.Join(p.dir, "data"), filepath.Join(p.dir, "data"), "--backend", "go"}, "twice")
}

// A weight of 1.0004 is 1 as float16, and then the smaller id comes second.
func TestAnIndexOfSixteenBitsSaysWhatItChanges(t *testing.T) {
	p := newPlace(t)
	documents := p.write("documents.jsonl", `{"id":"a","vector":{"5":1.0004}}`+"\n"+`{"id":"b","vector":{"5":1}}`+"\n")
	queries := p.write("queries.jsonl", `{"id":"q1","vector":{"5":1}}`+"\n")
	qrels := p.write("qrels.txt", "q1 0 a 1\n")
	index := filepath.Join(p.dir, "index")
	r := p.run("index", documents, "--output", index, "--weights", "float16", "--queries", queries, "--qrels", qrels)
	if want := "nDCG@10 of 1 queries: 1.0000 with float32, 0.6309 with float16 (-0.3691); 1 queries rank their first 10 otherwise\n"; !strings.HasSuffix(r.stdout, want) {
		t.Errorf("got %s", r.stdout)
	}
	r = p.run("index", documents, "--output", index, "--weights", "float16", "--queries", queries, "--qrels", qrels, "--json")
	if want := `"weights":"float16","ndcg_at_10":{"float32":1,"float16":0.6309297535714574,"queries":1,"changed":1}`; !strings.Contains(strings.Join(strings.Fields(r.stdout), ""), want) {
		t.Errorf("got %s", r.stdout)
	}
	if r := p.run("index", documents, "--output", index, "--weights", "float16"); !strings.Contains(r.stderr, "rounded to 11 bits") {
		t.Errorf("got %s", r.stderr)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("%s is left over", entry.Name())
		}
	}
	p.refused([]string{"index", documents, "--output", index, "--weights", "int8"}, "allowed: float32, float16")
	p.refused([]string{"index", documents, "--output", index, "--queries", queries, "--qrels", qrels}, "belong to --weights float16")
	p.refused([]string{"index", documents, "--output", index, "--weights", "float16", "--queries", queries}, "--queries and --qrels belong together")
}

func TestAnIndexIsWrittenForOtherPrograms(t *testing.T) {
	p := newPlace(t)
	row := `{"id":"d1","vector":{"3":1.5}}` + "\n"
	index := filepath.Join(p.dir, "index")
	p.ok("index", p.write("documents.jsonl", row), "--output", index)
	for format, want := range map[string]string{"jsonl": row, "anserini": `{"id":"d1","contents":"","vector":{"3":150}}` + "\n"} {
		if got := p.ok("vectors", index, "--format", format, "--output", "-"); got != want {
			t.Errorf("%s: got %s", format, got)
		}
	}
	p.ok("vectors", index, "--format", "ciff", "--output", filepath.Join(p.dir, "index.ciff"))
	p.ok("vectors", index, "--format", "npy", "--output", filepath.Join(p.dir, "arrays"))
	for _, name := range []string{"index.ciff", "arrays/data.npy", "arrays/ids.txt"} {
		if info, err := os.Stat(filepath.Join(p.dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.refused([]string{"vectors", index, "--format", "npy", "--output", filepath.Join(p.dir, "arrays")}, "is there already")
	p.refused([]string{"vectors", index, "--format", "npy", "--output", "-"}, "cannot be -")
	p.refused([]string{"vectors", index, "--format", "parquet", "--output", "-"}, "allowed: jsonl, anserini, ciff, npy")
	p.refused([]string{"vectors", filepath.Join(p.dir, "none"), "--output", "-"}, "no index.json")
}
