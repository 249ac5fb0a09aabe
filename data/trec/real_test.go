package trec_test

import (
	"os"
	"path/filepath"
	"testing"

	"headroom/data/trec"
)

func realData(t *testing.T) string {
	t.Helper()
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: real qrels and runs are not there")
	}
	return filepath.Join(root, "trec")
}

func TestRealFilesHaveTheirKnownSizes(t *testing.T) {
	root := realData(t)
	for _, file := range []struct {
		path          string
		queries, rows int
	}{
		{"dl19/qrels.dl19-passage.txt", 43, 9260},
		{"msmarco-dev/qrels.msmarco-passage.dev-subset.txt", 6980, 7437},
		{"trec_eval-test/qrels.test", 3, 3681},
		{"trec_eval-test/qrels.test.with-comments", 3, 3681},
		{"../beir/scifact/qrels/test.tsv", 300, 339},
	} {
		qrels, err := trec.OpenQrels(filepath.Join(root, file.path))
		if err != nil {
			t.Error(err)
			continue
		}
		rows := 0
		for _, judged := range qrels {
			rows += len(judged)
		}
		if len(qrels) != file.queries || rows != file.rows {
			t.Errorf("%s: %d queries, %d rows, want %d and %d", file.path, len(qrels), rows, file.queries, file.rows)
		}
	}
	run, err := trec.OpenRun(filepath.Join(root, "dl19/BM25.2019.res.gz"))
	if err != nil || len(run) < 43 {
		t.Errorf("%d queries, %v", len(run), err)
	}
}
