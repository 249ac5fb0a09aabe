package evaluate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/collection"
	"headroom/models/splade"
	"headroom/runner/evaluate"
)

// Between two evaluations the model's bias becomes so small that no text has a term any
// more: what has terms then was kept.
func TestDocumentsAreKeptForTheSameTextsAlone(t *testing.T) {
	m, tokenizer, texts := small(t, 1)
	enc := evaluate.FromModel(m, tokenizer, splade.Form{}, evaluate.EncoderOptions{})
	first, other := twoSplits(t, texts[:12]), twoSplits(t, texts[1:13])
	active := func(c *collection.Collection, kept *evaluate.Documents, split string, longest int) (documents, queries float64) {
		t.Helper()
		s, err := evaluate.OnCollection(t.Context(), enc, c, evaluate.CollectionOptions{Dataset: "x", Split: split, MaxQuery: 16, MaxDocument: longest, Threads: 1, Documents: kept})
		if err != nil {
			t.Fatal(err)
		}
		return *s.ActiveDocument, *s.ActiveQuery
	}
	enough, few := evaluate.NewDocuments(12*m.Config.Vocab), evaluate.NewDocuments(3)
	want, queries := active(first, enough, "test", 16)
	if active(first, few, "test", 16); want == 0 || queries == 0 {
		t.Fatalf("%g terms of a document and %g of a query: nothing to compare", want, queries)
	}
	for v := range m.DecoderBias().Values {
		m.DecoderBias().Values[v] = -1e6
	}
	for _, c := range []struct {
		name    string
		on      *collection.Collection
		kept    *evaluate.Documents
		split   string
		longest int
		want    float64
	}{
		{"the same again", first, enough, "test", 16, want},
		{"another split", first, enough, "dev", 16, want},
		{"cut elsewhere", first, enough, "test", 8, 0},
		{"another corpus", other, enough, "test", 16, 0},
		{"more than there is room for", first, few, "test", 16, 0},
		{"nothing is kept", first, nil, "test", 16, 0},
	} {
		if documents, queries := active(c.on, c.kept, c.split, c.longest); documents != c.want || queries != 0 {
			t.Errorf("%s: %g terms of a document and %g of a query, want %g and 0", c.name, documents, queries, c.want)
		}
	}
}

// twoSplits is a collection of texts, each of which is also a query of both splits.
func twoSplits(t *testing.T, texts []string) *collection.Collection {
	t.Helper()
	documents, queries, qrels := map[string]string{}, map[string]string{}, ""
	for i, text := range texts {
		documents[fmt.Sprint("d", i)], queries[fmt.Sprint("q", i)] = text, text
		qrels += fmt.Sprintf("q%d\td%d\t1\n", i, i)
	}
	c := written(t, documents, queries, qrels)
	if err := os.Link(filepath.Join(c.Folder, "qrels/test.tsv"), filepath.Join(c.Folder, "qrels/dev.tsv")); err != nil {
		t.Fatal(err)
	}
	c, err := collection.Open(c.Folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
