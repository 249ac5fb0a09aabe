package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A ranking without a row is said: an index of words and queries of ids have no term in common.
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
	p.refused([]string{"evaluate", "--model", "tiny-k1-s1", "--on", filepath.Join(p.dir, "data"), filepath.Join(p.dir, "data"), "--output", filepath.Join(p.dir, "out"), "--backend", "go"}, "--output has one folder")
}
