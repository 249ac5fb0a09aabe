package examples_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/examples"
)

func folder(t *testing.T, corpus, queries, qrels string) *collection.Collection {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "qrels"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"corpus.jsonl": corpus, "queries.jsonl": queries,
		"qrels/train.tsv": qrels, "qrels/dev.tsv": qrels} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := collection.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	corpus  = "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"one\"}\n{\"_id\":\"d2\",\"text\":\"two\"}\n{\"_id\":\"d3\",\"text\":\"three\"}\n"
	queries = "{\"_id\":\"q1\",\"text\":\"first\"}\n{\"_id\":\"q2\",\"text\":\"second\"}\n"
	header  = "query-id\tcorpus-id\tscore\n"
)

func TestPairsAreThePositiveRowsInFileOrder(t *testing.T) {
	c := folder(t, corpus, queries, header+"q2\td3\t1\nq1\td2\t0\nq1\td3\t2\nq2\td1\t1\nq1\td1\t-1\n")
	pairs, err := examples.FromCollection(c, "train")
	if err != nil {
		t.Fatal(err)
	}
	want := []examples.Pair{
		{Query: "second", Positive: "three", QueryID: "q2", PositiveID: "d3", Positives: []string{"d3", "d1"}},
		{Query: "first", Positive: "three", QueryID: "q1", PositiveID: "d3", Positives: []string{"d3"}},
		{Query: "second", Positive: "T one", QueryID: "q2", PositiveID: "d1", Positives: []string{"d3", "d1"}},
	}
	if !reflect.DeepEqual(pairs, want) {
		t.Errorf("pairs %+v, want %+v", pairs, want)
	}
}

func TestSplitsWithoutPairsAreErrors(t *testing.T) {
	for name, c := range map[string]struct{ split, rows, says string }{
		"no positive":      {"train", "q1\td1\t0\n", "grade above 0"},
		"no split":         {"test", "q1\td1\t1\n", "it has dev, train"},
		"unknown document": {"train", "q1\td9\t1\n", `"d9"`},
		"and in dev":       {"dev", "q1\td9\t1\n", `"d9"`},
		"unknown query":    {"train", "q9\td1\t1\n", `"q9"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := examples.FromCollection(folder(t, corpus, queries, header+c.rows), c.split)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
}

func TestConflictsAreFalseNegatives(t *testing.T) {
	pairs := []examples.Pair{
		0: {Query: "a", QueryID: "qa", Positive: "x", PositiveID: "dx", Positives: []string{"dx", "dy"}},
		1: {Query: "a", QueryID: "qa", Positive: "y", PositiveID: "dy", Positives: []string{"dx", "dy"}},
		2: {Query: "b", QueryID: "qb", Positive: "y", PositiveID: "dy", Positives: []string{"dy"}},
		3: {Query: "c", QueryID: "qc", Positive: "z", PositiveID: "dz", Positives: []string{"dz", "unpaired"}},
		4: {Query: "a", QueryID: "qa2", Positive: "w", PositiveID: "dw", Positives: []string{"dw"}},  // query 0 under another id
		5: {Query: "d", QueryID: "qd", Positive: "z", PositiveID: "dz2", Positives: []string{"dz2"}}, // document 3 under another id
		6: {Query: "e", QueryID: "qe", Positive: "v", PositiveID: "dv", Positives: []string{"dv"}},
	}
	conflict := examples.Conflict(pairs)
	want := map[[2]int]bool{
		{0, 1}: true,               // same query
		{0, 2}: true,               // y is relevant to a
		{1, 2}: true,               // same positive
		{0, 4}: true, {1, 4}: true, // same text of query
		{2, 4}: true, // so y is relevant to it
		{3, 5}: true, // same text of document
	}
	for i := range pairs {
		for j := range pairs {
			if got := conflict(i, j); got != (i == j || want[[2]int{min(i, j), max(i, j)}]) {
				t.Errorf("conflict(%d, %d) = %v", i, j, got)
			}
		}
	}
}

// TestConflictAgainstItsDefinition compares with the definition applied word for word.
func TestConflictAgainstItsDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	letters := strings.Split("abcdefghijklmnop", "")
	for range 50 {
		relevant := map[string][]string{}
		for _, query := range letters[:6] {
			for range 1 + random.IntN(3) {
				if d := letters[random.IntN(len(letters))]; !slices.Contains(relevant[query], d) {
					relevant[query] = append(relevant[query], d)
				}
			}
		}
		var pairs []examples.Pair
		for query, documents := range relevant {
			for _, d := range documents {
				pairs = append(pairs, examples.Pair{Query: query, QueryID: query, Positive: d, PositiveID: d, Positives: documents})
			}
		}
		conflict := examples.Conflict(pairs)
		for i, a := range pairs {
			for j, b := range pairs {
				want := a.Query == b.Query || slices.Contains(relevant[a.Query], b.Positive) || slices.Contains(relevant[b.Query], a.Positive)
				if conflict(i, j) != want {
					t.Fatalf("conflict(%s-%s, %s-%s) = %v, want %v", a.Query, a.Positive, b.Query, b.Positive, !want, want)
				}
			}
		}
	}
}

func TestRealPairs(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real collection to read")
	}
	c, err := collection.Open(filepath.Join(root, "beir", "scifact"))
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := examples.FromCollection(c, "train")
	if err != nil {
		t.Fatal(err)
	}
	if len(pairs) != 919 || pairs[0].QueryID != "0" || pairs[0].PositiveID != "31715818" || !strings.HasPrefix(pairs[0].Query, "0-dimensional") {
		t.Errorf("%d pairs, the first %q %q; want 919 that begin with the file's first row", len(pairs), pairs[0].QueryID, pairs[0].PositiveID)
	}
}
