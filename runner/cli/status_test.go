package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

func TestStatusHasTheMainMeasureAndWhatVaries(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.write("small.toml", strings.NewReplacer("[grid]", "[grid]\n\"train.lr\" = [1e-3, 2e-3]", "\nlr = 1e-3\n", "\n").Replace(smallSweep))
	p.ok("run", sweep, "--quiet", "--only", "model.rescale=4")
	type row struct {
		Label, State string
		Score        *struct {
			Measure, Dataset string
			Value            float64
		}
	}
	for _, r := range decode[struct{ Runs []row }](t, p.ok("status", "small", "--json")).Runs {
		if r.State == "new" {
			if r.Score != nil {
				t.Errorf("a score of a run that has not begun: %+v", r)
			}
			continue
		}
		want := decode[struct {
			Rows []struct {
				Value   float64
				Dataset string
			}
		}](t, p.ok("query", "SELECT value, dataset FROM scores JOIN runs USING (run) WHERE measure = 'nDCG@10' AND label = '"+r.Label+"'", "--json")).Rows
		if len(want) != 1 || r.Score == nil || r.Score.Measure != "nDCG@10" || r.Score.Value != want[0].Value || r.Score.Dataset != want[0].Dataset {
			t.Errorf("%s has %+v, the store %+v", r.Label, r.Score, want)
		}
	}
	out := p.ok("status", "small")
	for _, want := range []string{"nDCG@10 data", "0.5000", "train.lr=0.001", "train.lr=0.002"} {
		if !strings.Contains(out, want) {
			t.Errorf("status lacks %q:\n%s", want, out)
		}
	}
}

func TestAWatchedStatusFitsTheWindow(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.write("small.toml", strings.Replace(smallSweep, "[1, 2]", "[1, 2, 3, 4, 5]", 1))
	planned := decode[struct{ Runs []struct{ ID, Label string } }](t, p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_FAIL=" + planned.Runs[8].ID}
	if r := p.run("run", sweep, "--quiet"); r.code != 3 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	whole := p.ok("status", "small")
	if n := strings.Count(whole, "\n"); n != 12 {
		t.Errorf("without a terminal %d lines:\n%s", n, whole)
	}
	failing := planned.Runs[8].Label
	for _, size := range []struct{ width, lines, shown int }{{60, 7, 4}, {200, 7, 4}, {40, 40, 10}, {80, 4, 1}} {
		p.width, p.lines = size.width, size.lines
		ctx, cancel := context.WithCancel(t.Context())
		printed := &lines{written: cancel}
		p.ctx, p.out = ctx, printed // one run waits, so that the watch ends as Ctrl-C ends it
		if r := p.run("status", "small", "--watch"); r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		out := printed.String()
		lines := strings.Split(out, "\n")
		if len(lines) > size.lines {
			t.Errorf("%+v: %d lines:\n%s", size, len(lines), out)
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > size.width {
				t.Errorf("%+v: a line of %d: %s", size, n, line)
			}
		}
		if !strings.Contains(out, failing) { // what waits for somebody comes before what is done
			t.Errorf("%+v lacks %s:\n%s", size, failing, out)
		}
		if more := fmt.Sprintf("… and %d more: ", 10-size.shown); size.shown < 10 && !strings.Contains(out, more) {
			t.Errorf("%+v lacks %q:\n%s", size, more, out)
		}
	}
}

// The fake's loss is 1, 1/2, 1/3 … to 1/6, of which a watched status draws each step, as high as it
// lies between the least and the greatest.
func TestAWatchedStatusDrawsCurves(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "--quiet")
	watch := func(width int) string {
		p.width, p.lines = width, 20
		return p.ok("status", "small", "--watch") // all is over, so that it ends
	}
	if out := watch(200); !strings.Contains(out, "loss") || !strings.Contains(out, " █▄▂▁▁▁ 0.167 ") {
		t.Errorf("a wide window has\n%s", out)
	}
	if out := watch(70); !strings.Contains(out, "█▄▂▁▁▁ 0.167") || strings.Contains(out, "seconds") || strings.Contains(out, "…") {
		t.Errorf("a window of 70 has\n%s", out)
	}
	if out := watch(40); strings.Contains(out, "█") || !strings.Contains(out, "verdict") {
		t.Errorf("a narrow window has\n%s", out)
	}
	p.width = 0
	if out := p.ok("status", "small", "--watch"); strings.ContainsAny(out, "▁▂▃▄▅▆▇█\x1b") || !strings.Contains(out, "seconds") {
		t.Errorf("without a terminal\n%s", out)
	}
}

// Until the first fold of a workspace has ended, its database has any part of the files. Some commands
// need the right to fold whatever the database has.
func TestTheFoldOfAnotherProcessIsWaitedFor(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample(), "--quiet")
	database := filepath.Join(p.dir, "ws", "headroom.db")
	for _, c := range []struct {
		command []string
		first   bool // fold of the workspace
		note    string
	}{
		{[]string{"status", "small"}, true, "folding the workspace for the first time; this command waits"},
		{[]string{"db", "rebuild"}, false, "folding the workspace; this command waits"},
		{[]string{"db", "check"}, false, "folding the workspace; this command waits"},
		{[]string{"db", "repair"}, false, "folding the workspace; this command waits"},
		{[]string{"status", "small"}, false, "folding the workspace; figures are "},
	} {
		p.role = "fake"
		want := p.ok(c.command...)
		if c.first {
			if err := os.Remove(database); err != nil {
				t.Fatal(err)
			}
		}
		lock, err := os.OpenFile(database+".lock", os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		p.role = "program"
		cmd, output := p.start(c.command...)
		output.wait(t, c.note)
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		if code := exitCode(cmd.Wait()); code != 0 || !strings.Contains(output.String(), want) {
			t.Errorf("headroom %s: exit code %d: %s\nwant\n%s", c.command, code, output, want)
		}
	}
}
