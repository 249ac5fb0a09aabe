package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/store"
)

// ended writes a run that was over an hour before a moment.
func (w *space) ended(run string, now time.Time) {
	w.T.Helper()
	l := w.attempt(run, 0)
	w.steps(l, 0, 3)
	w.Add(l, event.Ended{State: event.StateDone, Step: 3, Seconds: 1, Weights: "w"})
	past := now.Add(-time.Hour)
	if err := os.Chtimes(l.Path(), past, past); err != nil {
		w.T.Fatal(err)
	}
}

func TestWhatBecomesOfARunThatIsOverIsSeenInTime(t *testing.T) {
	const while = 1500 * time.Millisecond
	for _, c := range []struct {
		name   string
		change func(*space)
	}{
		{"it begins again", func(w *space) { w.steps(w.attempt("a", 1), 1, 2) }},
		{"it is evaluated", func(w *space) { w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5) }},
		{"its log is another one", func(w *space) {
			if err := os.RemoveAll(filepath.Join(w.Root, "runs", id("a"), "attempts")); err != nil {
				w.T.Fatal(err)
			}
			w.steps(w.attempt("a", 0), 0, 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, now := newSpace(t), time.Now()
			w.sweep("s", "0001", member("a", 1), member("b", 2))
			w.ended("a", now)
			running := w.attempt("b", 0)
			w.steps(running, 0, 2)
			s, err := store.Open(filepath.Join(w.Root, "headroom.db"), store.WithClock(func() time.Time { return now }), store.EndedEvery(while))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			w.fold(s) // has news
			w.fold(s) // has none: from now on the run is read at intervals
			before := dump(t, s)
			c.change(w)
			now = now.Add(while - time.Millisecond)
			w.fold(s)
			if dump(t, s) != before {
				t.Error("the run was read before its time")
			}
			w.steps(running, 2, 3) // a run that continues is read by every fold
			w.fold(s)
			expect(t, s, "SELECT step FROM runs WHERE label = 'bert-b'", "2")
			now = now.Add(time.Millisecond)
			w.fold(s)
			w.sameAsNew(s)
		})
	}
}

func TestARemovedRunIsMissedAtOnceWithItsEvaluations(t *testing.T) {
	w, now := newSpace(t), time.Now()
	w.sweep("s", "0001", member("a", 1))
	w.ended("a", now)
	w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5)
	s, err := store.Open(filepath.Join(w.Root, "headroom.db"), store.WithClock(func() time.Time { return now }), store.EndedEvery(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w.fold(s)
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM scores", "2")
	if err := os.RemoveAll(filepath.Join(w.Root, "runs", id("a"))); err != nil {
		t.Fatal(err)
	}
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM scores", "0")
	w.sameAsNew(s)
}

// A damaged log is named by every fold, however old it is.
func TestDamageOfARunThatIsOverIsNamedAgainAndAgain(t *testing.T) {
	w, now := newSpace(t), time.Now()
	w.ended("a", now)
	w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5)
	w.Write("runs/"+id("a")+"/evaluations/e/per_query.tsv", "nonsense\n")
	s, err := store.Open(filepath.Join(w.Root, "headroom.db"), store.WithClock(func() time.Time { return now }), store.EndedEvery(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for range 3 {
		if err := store.Fold(context.Background(), w.Root, s); err == nil {
			t.Fatal("the damage is not named")
		}
	}
	w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5)
	w.fold(s)
	w.sameAsNew(s)
}

// What a store remembers holds only while nobody else writes: here somebody who was killed
// between an evaluation and the end of the fold, and somebody who folded more.
func TestAFoldSeesWhatAnotherProcessHasWritten(t *testing.T) {
	w := demo(t)
	s, other := w.open(), w.open()
	w.fold(s)
	w.fold(s)
	want := dump(t, s)
	if _, err := rawDB(t, s.Path()).Exec("UPDATE evaluation SET label = '', current = 0"); err != nil {
		t.Fatal(err)
	}
	w.fold(s)
	if got := dump(t, s); got != want {
		t.Errorf("what another process left unfinished stays so: %s", difference(got, want))
	}
	before, err := s.Version(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.steps(w.attempt("c", 0), 0, 2)
	w.fold(other)
	after, err := s.Version(context.Background())
	if err != nil || after == before {
		t.Errorf("the version is %v as before, %v", after, err)
	}
	w.steps(w.attempt("c", 2), 2, 4)
	w.fold(s)
	w.sameAsNew(s)
}
