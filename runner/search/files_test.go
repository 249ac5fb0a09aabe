package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/runner/search"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFromFilesToARun(t *testing.T) {
	documents := write(t, "documents.jsonl", `{"id":"d2","vector":{"5":1,"30000":0.5}}
{"id":"d10","vector":{"5":1}}
{"id":"d3","vector":{"7":2,"5":0}}
{"id":"d4","vector":{}}
`)
	queries := write(t, "queries.jsonl", `{"id":"q2","vector":{"5":2,"16777215":1}}
{"id":"q1","vector":{"7":0.5,"5":0.1}}
{"id":"q3","vector":{"9":1}}
`)
	dir := filepath.Join(t.TempDir(), "index")
	summary, err := search.IndexFile(context.Background(), documents, dir)
	if want := (search.Summary{Documents: 4, Vocab: 30001, Postings: 4}); err != nil || summary != want {
		t.Fatalf("got %+v, %v", summary, err)
	}
	for k, want := range map[int]string{
		10: "q1 Q0 d3 1 1 headroom\nq1 Q0 d2 2 0.1 headroom\nq1 Q0 d10 3 0.1 headroom\n" +
			"q2 Q0 d2 1 2 headroom\nq2 Q0 d10 2 2 headroom\n",
		1: "q1 Q0 d3 1 1 headroom\nq2 Q0 d2 1 2 headroom\n",
	} {
		var run bytes.Buffer
		if _, _, err := search.SearchFile(context.Background(), dir, queries, k, &run); err != nil {
			t.Fatal(err)
		}
		if run.String() != want {
			t.Errorf("k %d: got\n%swant\n%s", k, run.String(), want)
		}
	}
}

// Words are terms too; a file is one or the other as a whole, so that "2" among words is a word.
func TestTermsMayBeWords(t *testing.T) {
	documents := write(t, "documents.jsonl", `{"id":"a","vector":{"2":1,"##s":1,"é":3}}`+"\n"+`{"id":"b","vector":{"zebra":1,"\u00e9":1}}`)
	queries := write(t, "queries.jsonl", `{"id":"q","vector":{"zebra":1,"unknown":9,"é":2,"2":1}}`)
	dir := filepath.Join(t.TempDir(), "index")
	summary, err := search.IndexFile(context.Background(), documents, dir)
	if want := (search.Summary{Documents: 2, Vocab: 4, Postings: 5, Words: true}); err != nil || summary != want {
		t.Fatalf("got %+v, %v", summary, err)
	}
	var run bytes.Buffer
	if _, _, err := search.SearchFile(context.Background(), dir, queries, 5, &run); err != nil {
		t.Fatal(err)
	}
	if want := "q Q0 a 1 7 headroom\nq Q0 b 2 3 headroom\n"; run.String() != want {
		t.Errorf("got\n%s", run.String())
	}
}

