package plan_test

import (
	"path/filepath"
	"strings"
	"testing"

	"headroom/runner/plan"
)

// dev gives a collection a dev split of queries and documents of its own, but for
// the first taken of them, which are the test set's.
func (w *world) dev(t *testing.T, name string, taken int) {
	t.Helper()
	w.collection(t, name, 4)
	rows := "query-id\tcorpus-id\tscore\n"
	for i, row := range []string{"q0\td0\t1\n", "q1\td1\t1\n", "q2\td2\t1\n", "q3\td3\t1\n"} {
		if i >= taken {
			row = strings.Replace(row, "d"+row[1:2], "d"+string('0'+byte((int(row[1]-'0')+1)%4)), 1) // the same words, another document
		}
		rows += row
	}
	write(t, filepath.Join(w.root, name, "qrels", "dev.tsv"), rows)
}

const watched = "evaluate.during=['./seen']"

func TestDevDataAreRowsAndNoIdentity(t *testing.T) {
	w := newWorld(t)
	w.dev(t, "seen", 0)
	before := w.must(t, sweep)
	p := w.must(t, sweep, watched, "evaluate.every=5")
	rows := 0
	for _, e := range p.Evaluations {
		if e.Split == plan.DuringSplit {
			rows++
			if e.Dataset != filepath.Join(w.root, "seen") || e.Name != "" || e.Why != "comes with its run" {
				t.Errorf("row %+v", e)
			}
		}
	}
	if rows != len(p.Runs) {
		t.Errorf("%d rows of dev data for %d runs", rows, len(p.Runs))
	}
	best := w.must(t, sweep, watched, "evaluate.every=5", "checkpoint.select=best")
	for i, run := range p.Runs {
		if run.ID != before.Runs[i].ID || run.Inputs.During != "" {
			t.Errorf("run %s: watching changed its id", run.Label)
		}
		if b := best.Runs[i]; b.ID == run.ID || !strings.HasPrefix(b.Inputs.During, "sha256:") {
			t.Errorf("run %s: selecting gives id %s of %+v", b.Label, b.ID, b.Inputs)
		}
	}
	if len(p.Notices) != 0 {
		t.Errorf("notices %q", p.Notices)
	}
	// The corpus and the dev judgements count, another split of the folder does not.
	write(t, filepath.Join(w.root, "seen", "qrels", "more.tsv"), "query-id\tcorpus-id\tscore\nq0\td0\t1\n")
	if again := w.must(t, sweep, watched, "evaluate.every=5", "checkpoint.select=best"); again.Runs[0].ID != best.Runs[0].ID {
		t.Error("another split changed what selects")
	}
	write(t, filepath.Join(w.root, "seen", "qrels", "dev.tsv"), "query-id\tcorpus-id\tscore\nq0\td1\t1\n")
	if again := w.must(t, sweep, watched, "evaluate.every=5", "checkpoint.select=best"); again.Runs[0].ID == best.Runs[0].ID {
		t.Error("other dev judgements select under the same id")
	}
}

func TestDevDataThatAreNotThere(t *testing.T) {
	w := newWorld(t)
	_, err := w.make(t, sweep, "evaluate.during=['./tiny']", "evaluate.every=5")
	if err == nil || !strings.Contains(err.Error(), "evaluate.during") || !strings.Contains(err.Error(), `"dev"`) || !strings.Contains(err.Error(), "test, train") {
		t.Errorf("a collection without a dev split: %v", err)
	}
	for _, choice := range []string{"last", "best"} {
		p := w.must(t, sweep, "evaluate.during=['other:nowhere']", "evaluate.every=5", "checkpoint.select="+choice)
		for _, run := range p.Runs {
			if run.State != plan.Unresolved || run.Needs != "" || !strings.Contains(run.Why, "other:nowhere") || (run.ID == "") != (choice == "best") {
				t.Errorf("select %s: run %q is %s: %s", choice, run.ID, run.State, run.Why)
			}
		}
	}
}

// The test set can come in as another collection's dev split or as its own: it is
// found by what is asked and judged, not by names.
func TestATestSetDuringTrainingIsToldOf(t *testing.T) {
	w := newWorld(t)
	w.dev(t, "seen", 0)
	w.dev(t, "leaks", 3)
	p := w.must(t, sweep, "evaluate.during=['./leaks', './seen']", "evaluate.every=5", "evaluate.final=['./seen']")
	// "leaks" has three of its own test queries, and the same three are those of "seen".
	if len(p.Notices) != 2 {
		t.Fatalf("notices %q", p.Notices)
	}
	for i, other := range []string{"leaks", "seen"} {
		want := "3 of the 4 dev queries of " + filepath.Join(w.root, "leaks") + " are test queries of " + filepath.Join(w.root, other)
		if !strings.Contains(p.Notices[i], want) {
			t.Errorf("notice %q", p.Notices[i])
		}
	}
}
