package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/data/examples"
	"headroom/data/source"
	"headroom/internal/testfile"
)

// TestFactsOfACollection: what is odd is counted with its first place, found once, and found again when a file changes.
func TestFactsOfACollection(t *testing.T) {
	folder := t.TempDir()
	old := func(name, text string) string {
		path := filepath.Join(folder, name)
		write(t, path, text)
		return testfile.Age(t, path)
	}
	header := "query-id\tcorpus-id\tscore\n"
	corpus := old("corpus.jsonl", `{"_id":"d1","text":"a"}`+"\n\n"+`{"_id":"d2","title":" ","text":"\n"}`+"\n"+`{"_id":"d3","text":""}`+"\n"+`{"_id":"d4","title":"b","text":""}`+"\n")
	queries := old("queries.jsonl", `{"_id":"q1","text":" "}`+"\n"+`{"_id":"q2","text":"x"}`+"\n"+`{"_id":"q3","text":""}`+"\n"+`{"_id":"q4","text":"y"}`+"\n")
	old("qrels/train.tsv", header+"q2\td1\t1\nq2\td3\t1\nq3\td3\t2\nq4\td4\t1\nq4\td2\t0\n")
	old("qrels/test.tsv", header+"q1\td1\t0\nq2\tgone\t1\nq3\td1\t1\n")
	r := &source.Resolver{CacheDir: t.TempDir()}
	for range 2 {
		facts, err := r.CollectionFacts(folder, "train")
		if want := (source.Facts{
			Positives: 4, EmptyQueries: 1, FirstEmptyQuery: queries + ":3", EmptyDocuments: 1, FirstEmptyDocument: corpus + ":4",
			Together: 2, Apart: `query "q2" with document "d1" and query "q2" with document "d3"`,
		}); err != nil || facts != want {
			t.Errorf("train: %+v, %v", facts, err)
		}
		facts, err = r.CollectionFacts(folder, "test")
		if want := (source.Facts{
			Positives: 2, Lost: 1, EmptyQueries: 2, FirstEmptyQuery: queries + ":1", EmptyDocuments: 2, FirstEmptyDocument: corpus + ":3",
		}); err != nil || facts != want {
			t.Errorf("test: %+v, %v", facts, err)
		}
	}
	old("qrels/test.tsv", header+"q2\td1\t1\n")
	if facts, err := r.CollectionFacts(folder, "test"); err != nil || facts.Positives != 1 || facts.EmptyQueries != 0 {
		t.Errorf("after a change: %+v, %v", facts, err)
	}
}

// TestACollectionThatCanOnlyMeasureZeroIsRefused: with the place, and what is allowed.
func TestACollectionThatCanOnlyMeasureZeroIsRefused(t *testing.T) {
	const header = "query-id\tcorpus-id\tscore\n"
	corpus, queries := `{"_id":"d1","text":"a"}`+"\n", `{"_id":"q1","text":"b"}`+"\n"
	for says, c := range map[string]struct{ corpus, queries, qrels string }{
		`none of the 2 documents with a grade above 0 in qrels "test" is in the corpus, the first is "x"`: {corpus, queries, "q1\tx\t1\nq1\ty\t2\nq1\td1\t0\n"},
		`every query that qrels "test" judge is empty, the first at `:                                     {corpus, `{"_id":"q1","text":" "}` + "\n" + `{"_id":"q2","text":"b"}` + "\n", "q1\td1\t1\n"},
		"every document is empty, the first at ":                                                          {`{"_id":"d1","text":""}` + "\n" + `{"_id":"d2","text":" "}` + "\n", queries, "q1\td1\t1\n"},
		`qrels "test" have no row with a grade above 0`:                                                   {corpus, queries, "q1\td1\t0\n"},
	} {
		folder := t.TempDir()
		for name, text := range map[string]string{"corpus.jsonl": c.corpus, "queries.jsonl": c.queries, "qrels/test.tsv": header + c.qrels} {
			write(t, filepath.Join(folder, name), text)
		}
		_, err := (&source.Resolver{CacheDir: t.TempDir()}).CollectionFacts(folder, "test")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
	}
}

// TestBatchesOfACollectionAndOfFiles: the one error of both, with two examples that cannot share a batch.
func TestBatchesOfACollectionAndOfFiles(t *testing.T) {
	folder := t.TempDir()
	qrels, rows, corpus := "query-id\tcorpus-id\tscore\n", "query\tpositive\n", ""
	for i := range 9 {
		corpus += fmt.Sprintf(`{"_id":"d%d","text":"document %d"}`+"\n", i, i)
		qrels += fmt.Sprintf("q%d\td%d\t1\n", i%3, i)
		rows += fmt.Sprintf("query %d\tdocument %d\n", i%3, i)
	}
	write(t, filepath.Join(folder, "corpus.jsonl"), corpus)
	write(t, filepath.Join(folder, "queries.jsonl"), `{"_id":"q0","text":"query 0"}`+"\n"+`{"_id":"q1","text":"query 1"}`+"\n"+`{"_id":"q2","text":"query 2"}`)
	write(t, filepath.Join(folder, "qrels/train.tsv"), qrels)
	write(t, filepath.Join(folder, "rows.tsv"), rows)
	r := &source.Resolver{Base: folder, CacheDir: t.TempDir()}
	for ref, apart := range map[string]string{".": `query "q0" with document "d0" and query "q0" with document "d3"`, "./rows.tsv": "rows.tsv:2 and " + filepath.Join(folder, "rows.tsv:5")} {
		set, err := r.Training(ref)
		if err != nil {
			t.Fatal(err)
		}
		for size := 1; size < 6; size++ {
			err := r.CheckBatches(context.Background(), set, examples.Batches{Size: size, Steps: 2})
			if (err == nil) != (size <= 3) || err != nil && (!strings.Contains(err.Error(), "only 3 of the 9 examples") || !strings.Contains(err.Error(), apart)) {
				t.Errorf("%s, batch %d: %v", ref, size, err)
			}
		}
	}
}

// TestTokensOfAModel: the widest of head and tokenizer, and what surrounds a text.
func TestTokensOfAModel(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "model")
	writeModel(t, folder)
	r := &source.Resolver{Base: root, CacheDir: t.TempDir()}
	checkpoint, err := r.Checkpoint("./model")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := r.Tokens(folder)
	if err != nil || tokens.Vocabulary != 3 || tokens.Special != 0 || !reflect.DeepEqual(checkpoint.Tokens, tokens) || checkpoint.Tokenizer != tokens.Digest {
		t.Errorf("tokens %+v, of the checkpoint %+v, %v", tokens, checkpoint.Tokens, err)
	}
	write(t, filepath.Join(folder, "config.json"), `{"model_type":"bert","vocab_size":5000}`)
	if checkpoint, err = r.Checkpoint("./model"); err != nil || checkpoint.Tokens.Vocabulary != 5000 {
		t.Errorf("a padded head: %+v, %v", checkpoint, err)
	}
}

// What is there and cannot be followed is not called absent.
func TestALinkToItselfIsCalledWhatItIs(t *testing.T) {
	root := t.TempDir()
	if err := os.Symlink("loop", filepath.Join(root, "loop")); err != nil {
		t.Skip(err)
	}
	r := &source.Resolver{Base: root, DataRoot: root}
	_, data := r.Data("./loop")
	_, training := r.Training("./loop")
	_, below := r.Training("data:loop")
	_, model := r.Checkpoint("./loop")
	for _, err := range []error{data, training, below, model} {
		if err == nil || !strings.Contains(err.Error(), "too many levels of symbolic links") {
			t.Errorf("got %v", err)
		}
	}
}