func TestBadFilesAreRefusedAndNothingIsWritten(t *testing.T) {
	bad := badRows()
	bad["document twice"] = struct{ row, want string }{`{"id":"first","vector":{"1":1}}`, `document "first" is there twice, first in line 1`}
	for name, c := range bad {
		t.Run(name, func(t *testing.T) {
			documents := write(t, "documents.jsonl", `{"id":"first","vector":{"1":1}}`+"\n\n"+c.row+"\n")
			dir := filepath.Join(t.TempDir(), "index")
			_, err := search.IndexFile(context.Background(), documents, dir)
			if err == nil || !strings.Contains(err.Error(), documents+":3: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder was made: %v", err)
			}
		})
	}
	for _, text := range []string{"", "\n\n"} {
		if _, err := search.IndexFile(context.Background(), write(t, "empty.jsonl", text), t.TempDir()); !errors.Is(err, search.ErrNoVectors) {
			t.Errorf("an empty file: %v", err)
		}
	}
	if _, err := search.IndexFile(context.Background(), "missing.jsonl", t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestIndexFileHasALimit(t *testing.T) {
	documents := write(t, "documents.jsonl", `{"id":"a","vector":{"1":1,"2":1}}`+"\n"+`{"id":"b","vector":{"1":1,"2":1}}`+"\n")
	large := new(search.TooLargeError)
	_, err := search.IndexFileWith(context.Background(), documents, t.TempDir(), search.Options{MaxPostings: 3})
	if !errors.As(err, &large) || large.Postings != 4 || !strings.Contains(err.Error(), ":2: ") {
		t.Errorf("got %v", err)
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	if _, err := search.IndexFile(context.Background(), write(t, "d.jsonl", `{"id":"a","vector":{"1":1}}`), dir); err != nil {
		t.Fatal(err)
	}
	bad := badRows()
	bad["query twice"] = struct{ row, want string }{`{"id":"first","vector":{"1":1}}`, `query "first" is there twice, first in line 1`}
	bad["comment"] = struct{ row, want string }{`{"id":"#1","vector":{"1":1}}`, `query "#1"`}
	bad["word"] = struct{ row, want string }{`{"id":"q","vector":{"cat":1}}`, `term "cat": the index's terms are token ids`}
	for name, c := range bad {
		t.Run(name, func(t *testing.T) {
			queries := write(t, "queries.jsonl", `{"id":"first","vector":{"1":1}}`+"\n\n"+c.row+"\n")
			var run bytes.Buffer
			_, _, err := search.SearchFile(context.Background(), dir, queries, 5, &run)
			if err == nil || !strings.Contains(err.Error(), queries+":3: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if run.Len() > 0 {
				t.Error("something was written")
			}
		})
	}
	good := write(t, "q.jsonl", `{"id":"q","vector":{"1":1}}`)
	if _, _, err := search.SearchFile(context.Background(), dir, good, 0, &bytes.Buffer{}); !errors.Is(err, search.ErrCutoff) {
		t.Errorf("k 0: %v", err)
	}
	if _, _, err := search.SearchFile(context.Background(), dir, write(t, "none", ""), 1, &bytes.Buffer{}); !errors.Is(err, search.ErrNoVectors) {
		t.Errorf("no queries: %v", err)
	}
	if _, _, err := search.SearchFile(context.Background(), t.TempDir(), good, 1, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "index.json") {
		t.Errorf("no index: %v", err)
	}
}

// Real SPLADE vectors whose terms are word pieces: every pair's score against a float64 sum over the words.
func TestRealVectorsWithWords(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: real vectors are not there")
	}
	folder := filepath.Join(root, "vectors", "seismic_toy")
	dir := filepath.Join(t.TempDir(), "index")
	summary, err := search.IndexFile(context.Background(), filepath.Join(folder, "documents.jsonl"), dir)
	if err != nil || summary.Documents != 20 || !summary.Words {
		t.Fatalf("%+v, %v", summary, err)
	}
	var out bytes.Buffer
	if _, _, err := search.SearchFile(context.Background(), dir, filepath.Join(folder, "queries.jsonl"), 20, &out); err != nil {
		t.Fatal(err)
	}
	run, err := trec.ReadRun(&out, "run")
	if err != nil {
		t.Fatal(err)
	}
	documents, queries := readWords(t, filepath.Join(folder, "documents.jsonl")), readWords(t, filepath.Join(folder, "queries.jsonl"))
	if len(run) != len(queries) {
		t.Fatalf("%d queries in the run", len(run))
	}
	for query, words := range queries {
		found := map[string]float64{}
		for _, hit := range run[query] {
			found[hit.Doc] = hit.Score
		}
		for document, weights := range documents {
			want := 0.0
			for word, weight := range words {
				want += weight * weights[word]
			}
			// 43 terms per query: float32 rounding stays below 43 half units in the last place.
			if got := found[document]; math.Abs(got-want) > want*43*0x1p-24 {
				t.Errorf("query %s, document %s: got %v, want %v", query, document, got, want)
			}
		}
		ranked := slices.Clone(run[query])
		trec.Rank(ranked)
		if !slices.Equal(ranked, run[query]) {
			t.Errorf("query %s is not ranked", query)
		}
	}
}

func readWords(t *testing.T, path string) map[string]map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vectors := map[string]map[string]float64{}
	for line := range bytes.Lines(text) {
		var row struct {
			ID     int
			Vector map[string]float64
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		vectors[fmt.Sprint(row.ID)] = row.Vector
	}
	return vectors
}
