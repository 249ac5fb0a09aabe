package collection_test

import (
	"os"
	"path/filepath"
	"testing"

	"headroom/data/collection"
)

// TestRealFolders reads the published collections that HEADROOM_DATA holds; the counts are those of its
// README and of the sets' papers.
func TestRealFolders(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real collection to read")
	}
	for _, want := range []struct {
		name             string
		documents, asked int
		judged           map[string]int // rows a split
		judgedQueries    map[string]int
		empty            []string
	}{
		{"scifact", 5183, 1109, map[string]int{"train": 919, "test": 339}, map[string]int{"train": 809, "test": 300}, nil},
		{"medquad", 15809, 14345, map[string]int{"train": 14139, "dev": 1112, "test": 1108}, nil, nil},
		{"cranfield", 1400, 225, map[string]int{"test": 1837}, map[string]int{"test": 225}, []string{"471", "995"}},
	} {
		t.Run(want.name, func(t *testing.T) {
			c := open(t, filepath.Join(root, "beir", want.name))
			docs, err := c.Documents()
			if err != nil || len(docs) != want.documents {
				t.Fatalf("%d documents, %v; want %d", len(docs), err, want.documents)
			}
			queries, err := c.Queries()
			if err != nil || len(queries) != want.asked {
				t.Fatalf("%d queries, %v; want %d", len(queries), err, want.asked)
			}
			if len(c.Splits()) != len(want.judged) {
				t.Errorf("splits %q", c.Splits())
			}
			for split, rows := range want.judged {
				judgments, err := c.Judgments(split)
				if err != nil || len(judgments.Rows) != rows || judgments.Unknown != 0 {
					t.Errorf("%s: %d rows, %d unknown, %v; want %d rows", split, len(judgments.Rows), judgments.Unknown, err, rows)
				}
				qrels, err := c.Qrels(split)
				if n := want.judgedQueries[split]; err != nil || (n > 0 && len(qrels) != n) {
					t.Errorf("%s: %d queries, %v; want %d", split, len(qrels), err, n)
				}
			}
			for _, id := range want.empty {
				d, ok, err := c.Document(id)
				if err != nil || !ok || d.Text != "" {
					t.Errorf("document %s: %v %v, text %q; want an empty one", id, ok, err, d.Text)
				}
			}
		})
	}
}

// BenchmarkDocuments: reading is a small part of encoding what is read.
func BenchmarkDocuments(b *testing.B) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		b.Skip("HEADROOM_DATA is not set: no real collection to read")
	}
	path := filepath.Join(root, "beir", "medquad")
	info, err := os.Stat(filepath.Join(path, "corpus.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		c, err := collection.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Documents(); err != nil {
			b.Fatal(err)
		}
	}
}
