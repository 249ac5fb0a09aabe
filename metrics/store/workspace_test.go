package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/store"
)

// space is a workspace on disk that a test writes as the program would.
type space struct {
	t    *testing.T
	root string
	now  time.Time
}

func newSpace(t *testing.T) *space {
	return &space{t: t, root: t.TempDir(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (w *space) clock() time.Time {
	w.now = w.now.Add(time.Second)
	return w.now
}

// id is a run's id from a short name.
func id(name string) string { return strings.Repeat("0", 64-len(name)) + name }

func (w *space) write(path, text string) {
	w.t.Helper()
	path = filepath.Join(w.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// attempt opens the log of a run's next attempt.
func (w *space) attempt(run string, from int) *event.Log {
	w.t.Helper()
	l, err := event.Create(filepath.Join(w.root, "runs", id(run)), event.WithClock(w.clock))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	w.add(l, event.Started{Run: id(run), Attempt: l.Attempt(), Host: "node", PID: 7, FromStep: from, Steps: 10,
		Facts: event.Facts{Batch: 4, Candidates: 4, Vocab: 100, RampEnd: 3, Loss: "infonce", Parameters: 12}})
	return l
}

func (w *space) add(l *event.Log, events ...event.Event) {
	w.t.Helper()
	for _, e := range events {
		if err := l.Append(e); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		w.t.Fatal(err)
	}
}

// steps appends steps whose loss tells which attempt wrote them.
func (w *space) steps(l *event.Log, from, to int) {
	w.t.Helper()
	for s := from; s < to; s++ {
		w.add(l, event.Step{Step: s, Values: map[string]event.Value{"loss": event.Value(float64(l.Attempt())*100 + float64(s)), "lr": 1e-3}})
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
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"schema": 1, "sweep": name, "question": "Why?", "revision": revision, "runs": runs,
		"baselines": []map[string]any{{"id": "bm25id", "dataset": "builtin:demo", "name": "bm25", "backbone": ""}}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join("sweeps", name, revision+".json"), string(text))
}

// evaluation writes an evaluation's folder.
func (w *space) evaluation(folder, id, split string, ndcg float64) {
	w.t.Helper()
	w.write(filepath.Join(folder, id, "summary.json"), fmt.Sprintf(`{"schema":1,"id":%q,"dataset":"builtin:demo","split":%q,"queries":2,"documents":9,
		"measures":{"nDCG@10":%v,"RR@10":0.5},"active_query":3.5,"active_document":7,"flops":1.25,
		"seconds":{"encode":1,"index":2,"search":3},"qrels_digest":"sha256:q","tie_share":0.1,"tie_mass":0.05}`, id, split, ndcg))
	w.write(filepath.Join(folder, id, "per_query.tsv"), fmt.Sprintf("query\tmeasure\tvalue\nq1\tnDCG@10\t%v\nq1\tRR@10\t1\nq2\tnDCG@10\t0\nq2\tRR@10\t0\n", 2*ndcg))
}

func (w *space) open() *store.Store {
	w.t.Helper()
	return w.openAt(filepath.Join(w.root, "headroom.db"))
}

func (w *space) openAt(path string) *store.Store {
	w.t.Helper()
	s, err := store.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

func (w *space) fold(s *store.Store) {
	w.t.Helper()
	if err := store.Fold(context.Background(), w.root, s); err != nil {
		w.t.Fatal(err)
	}
}

// sameAsNew checks that the database is what a new fold of the files gives, and is
// that still after a rebuild.
func (w *space) sameAsNew(s *store.Store) {
	w.t.Helper()
	fresh := w.openAt(filepath.Join(w.t.TempDir(), "fresh.db"))
	if err := store.Fold(context.Background(), w.root, fresh); err != nil && !errors.As(err, new(*store.Damage)) {
		w.t.Fatal(err)
	}
	want := dump(w.t, fresh)
	if got := dump(w.t, s); got != want {
		w.t.Fatalf("the fold is not what a new one gives: %s", difference(got, want))
	}
	if err := store.Rebuild(context.Background(), w.root, s); err != nil && !errors.As(err, new(*store.Damage)) {
		w.t.Fatal(err)
	}
	if got := dump(w.t, s); got != want {
		w.t.Fatalf("the rebuilt database differs: %s", difference(got, want))
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

func dump(t *testing.T, s *store.Store) string {
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
