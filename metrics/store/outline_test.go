package store_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/outline"
	"headroom/metrics/store"
)

// train adds the steps from … to−1 with a scaled loss and active dims.
func (w *space) train(l *event.Log, from, to int, scale float64) {
	for step := from; step < to; step++ {
		loss := scale * (2 + math.Sin(float64(step)))
		if step%500 == 7 {
			loss = math.Inf(1)
		}
		w.Add(l, event.Step{Step: step, Values: map[string]event.Value{"loss": event.Value(loss), "active/query": event.Value(step), "lr": 1}})
	}
}

// outlines compares the curves of a run that reports draw with those of all its points, and how many
// series of it are kept reduced.
func (w *space) outlines(t *testing.T, s *store.Store, run string, kept int) {
	t.Helper()
	expect(t, s, "SELECT count(*) FROM outline o JOIN run r ON r.id = o.run_id WHERE r.run = '"+id(run)+"'", fmt.Sprint(kept))
	got, err := s.Outlines(t.Context(), id(run))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := s.Series(t.Context(), id(run), "loss", "active/query")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]outline.Curve{}
	for _, d := range outline.AllDrawn() {
		if series, ok := whole[d.Name]; ok {
			want[d.Name] = outline.Reduce(series, d)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the curves of run %q are\n%v\nwant\n%v", run, got, want)
	}
}

func TestOutlinesAreThoseOfAllPoints(t *testing.T) {
	const steps = 2000
	w := newSpace(t)
	s := w.open()
	l := w.attempt("a", 0)
	w.train(l, 0, 1500, 1)
	w.fold(s)
	w.outlines(t, s, "a", 0) // it runs

	w.Add(l, event.Ended{State: "preempted", Step: 1500})
	w.fold(s)
	w.outlines(t, s, "a", 2)

	// Another attempt begins at an earlier step with other values.
	l = w.attempt("a", 1000)
	w.train(l, 1000, 1200, 3)
	w.fold(s)
	w.outlines(t, s, "a", 0)
	w.train(l, 1200, steps, 3)
	w.Add(l, event.Ended{State: "done", Step: steps})
	w.fold(s)
	w.outlines(t, s, "a", 2)

	l = w.attempt("short", 0)
	w.train(l, 0, 3, 1)
	w.Add(l, event.Ended{State: "failed", Step: 3, Error: "e"})
	l = w.attempt("empty", 0)
	w.Add(l, event.Ended{State: "failed", Error: "e"})
	w.fold(s)
	w.outlines(t, s, "short", 2)
	w.outlines(t, s, "empty", 0)
	l = w.attempt("mixed", 0) // steps come twice, and late
	w.train(l, 0, 1000, 1)
	w.train(l, 500, 950, 2)
	w.Add(l, event.Step{Step: 1000, Values: map[string]event.Value{"loss": event.Value(math.Copysign(0, -1))}}, event.Ended{State: "done", Step: 1000})
	w.fold(s)
	w.outlines(t, s, "mixed", 2)
	l = w.attempt("zero", 0)
	w.Add(l, event.Step{Step: 0, Values: map[string]event.Value{"loss": event.Value(math.Copysign(0, -1))}}, event.Ended{State: "done", Step: 1})
	w.fold(s)
	w.outlines(t, s, "zero", 1)
	expect(t, s, "SELECT count(*) FROM outline o JOIN run r ON r.id = o.run_id WHERE r.run = '"+id("zero")+"' AND hex(curve) LIKE '%0000000000000080%'", "0")
	w.sameAsNew(s)
	for step, want := range map[int]float64{-1: math.NaN(), 7: math.Inf(1), 1000: 3 * (2 + math.Sin(1000)), 5000: 3 * (2 + math.Sin(steps-1))} {
		if got, err := s.ValueAt(t.Context(), id("a"), "loss", step); err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("the loss at step %d is %g, %v, want %g", step, got, err, want)
		}
	}
	if got, err := s.ValueAt(t.Context(), id("a"), "absent", 1); err != nil || !math.IsNaN(got) {
		t.Errorf("a series that is not there has %g, %v", got, err)
	}
}

// A database of an earlier program, or of one with other rules, has no outlines to read. The next fold
// makes them.
func TestMissingOutlinesAreMade(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	l := w.attempt("a", 0)
	w.train(l, 0, 1000, 1)
	w.Add(l, event.Ended{State: "done", Step: 1000})
	w.fold(s)
	for _, version := range []int{0, outline.Version + 1} {
		raw := rawDB(t, s.Path())
		if _, err := raw.Exec("UPDATE run SET outlined = ?; UPDATE outline SET curve = x'00'", version); err != nil {
			t.Fatal(err)
		}
		raw.Close()
		w.outlines(t, s, "a", 2) // from all points
		w.fold(s)
		expect(t, s, "SELECT outlined FROM run", fmt.Sprint(outline.Version))
		w.outlines(t, s, "a", 2)
		w.sameAsNew(s)
	}
	raw := rawDB(t, s.Path())
	if _, err := raw.Exec("UPDATE outline SET curve = x'00'"); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	if _, err := s.Outlines(t.Context(), id("a")); err == nil {
		t.Error("a damaged outline was read")
	}
}

// A log with another time, as in a copied workspace, or with an end that cannot be read, as a killed
// process may leave it, has no new points. Each pass looks at such a log, and makes no outlines.
func TestOutlinesStayWhileNoLogGrows(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	killed := w.attempt("a", 0)
	w.train(killed, 0, 1000, 1)
	l := w.attempt("a", 500)
	w.train(l, 500, 1000, 2)
	w.Add(l, event.Ended{State: "done", Step: 1000})
	w.fold(s)
	w.outlines(t, s, "a", 2)
	raw := rawDB(t, s.Path())
	defer raw.Close()
	mark := func(want string) {
		t.Helper()
		w.fold(s)
		expect(t, s, "SELECT count(*) FROM outline WHERE curve = x'00'", want)
		if _, err := raw.Exec("UPDATE outline SET curve = x'00'"); err != nil {
			t.Fatal(err)
		}
	}
	mark("0")
	at := func(attempt int) string { return event.Path(filepath.Join(w.Root, "runs", id("a")), attempt) }
	if err := os.Chtimes(at(2), time.Time{}, w.now); err != nil {
		t.Fatal(err)
	}
	mark("2")
	file, err := os.OpenFile(at(1), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(`{"seq":1003,"t":"2026`); err != nil {
		t.Fatal(err)
	}
	mark("2")
	mark("2")
	w.Add(l, event.Notice{Message: "more"})
	mark("0")
	w.attempt("a", 700)
	w.fold(s)
	w.outlines(t, s, "a", 0)
	w.sameAsNew(s)
}
