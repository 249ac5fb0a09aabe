package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/metrics/event"
)

// These tests train: the program and its workers are processes of this test
// binary that do what headroom does. The models are a few hundred parameters.

// realPlace is a place whose runs are real and long enough to be stopped.
func realPlace(t *testing.T) (p *place, sweep string) {
	t.Helper()
	p = newPlace(t)
	p.role = "program"
	p.sample()
	text := strings.NewReplacer("steps = 6", "steps = 150", "[1, 4]", "[4]", "[1, 2]", "[1]").Replace(smallSweep)
	return p, p.write("small.toml", text+"[checkpoint]\nevery = 7\n")
}

// weights returns the digest of each finished run's final weights, by label.
func (p *place) weights() map[string]string {
	p.t.Helper()
	digests := map[string]string{}
	for _, run := range decode[struct{ Runs []struct{ ID, State string } }](p.t, p.ok("status", "--json")).Runs {
		if run.State == "new" {
			continue // a point of the file that the test does not run
		}
		show := decode[struct{ Label, State, Weights string }](p.t, p.ok("show", run.ID, "--json"))
		if show.State != "done" || !strings.HasPrefix(show.Weights, "sha256:") {
			p.t.Errorf("run %s is %s with weights %q", show.Label, show.State, show.Weights)
		}
		digests[show.Label] = show.Weights
	}
	return digests
}

// startSlow starts the program as start does. Its workers take several seconds to train, so that
// a test can stop them at a step.
func (p *place) startSlow(args ...string) (*exec.Cmd, *lines) {
	p.t.Helper()
	defer func(extra []string) { p.extra = extra }(p.extra)
	p.extra = append(slices.Clone(p.extra), slowVariable+"=5ms")
	return p.start(args...)
}

// start starts the program as a process of its own.
func (p *place) start(args ...string) (*exec.Cmd, *lines) {
	p.t.Helper()
	executable, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(executable, args...)
	output := &lines{}
	cmd.Stdout, cmd.Stderr = output, output
	for name, value := range p.environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, output
}

// awaitStep waits until a run's log holds a step, and returns who writes it.
func (p *place) awaitStep(step int) (pid int) {
	p.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		logs, err := filepath.Glob(filepath.Join(p.dir, "ws/runs/*/attempts/*/events.jsonl"))
		if err != nil || len(logs) == 0 {
			continue
		}
		slices.Sort(logs)
		// A run in the middle of a step has buffered lines: its checkpoints, which are
		// not buffered, say how far it is as well.
		reached := false
		_, err = event.Scan(logs[len(logs)-1], event.Position{}, func(r event.Record) error {
			switch e := r.Event.(type) {
			case event.Started:
				pid = e.PID
			case event.Step:
				reached = reached || e.Step >= step
			case event.Checkpoint:
				reached = reached || e.Step >= step
			}
			return nil
		})
		if err == nil && reached {
			return pid
		}
	}
	p.t.Fatalf("no run reached step %d", step)
	return 0
}

func (p *place) attempts() int {
	logs, err := filepath.Glob(filepath.Join(p.dir, "ws/runs/*/attempts/*/events.jsonl"))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(logs)
}

func TestOneTruePathFromSweepToReport(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep := p.sample()
	end := lastLine(t, p.ok("run", sweep, "--json"))
	if len(end.Runs) != 4 || end.Done != 7 {
		t.Fatalf("end %+v", end)
	}
	for _, run := range end.Runs {
		if run.State != "done" || run.Verdict == nil {
			t.Errorf("run %+v", run)
		}
	}
	before := p.files()
	start := time.Now()
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 {
		t.Errorf("the second run did %d jobs", end.Done)
	}
	t.Logf("a run with nothing to do took %v", time.Since(start))
	if after := p.files(); withoutDatabase(after) != withoutDatabase(before) {
		t.Errorf("the second run changed files; before:\n%s\nafter:\n%s", before, after)
	}

	// A collection that comes later is evaluated without training again.
	p.write("other/corpus.jsonl", `{"_id":"d1","text":"red"}`+"\n"+`{"_id":"d2","text":"stone"}`+"\n")
	p.write("other/queries.jsonl", `{"_id":"q1","text":"red"}`+"\n")
	p.write("other/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
	weights := p.weights()
	attempts := p.attempts()
	end = lastLine(t, p.ok("run", sweep, "--json", `evaluate.final=["./data","./other"]`))
	if end.Done != 4+2 || end.Failed != 0 { // four evaluations, two baselines
		t.Errorf("with another collection: %+v", end)
	}
	for label, digest := range p.weights() {
		if digest != weights[label] {
			t.Errorf("%s was trained again", label)
		}
	}
	if p.attempts() != attempts+4 {
		t.Errorf("%d attempts, then %d", attempts, p.attempts())
	}
	scores := decode[struct {
		Rows []struct{ N int }
	}](t, p.ok("query", "SELECT count(DISTINCT dataset) AS n FROM scores GROUP BY run", "--json"))
	if len(scores.Rows) != 4 || scores.Rows[0].N != 2 {
		t.Errorf("collections per run: %+v", scores.Rows)
	}

	first, second := filepath.Join(p.dir, "report1"), filepath.Join(p.dir, "report2")
	p.ok("report", "small", "-o", first)
	p.ok("db", "rebuild")
	p.ok("report", "small", "-o", second)
	same(t, first, second)
}

// same compares two folders byte by byte.
func same(t *testing.T, a, b string) {
	t.Helper()
	entries, err := os.ReadDir(a)
	if err != nil || len(entries) < 10 {
		t.Fatalf("%d files in %s: %v", len(entries), a, err)
	}
	for _, entry := range entries {
		x, errX := os.ReadFile(filepath.Join(a, entry.Name()))
		y, errY := os.ReadFile(filepath.Join(b, entry.Name()))
		if err := errors.Join(errX, errY); err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs between two reports of one store: %v", entry.Name(), err)
		}
	}
}

