package examples_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/internal/testfile"
)

func batches(size int) examples.Batches {
	return examples.Batches{Size: size, Steps: 10}
}

// TestDataThatCannotBePutIntoBatchesIsFoundBefore: whatever makes rows conflict, with two that do by file and line, and
// exactly where a stream over the same rows cannot begin.
func TestDataThatCannotBePutIntoBatchesIsFoundBefore(t *testing.T) {
	row := func(format string) (text string) {
		for i := range 12 {
			text += fmt.Sprintf(strings.ReplaceAll(format, "#", "%[1]d"), i) + "\n"
		}
		return text
	}
	for name, c := range map[string]struct {
		file, text string
		negatives  int
		most       int // rows that can share a batch
		apart      string
	}{
		"all rows go together":        {"a.tsv", "query\tpositive\n" + row("q#\tp#"), 0, 12, ""},
		"one query":                   {"a.tsv", "query\tpositive\n" + row("q\tp#"), 0, 1, "a.tsv:2 and a.tsv:3"},
		"one document":                {"a.jsonl", row(`{"query":"q#","positive":"p"}`), 0, 1, "a.jsonl:1 and a.jsonl:2"},
		"one hard negative for all":   {"a.tsv", row("q#\tp#\tp0"), 1, 11, "a.tsv:1 and a.tsv:2"},
		"which is not asked for":      {"a.tsv", row("q#\tp#\tp0"), 0, 12, ""},
		"ids of one query":            {"a.tsv", row("1\t#\t1"), 0, 1, "a.tsv:1 and a.tsv:2"},
		"ids of queries of one text":  {"a.tsv", row("#\t#\t1") + "", 0, 3, "a.tsv:1 and a.tsv:4"},
		"two queries, blank lines":    {"a.jsonl", "\n" + row(`{"query":"q","positive":"p#"}`) + `{"query":"r","positive":"r"}`, 0, 2, "a.jsonl:2 and a.jsonl:3"},
		"lists, whatever their order": {"a.jsonl", row(`{"qid":#,"pos":[#],"neg":[0,1,2,3]}`), 1, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			corpus, queries := "", ""
			for i := range 12 {
				corpus += fmt.Sprintf(`{"_id":"%d","text":"d%d"}`+"\n", i, i)
				queries += fmt.Sprintf(`{"_id":"%d","text":"q%d"}`+"\n", i, i%3)
			}
			testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), corpus)
			testfile.Put(t, filepath.Join(dir, "queries.jsonl"), queries)
			set := fileSet(t, testfile.Put(t, filepath.Join(dir, c.file), c.text))
			store := kept.Store{Dir: filepath.Join(dir, "cache")}
			for size := 1; size <= 12; size++ {
				b := batches(size)
				b.Negatives = c.negatives
				err := examples.CheckBatches(context.Background(), set, store, b)
				source := open(t, set, store, b.Options)
				_, streamed := batch.NewStream(batch.StreamOptions{Rows: source.Len(), Size: size, Order: batch.Shuffle, Marks: source.Marks})
				if (err == nil) != (streamed == nil) {
					t.Errorf("batch %d: found before: %v; by a stream: %v", size, err, streamed)
				}
				if c.most == 0 {
					continue // it depends on what is drawn
				}
				if (err == nil) != (size <= c.most) {
					t.Errorf("batch %d: %v; %d can share one", size, err, c.most)
				}
				if err == nil {
					continue
				}
				for _, part := range strings.Split(c.apart, " and ") {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("batch %d: %v does not name %s", size, err, c.apart)
					}
				}
				if !strings.Contains(err.Error(), fmt.Sprintf("only %d of the", c.most)) {
					t.Errorf("batch %d: %v", size, err)
				}
			}
		})
	}
}

// TestWhatIsSoundIsLookedAtOnce: of large data even a few rows of each window take their time.
func TestWhatIsSoundIsLookedAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := testfile.Put(t, filepath.Join(dir, "a.tsv"), "q1\tp1\tn\nq2\tp2\tn\nq3\tp3\tn\n")
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	check := func(size int) error {
		return examples.CheckBatches(context.Background(), fileSet(t, path), store, batches(size))
	}
	count := func() int {
		entries, err := os.ReadDir(filepath.Join(store.Dir, "digests"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if err := check(2); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 || check(2) != nil || count() != n || check(3) != nil || count() != n+1 {
		t.Errorf("%d, then %d results are kept", n, count())
	}
	testfile.Put(t, path, "q1\tp1\tn\nq1\tp2\tn\nq1\tp3\tn\n")
	for range 2 {
		if err := check(2); err == nil {
			t.Error("another file is sound because the former was")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := examples.CheckBatches(ctx, fileSet(t, path), store, batches(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

func TestTogetherOfACollection(t *testing.T) {
	corpus, queries := "", ""
	for i := range 6 {
		corpus += fmt.Sprintf(`{"_id":"d%d","text":"text %d"}`+"\n", i, i)
		queries += fmt.Sprintf(`{"_id":"q%d","text":"query %d"}`+"\n", i, i)
	}
	for qrels, want := range map[string]struct {
		n     int
		apart string
	}{
		"q0\td0\t1\nq1\td1\t1\nq2\td2\t1\n":          {3, ""},
		"q0\td0\t1\nq0\td1\t1\nq0\td2\t2\nq1\td9\t0": {1, `query "q0" with document "d0" and query "q0" with document "d1"`},
		"q0\td0\t1\nq1\td0\t1\nq2\td2\t1\n":          {2, `query "q0" with document "d0" and query "q1" with document "d0"`},
	} {
		c := folder(t, corpus+`{"_id":"d9","text":""}`+"\n", queries, "query-id\tcorpus-id\tscore\n"+qrels)
		n, apart, err := examples.LargestBatch(c, "train")
		if err != nil || n != want.n || apart != want.apart {
			t.Errorf("%q: %d, %q, %v", qrels, n, apart, err)
		}
	}
}

// TestOddRowsAreCounted: they are allowed, and seldom meant.
func TestOddRowsAreCounted(t *testing.T) {
	dir := t.TempDir()
	text := testfile.Put(t, filepath.Join(dir, "texts.tsv"), "query\tpositive\tnegative\nq\tp\tn\n\tp\tn\n  \t \tn\nq\tp\tp\nq\tp\t\n")
	testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), `{"_id":"1","text":"a"}`+"\n\n"+`{"_id":"2","title":" ","text":"\t"}`+"\n"+`{"_id":"3","text":""}`)
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"1","text":"a"}`+"\n"+`{"_id":"2","text":""}`)
	ids := testfile.Put(t, filepath.Join(dir, "ids.tsv"), "1\t1\t2\n1\t3\t3\n")
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	for range 2 { // read, and found kept
		s, err := examples.ReadSurvey(context.Background(), fileSet(t, text), store)
		if err != nil || s.EmptyQueries != 2 || s.FirstEmptyQuery != text+":3" || s.EmptyDocuments != 2 || s.FirstEmptyDocument != text+":4" || s.OwnNegatives != 1 || s.FirstOwn != text+":5" {
			t.Errorf("texts: %+v, %v", s, err)
		}
		s, err = examples.ReadSurvey(context.Background(), fileSet(t, ids), store)
		if err != nil || s.EmptyQueries != 1 || s.FirstEmptyQuery != filepath.Join(dir, "queries.jsonl")+":2" || s.EmptyDocuments != 2 || s.FirstEmptyDocument != filepath.Join(dir, "corpus.jsonl")+":3" || s.OwnNegatives != 1 || s.FirstOwn != ids+":2" {
			t.Errorf("ids: %+v, %v", s, err)
		}
	}
}
