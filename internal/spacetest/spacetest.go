// Package spacetest writes workspaces for tests, file by file, as the program does.
package spacetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
)

// Space is a workspace on disk.
type Space struct {
	T    testing.TB
	Root string
}

// ID is a run's id from a short name.
func ID(name string) string { return strings.Repeat("0", 64-len(name)) + name }

// Write writes a file, whose path begins at the root.
func (s *Space) Write(path, text string) {
	s.T.Helper()
	path = filepath.Join(s.Root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		s.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		s.T.Fatal(err)
	}
}

// Log opens the log of a run's next attempt, which begins at a step of so many.
func (s *Space) Log(run string, from, steps int, facts event.Facts, options ...event.Option) *event.Log {
	s.T.Helper()
	l, err := event.Create(filepath.Join(s.Root, "runs", ID(run)), options...)
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { l.Close() })
	s.Add(l, event.Started{Run: ID(run), Attempt: l.Attempt(), Host: "node", PID: 7, FromStep: from, Steps: steps, Facts: facts})
	return l
}

// Add appends events to a log, and hands them to the file.
func (s *Space) Add(l *event.Log, events ...event.Event) {
	s.T.Helper()
	for _, e := range events {
		if err := l.Append(e); err != nil {
			s.T.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		s.T.Fatal(err)
	}
}

// Evaluation writes an evaluation's folder, of two queries of which the second scores 0.
func (s *Space) Evaluation(folder, id, split string, ndcg, flops float64) {
	s.T.Helper()
	s.Write(filepath.Join(folder, id, "summary.json"), fmt.Sprintf(`{"schema":1,"id":%q,"dataset":"builtin:demo","split":%q,"queries":2,"documents":9,
		"measures":{"nDCG@10":%v,"RR@10":0.5},"active_query":3.5,"active_document":7,"flops":%v,
		"seconds":{"encode":1,"index":2,"search":3},"qrels_digest":"sha256:q","tie_share":0.1,"tie_mass":0.05}`, id, split, ndcg, flops))
	s.Write(filepath.Join(folder, id, "per_query.tsv"), fmt.Sprintf("query\tmeasure\tvalue\nq1\tnDCG@10\t%v\nq1\tRR@10\t1\nq2\tnDCG@10\t0\nq2\tRR@10\t0\n", 2*ndcg))
}

// NewLog creates the log of a run in a new folder. write appends an event to it.
func NewLog(t testing.TB) (l *event.Log, folder string, write func(event.Event)) {
	t.Helper()
	folder = t.TempDir()
	l, err := event.Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	return l, folder, func(e event.Event) {
		t.Helper()
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}
