package examples_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/internal/testfile"
)

// TestRealTextsAreTheSameInEveryForm: SciFact's training pairs with another document as the negative, as ids beside
// the real collection in both of its layouts, and as texts.
func TestRealTextsAreTheSameInEveryForm(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real collection to read")
	}
	c, err := collection.Open(filepath.Join(root, "beir", "scifact"))
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := examples.FromCollection(c, collection.Train)
	if err != nil {
		t.Fatal(err)
	}
	documents, err := c.Documents()
	if err != nil {
		t.Fatal(err)
	}
	queries, err := c.Queries()
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	var corpus, asked, ids, texts strings.Builder
	var rows []textTriple
	var want []examples.Example
	negative := func(i int) collection.Document { return documents[(i*2654435761)%len(documents)] }
	for _, d := range documents {
		fmt.Fprintf(&corpus, "%s\t%s\n", d.ID, plain.Replace(d.Content()))
	}
	for _, q := range queries {
		fmt.Fprintf(&asked, "%s\t%s\n", q.ID, plain.Replace(q.Text))
	}
	ids.WriteString("query_id\tpositive_id\tnegative_id\n")
	for i, p := range pairs {
		n := negative(i)
		fmt.Fprintf(&ids, "%s\t%s\t%s\n", p.QueryID, p.PositiveID, n.ID)
		line, err := json.Marshal(map[string]string{"query": p.Query, "positive": p.Positive, "negative": n.Content()})
		if err != nil {
			t.Fatal(err)
		}
		texts.Write(append(line, '\n'))
		rows = append(rows, textTriple{p.Query, p.Positive, n.Content()})
		want = append(want, examples.Example{Query: p.Query, Positive: p.Positive, Negatives: []string{n.Content()}})
	}
	dir := t.TempDir()
	testfile.Put(t, filepath.Join(dir, "tsv", "collection.tsv.gz"), corpus.String())
	testfile.Put(t, filepath.Join(dir, "tsv", "queries.train.tsv"), asked.String())
	beir := filepath.Join(dir, "beir")
	if err := os.MkdirAll(beir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"corpus.jsonl", "queries.jsonl"} {
		for _, ending := range []string{"", ".gz"} {
			if _, err := os.Stat(filepath.Join(c.Folder, name+ending)); err == nil {
				if err := os.Symlink(filepath.Join(c.Folder, name+ending), filepath.Join(beir, name+ending)); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
	for name, path := range map[string]string{
		"ids beside BEIR's files":   testfile.Put(t, filepath.Join(beir, "train.tsv"), ids.String()),
		"ids beside MS MARCO's":     testfile.Put(t, filepath.Join(dir, "tsv", "train.tsv.gz"), ids.String()),
		"texts as JSON":             testfile.Put(t, filepath.Join(dir, "texts.jsonl.gz"), texts.String()),
		"texts in a Parquet file":   putParquet(t, filepath.Join(dir, "texts.parquet"), rows),
		"texts of the same, longer": putParquet(t, filepath.Join(dir, "more.parquet"), append(rows, rows...)),
	} {
		t.Run(name, func(t *testing.T) {
			got := all(t, open(t, fileSet(t, path), kept.Store{Dir: filepath.Join(dir, "cache")}, examples.Options{Negatives: 1}), 0)
			expected := want
			if strings.Contains(name, "MS MARCO") { // a table of tabs holds no tabs
				expected = nil
				for _, e := range want {
					expected = append(expected, examples.Example{Query: plain.Replace(e.Query), Positive: plain.Replace(e.Positive), Negatives: []string{plain.Replace(e.Negatives[0])}})
				}
			}
			if len(got) < len(expected) || !reflect.DeepEqual(got[:len(expected)], expected) {
				t.Errorf("%d examples differ from %d", len(got), len(expected))
			}
		})
	}
}
