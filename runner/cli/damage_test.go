package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// report folds several times, and db check looks at each evaluation's files twice.
func TestADamagedFileIsNamedOnce(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample(), "--quiet")
	files, err := filepath.Glob(filepath.Join(p.dir, "ws", "runs", "*", "evaluations", "*", "per_query.tsv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[0], text, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"report", "small", "-o", filepath.Join(p.dir, "report")}, {"db", "check"}, {"db", "check", "--json"}} {
		r := p.run(command...)
		if n := strings.Count(r.stderr, "per_query.tsv is damaged"); n != 1 && command[len(command)-1] != "--json" {
			t.Errorf("%q names it %d times:\n%s", command, n, r.stderr)
		}
		if n := strings.Count(r.stdout, "per_query.tsv is damaged"); n != 1 && command[len(command)-1] == "--json" {
			t.Errorf("%q names it %d times:\n%s", command, n, r.stdout)
		}
	}
}

// A run whose log was removed looks like one that has not begun.
func TestResultsWithoutALogAreDamage(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample(), "--quiet")
	p.ok("db", "check")
	runs, err := filepath.Glob(filepath.Join(p.dir, "ws", "runs", "*"))
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	if err := os.RemoveAll(filepath.Join(runs[0], "attempts")); err != nil {
		t.Fatal(err)
	}
	if r := p.run("db", "check"); r.code != 1 || strings.Count(r.stderr, filepath.Join(runs[0], "attempts", "1", "events.jsonl")+" is damaged: the event log is missing") != 1 {
		t.Errorf("%+v", r)
	}
	p.ok("run", p.sample(), "--quiet")
	p.ok("db", "check")
}
