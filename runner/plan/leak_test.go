package plan_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestTestQueriesThatAreTrainedOnAreToldOf(t *testing.T) {
	w := newWorld(t)
	tiny := filepath.Join(w.root, "tiny")
	if p := w.must(t, sweep); len(p.Notices) != 0 {
		t.Fatalf("notices %q of data that are apart", p.Notices)
	}
	w.put(t, "apart.tsv", "query\tpositive\nanother question\ttext 0\nquery 2\tanother text\n")
	w.put(t, "leak.tsv", "query\tpositive\nquery 0\ttext 0\n query 2 \ttext 2\nquery 1\ttext 2\n")
	for file, n := range map[string]int{"apart.tsv": 0, "leak.tsv": 2} {
		p := w.must(t, sweep, "data.train=./"+file)
		want := fmt.Sprintf("data.train = %q: %d of the 3 test queries of %s are training queries, with the same relevant document", filepath.Join(w.root, file), n, tiny)
		if n == 0 && len(p.Notices) != 0 || n > 0 && (len(p.Notices) != 1 || !strings.HasPrefix(p.Notices[0], want)) {
			t.Errorf("%s: notices %q", file, p.Notices)
		}
	}
	// A folder whose splits share two rows.
	write(t, filepath.Join(tiny, "qrels/train.tsv"), "query-id\tcorpus-id\tscore\nt0\td0\t1\nq1\td1\t1\nq2\td2\t2\nq0\td2\t1\n")
	p := w.must(t, sweep)
	if want := fmt.Sprintf("data.train = %q: 2 of the 3 test queries of %s are training queries", tiny, tiny); len(p.Notices) != 1 || !strings.HasPrefix(p.Notices[0], want) {
		t.Errorf("notices %q", p.Notices)
	}
}
