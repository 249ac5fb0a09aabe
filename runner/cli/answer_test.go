package cli_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
)

type finishedLine struct {
	Type, Kind, State string
	Result            *struct {
		Verdict, Measure, Dataset string
		Value                     float64
	}
}

// finished are the lines that say how jobs of a kind ended.
func finished(t *testing.T, stdout, kind string) (lines []finishedLine) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var l finishedLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Type == "finished" && l.Kind == kind {
			lines = append(lines, l)
		}
	}
	return lines
}

func TestARunEndsWithItsVerdictAndMainScore(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	p.sample()
	sweep := p.write("small.toml", strings.NewReplacer("[1, 2]", "[1]", "steps = 6", "steps = 2").Replace(smallSweep))
	r := p.run("run", sweep, "--json")
	end := lastLine(t, r.stdout)
	lines := finished(t, r.stdout, "run")
	if len(lines) != 2 {
		t.Fatalf("%d runs ended: %s", len(lines), r.stdout)
	}
	stored := map[string]float64{}
	for _, row := range decode[struct {
		Rows []struct {
			Verdict string
			Value   float64
		}
	}](t, p.ok("query", "SELECT verdict, value FROM scores JOIN runs USING (run) WHERE measure = 'nDCG@10'", "--json")).Rows {
		stored[fmt.Sprintf("%s %.6f", row.Verdict, row.Value)] = row.Value
	}
	for _, l := range lines {
		if l.Result == nil || l.Result.Measure != "nDCG@10" || !strings.HasSuffix(l.Result.Dataset, "data") {
			t.Fatalf("a run ended with %+v", l)
		}
		if _, same := stored[fmt.Sprintf("%s %.6f", l.Result.Verdict, l.Result.Value)]; !same {
			t.Errorf("a run ended with %+v, the store has %v", *l.Result, stored)
		}
	}
	for _, l := range finished(t, r.stdout, "baseline") {
		if l.Result != nil {
			t.Errorf("a baseline has a verdict: %+v", l)
		}
	}
	if out := p.run("run", sweep, "--only", "model.rescale=1", "seed=3"); !strings.Contains(out.stderr, ": "+*end.Runs[0].Verdict+", nDCG@10 0.") {
		t.Errorf("for people:\n%s", out.stderr)
	}
}

func TestTheModelOfARunThatEndedInNaN(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.extra = []string{"FAKE_COLLAPSE=non_finite"}
	p.ok("run", sweep, "--quiet", "--only", "model.rescale=1, seed=1")
	p.refused([]string{"export", "tiny-k1-s1", "--to", filepath.Join(p.dir, "out")}, "is finished", "not finite (verdict non_finite)", "no model", "headroom show tiny-k1-s1", "train.lr")
	p.extra = nil
	end := lastLine(t, p.ok("run", sweep, "--json", "--only", "model.rescale=4, seed=1"))
	for _, run := range end.Runs {
		if strings.HasPrefix(run.Label, "tiny-k4-s1") {
			if err := os.RemoveAll(filepath.Join(p.dir, "ws/runs", run.ID, "model")); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.refused([]string{"export", "tiny-k4-s1", "--to", filepath.Join(p.dir, "out")}, "the exported model is missing", "`headroom run` of its sweep exports it again")
}

func TestALockedDatabaseSaysWhatHoldsItAndThatNothingIsLost(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "--quiet", "--only", "seed=1")
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "ws/headroom.db")+"?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	r := p.run("run", sweep, "--only", "seed=2")
	for _, want := range []string{"locked the database", "all results are safe in the workspace's files", "the next command folds them", "end that program or wait"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the message lacks %q:\n%s", want, r.stderr)
		}
	}
	if r.code != 1 {
		t.Errorf("exit code %d", r.code)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if out := p.ok("status", "small"); !strings.HasPrefix(out, "4 runs: 4 done\n") {
		t.Errorf("after the lock:\n%s", out)
	}
}
