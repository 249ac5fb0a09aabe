package trec_test

import (
	"bytes"
	"reflect"
	"testing"

	"headroom/data/trec"
	"headroom/internal/testfile"
)

// Whatever the bytes, a reader returns either an error or data that survive a round trip.
func FuzzReadRun(f *testing.F) {
	f.Add([]byte("q Q0 d 1 0.5 t\nq Q0 e 2 nan t\n"))
	f.Add([]byte("# c\nq Q0 d 1 -inf t\n p Q0 d 1 0x1p-3 t x\n"))
	f.Add(testfile.Gzip(f, "q Q0 d 1 0.5 t\n"))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := trec.ReadRun(bytes.NewReader(text), "f")
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := trec.WriteRun(&out, run, "t"); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := trec.ReadRun(&out, "g")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for query, scored := range run {
			trec.Rank(scored)
			if !reflect.DeepEqual(order(again[query]), order(scored)) {
				t.Fatalf("the ranking %v became %v", scored, again[query])
			}
		}
	})
}

func order(ranked []trec.Scored) (docs []string) {
	for _, hit := range ranked {
		docs = append(docs, hit.Doc)
	}
	return docs
}

func FuzzReadQrels(f *testing.F) {
	f.Add([]byte("q 0 d 1\nq 0 e -1\n"))
	f.Add([]byte("query-id\tcorpus-id\tscore\nq\td\t1\n"))
	f.Add([]byte("#\n q\tQ0 d 2147483647\r\n"))
	f.Add(testfile.Gzip(f, "q 0 d 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		qrels, err := trec.ReadQrels(bytes.NewReader(text), "f")
		if err != nil {
			return
		}
		if len(qrels) == 0 {
			t.Fatal("no judgements and no error")
		}
		for query, judged := range qrels {
			for doc := range judged {
				if query == "" || doc == "" {
					t.Fatalf("empty id: query %q, document %q", query, doc)
				}
			}
		}
	})
}
