package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/internal/spacetest"
	"headroom/metrics/event"
	"headroom/metrics/store"
)

// space is a workspace on disk that a test writes as the program would.
type space struct {
	*spacetest.Space
	now time.Time
}

func newSpace(t *testing.T) *space {
	return &space{&spacetest.Space{T: t, Root: t.TempDir()}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (w *space) clock() time.Time {
	w.now = w.now.Add(time.Second)
	return w.now
}

// id is a run's id from a short name.
func id(name string) string { return spacetest.ID(name) }

// attempt opens the log of a run's next attempt.
func (w *space) attempt(run string, from int) *event.Log {
	w.T.Helper()
	return w.Log(run, from, 10, event.Facts{Batch: 4, Candidates: 4, Vocab: 100, RampEnd: 3, Loss: "infonce", Parameters: 12}, event.WithClock(w.clock))
}

// steps appends steps whose loss tells which attempt wrote them.
func (w *space) steps(l *event.Log, from, to int) {
	w.T.Helper()
	for s := from; s < to; s++ {
		w.Add(l, event.Step{Step: s, Values: map[string]event.Value{"loss": event.Value(float64(l.Attempt())*100 + float64(s)), "lr": 1e-3}})
	}
}

func episode(kind string, first, last int, stands bool) event.Episode {
	return event.Episode{Detector: kind, Version: 1, Verdict: kind, Severity: event.SeverityCollapse, FirstStep: first, LastStep: last,
		Stands: stands, Evidence: event.Evidence{Series: "cosine/query", Rule: "a rule", Threshold: .95, Window: 2,
			Observed: []event.Point{{Step: first, Value: .97}}}}
}

// member is a run's line in a manifest.
func member(run string, k any) map[string]any {
	return map[string]any{"run": id(run), "label": "bert-" + run, "backbone": "recipe:bert", "rescale": k, "seed": 1,
		"config": map[string]any{"seed": 1, "model": map[string]any{"rescale": k}, "evaluate": map[string]any{"final": []string{"builtin:demo"}}}}
}

func (w *space) sweep(name, revision string, runs ...map[string]any) {
	w.T.Helper()
	text, err := json.Marshal(map[string]any{"schema": 1, "sweep": name, "question": "Why?", "revision": revision, "runs": runs,
		"baselines": []map[string]any{{"id": "bm25id", "dataset": "builtin:demo", "name": "bm25", "backbone": ""}}})
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(filepath.Join("sweeps", name, revision+".json"), string(text))
}

// evaluation writes an evaluation's folder.
func (w *space) evaluation(folder, id, split string, ndcg float64) {
	w.T.Helper()
	w.Evaluation(folder, id, split, ndcg, 1.25)
}

func (w *space) open() *store.Store {
	w.T.Helper()
	return w.openAt(filepath.Join(w.Root, "headroom.db"))
}

func (w *space) openAt(path string) *store.Store {
	w.T.Helper()
	s, err := store.Open(path)
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { s.Close() })
	return s
}

func (w *space) fold(s *store.Store) {
	w.T.Helper()
	if err := store.Fold(context.Background(), w.Root, s); err != nil {
		w.T.Fatal(err)
	}
}

// sameAsNew checks that the database is what a new fold of the files gives, and is
// that still after a rebuild.
func (w *space) sameAsNew(s *store.Store) {
	w.T.Helper()
	fresh := w.openAt(filepath.Join(w.T.TempDir(), "fresh.db"))
	if err := store.Fold(context.Background(), w.Root, fresh); err != nil && !errors.As(err, new(*store.Damage)) {
		w.T.Fatal(err)
	}
	want := dump(w.T, fresh)
	if got := dump(w.T, s); got != want {
		w.T.Fatalf("the fold is not what a new one gives: %s", difference(got, want))
	}
	if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil && !errors.As(err, new(*store.Damage)) {
		w.T.Fatal(err)
	}
	if got := dump(w.T, s); got != want {
		w.T.Fatalf("the rebuilt database differs: %s", difference(got, want))
	}
}

// difference lists the lines that only one of two dumps has.
func difference(got, want string) string {
	var b strings.Builder
	for _, side := range []struct{ name, these, those string }{{"got", got, want}, {"want", want, got}} {
		for line := range strings.Lines(side.these) {
			if !strings.Contains(side.those, line) {
				fmt.Fprintf(&b, "\n%s %s", side.name, strings.TrimSpace(line))
			}
		}
	}
	return b.String()
}

func dump(t testing.TB, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// query returns an answer's rows as text.
func query(t *testing.T, s *store.Store, sql string) []string {
	t.Helper()
	table, err := s.Query(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range table.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = fmt.Sprint(v)
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

func expect(t *testing.T, s *store.Store, sql string, want ...string) {
	t.Helper()
	got := query(t, s, sql)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\n got %q\nwant %q", sql, got, want)
	}
}