// However a sweep is stopped, the same command brings it to the same weights.
func TestStoppedAnywhereARunEndsWithTheSameWeights(t *testing.T) {
	undisturbed, sweep := realPlace(t)
	undisturbed.ok("run", sweep)
	want := undisturbed.weights()
	if len(want) != 1 {
		t.Fatalf("weights %v", want)
	}
	compare := func(t *testing.T, p *place) {
		t.Helper()
		got := p.weights()
		for label, digest := range want {
			if got[label] != digest {
				t.Errorf("%s ended with %s, undisturbed with %s", label, got[label], digest)
			}
		}
	}
	resume := func(t *testing.T, p *place, sweep string) {
		t.Helper()
		end := lastLine(t, p.ok("run", sweep, "--json"))
		if len(end.Runs) != 1 || end.Runs[0].State != "done" {
			t.Errorf("the second run ended with %+v", end)
		}
		compare(t, p)
		for name, n := range stepsTwice(t, p) {
			t.Errorf("the store has %d points for %s", n, name)
		}
	}

	t.Run("the worker is killed", func(t *testing.T) {
		for _, step := range []int{1, 9, 30} {
			p, sweep := realPlace(t)
			cmd, output := p.startSlow("run", sweep)
			if err := syscall.Kill(p.awaitStep(step), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if code := exitCode(cmd.Wait()); code != 3 || !strings.Contains(output.String(), "signal 9") {
				t.Errorf("exit code %d\n%s", code, output)
			}
			resume(t, p, sweep)
		}
	})
	t.Run("the program is killed", func(t *testing.T) {
		p, sweep := realPlace(t)
		cmd, _ := p.startSlow("run", sweep)
		p.awaitStep(12)
		cmd.Process.Kill()
		cmd.Wait()
		resume(t, p, sweep) // waits for the worker, which stops at a checkpoint
	})
	t.Run("Ctrl-C", func(t *testing.T) {
		p, sweep := realPlace(t)
		cmd, output := p.startSlow("run", sweep)
		p.awaitStep(12)
		cmd.Process.Signal(os.Interrupt)
		if code := exitCode(cmd.Wait()); code != 130 {
			t.Errorf("exit code %d\n%s", code, output)
		}
		if states := decode[endDocument](t, p.ok("status", "--json")).Runs; len(states) != 1 || states[0].State != "interrupted" {
			t.Errorf("status %+v", states)
		}
		if plan := p.ok("plan", sweep); !strings.Contains(plan, "resume") {
			t.Errorf("the plan:\n%s", plan)
		}
		resume(t, p, sweep)
	})
}

// stepsTwice counts the points that are not one per step.
func stepsTwice(t *testing.T, p *place) map[string]int {
	t.Helper()
	wrong := map[string]int{}
	for _, row := range decode[struct {
		Rows []struct {
			Name string
			N    int
		}
	}](t, p.ok("query", "SELECT name, count(*) AS n FROM series WHERE name = 'loss' GROUP BY run, name", "--json")).Rows {
		if row.N != 150 {
			wrong[row.Name] = row.N
		}
	}
	return wrong
}

func TestASecondRunWaitsForTheFirstAndSaysSo(t *testing.T) {
	p, sweep := realPlace(t)
	first, firstOutput := p.startSlow("run", sweep)
	worker := p.awaitStep(1)
	if err := syscall.Kill(worker, syscall.SIGSTOP); err != nil { // until the second is at work
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(worker, syscall.SIGCONT) })
	second, output := p.start("run", sweep, "--json")
	output.wait(t, `"waiting"`)
	if err := syscall.Kill(worker, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(second.Wait()); code != 0 {
		t.Errorf("the second ended with %d\n%s", code, output)
	}
	if code := exitCode(first.Wait()); code != 0 {
		t.Errorf("the first ended with %d\n%s", code, firstOutput)
	}
	waited := false
	for line := range strings.Lines(output.String()) {
		var m struct{ Type, Message string }
		if json.Unmarshal([]byte(line), &m) == nil && m.Type == "waiting" && strings.Contains(m.Message, "process ") {
			waited = true
		}
	}
	if !waited {
		t.Errorf("the second did not say that it waits:\n%s", output)
	}
	for name, n := range stepsTwice(t, p) {
		t.Errorf("the store has %d points for %s", n, name)
	}
	for _, attempt := range decode[struct{ Attempts []attemptDocument }](t, p.ok("show", p.onlyRun(), "--json")).Attempts[1:] {
		if attempt.FromStep != 150 {
			t.Errorf("attempt %+v trained what was trained", attempt)
		}
	}
}

type attemptDocument struct {
	Attempt, Step int
	FromStep      int `json:"from_step"`
}

func (p *place) onlyRun() string {
	p.t.Helper()
	runs := decode[endDocument](p.t, p.ok("status", "--json")).Runs
	if len(runs) != 1 {
		p.t.Fatalf("runs %+v", runs)
	}
	return runs[0].ID
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -2
	}
}
