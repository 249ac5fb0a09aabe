package slurmtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/internal/slurmtest"
)

func TestASweepOnSlurmIsThatOfThisMachine(t *testing.T) {
	l := lab(t, "short", slurmtest.Options{})
	sweep := sweepOf("[1, 4]", "[1, 2]", 6)
	p := newPlace(t, l, sweep)
	if r := p.run("submit", "small.toml", "slurm.partition=gpu"); r.code != 2 || !strings.Contains(r.stderr, `no such partition; it has: main, low`) {
		t.Errorf("an unknown partition: exit code %d\n%s", r.code, r.stderr)
	}
	if r := p.run("submit", "small.toml", "slurm.gres=gpu:8"); r.code != 2 || !strings.Contains(r.stderr, "Slurm refuses the backbones: ") {
		t.Errorf("what no node has: exit code %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "ws")); err == nil {
		t.Error("what was refused made a workspace")
	}
	p.ok("submit", "small.toml", "--wait", "--every", "1s")
	if counts := p.counts(); counts["done"] != 4 {
		t.Fatalf("runs are %v\n%s", counts, p.logs())
	}
	if reports, _ := filepath.Glob(filepath.Join(p.dir, "ws", "slurm", "small", "*", "report", "report.md")); len(reports) != 1 {
		t.Errorf("reports: %v\n%s", reports, p.logs())
	}
	if again := p.submit(); again.Submission != "" || len(again.Skipped) != 4 {
		t.Errorf("submitted again: %+v", again)
	}
	p.same(sweep)
	p.onlyOnce()
}

// TestTasksThatAreCancelledSignalledAndKilled disturbs three of four runs, each in its way.
func TestTasksThatAreCancelledSignalledAndKilled(t *testing.T) {
	l := lab(t, "short", slurmtest.Options{})
	sweep := sweepOf("[1, 4]", "[1, 2]", longRun(t))
	p := newPlace(t, l, sweep)
	p.submit()
	p.until("four runs work", time.Minute, func() bool {
		return len(slices.DeleteFunc(p.byState("running"), func(r statusRun) bool { return r.Step < 10 })) == 4
	})
	runs := p.status().Runs
	p.ok("cancel", runs[0].Label)
	p.slurm("scancel", "--batch", "--signal=USR1", runs[1].Cluster.Job)
	p.kill(runs[2].ID)
	p.until("one is queued again", 2*time.Minute, func() bool { return p.status().Runs[1].Cluster.Restarts == 1 })
	p.settle(4 * time.Minute)
	after := p.status().Runs
	if c := after[0].Cluster; after[0].State != "interrupted" || !strings.Contains(c.Why, "cancelled") {
		t.Errorf("the run that was cancelled is %s: %+v", after[0].State, c)
	}
	if c := after[1].Cluster; after[1].State != "done" || c.Restarts != 1 {
		t.Errorf("the run that was signalled is %s: %+v", after[1].State, c)
	}
	if c := after[2].Cluster; after[2].State == "done" || !strings.Contains(c.Why, "killed by signal 9") {
		t.Errorf("the run that was killed is %s: %+v", after[2].State, c)
	}
	if after[3].State != "done" {
		t.Errorf("the run that was left alone is %s: %+v", after[3].State, after[3].Cluster)
	}
	again := p.submit("--wait", "--every", "1s")
	if len(again.Runs) != 2 {
		t.Errorf("submitted again: %+v", again)
	}
	p.same(sweep)
	p.onlyOnce()
}

// kill ends a run's worker as an operating system without memory does.
func (p *place) kill(run string) {
	p.t.Helper()
	for _, pid := range p.processes(run) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			p.t.Error(err)
		}
	}
}

// TestTwoSubmitsAtOnce has every run in one of two submissions.
func TestTwoSubmitsAtOnce(t *testing.T) {
	l := lab(t, "short", slurmtest.Options{MaxArraySize: 5})
	sweep := sweepOf("[1, 2, 4]", "[1, 2]", 6)
	p := newPlace(t, l, sweep)
	documents := make([]submitDocument, 2)
	var all sync.WaitGroup
	for i := range documents {
		all.Go(func() {
			r := p.run("submit", "small.toml", "--json")
			if r.code != 0 {
				t.Errorf("exit code %d\n%s", r.code, r.stderr)
			}
			documents[i] = decode[submitDocument](t, r.stdout)
		})
	}
	all.Wait()
	submitted := append(documents[0].Runs, documents[1].Runs...)
	slices.Sort(submitted)
	if len(submitted) != 6 || len(slices.Compact(submitted)) != 6 {
		t.Errorf("submitted: %+v", documents)
	}
	arrays := 0 // of at most 5 tasks, so two for 6 runs
	for _, d := range documents {
		for _, job := range d.Jobs {
			if job.Kind == "runs" {
				arrays++
			}
		}
	}
	if arrays != 2 {
		t.Errorf("%d arrays of runs: %+v", arrays, documents)
	}
	p.settle(2 * time.Minute)
	p.same(sweep)
	p.onlyOnce()
}

// TestTheControllerIsAway kills it while runs work, and asks.
func TestTheControllerIsAway(t *testing.T) {
	l := lab(t, "short", slurmtest.Options{MinJobAge: 8})
	sweep := sweepOf("[1, 4]", "[1]", longRun(t))
	p := newPlace(t, l, sweep)
	p.submit()
	p.until("two runs work", time.Minute, func() bool { return len(p.byState("running")) == 2 })
	l.KillController()
	if d := p.status(); !strings.Contains(d.Cluster.Silent, "the cluster does not answer") {
		t.Errorf("while the controller is away status says %+v", d.Cluster)
	}
	if r := p.run("submit", "small.toml"); r.code == 0 || !strings.Contains(r.stderr, "the cluster does not answer") {
		t.Errorf("while the controller is away submit ends with %d\n%s", r.code, r.stderr)
	}
	if err := l.StartController(); err != nil {
		t.Fatal(err)
	}
	p.settle(4 * time.Minute)
	if counts := p.counts(); counts["done"] != 2 {
		t.Errorf("runs are %v\n%s", counts, p.logs())
	}
	// What is forgotten after eight seconds is not submitted again.
	p.until("Slurm has forgotten the jobs", time.Minute, func() bool { return strings.TrimSpace(p.slurm("squeue", "-h", "-t", "all")) == "" })
	if again := p.submit(); again.Submission != "" {
		t.Errorf("submitted again: %+v", again)
	}
	p.same(sweep)
	p.onlyOnce()
}

// TestWhatANodeCannotDoIsSaid takes the program, and then the folder of the logs, away
// before a task begins.
func TestWhatANodeCannotDoIsSaid(t *testing.T) {
	l := lab(t, "short", slurmtest.Options{})
	p := newPlace(t, l, sweepOf("[1]", "[1]", 6))
	own := filepath.Join(p.dir, "bin", "headroom")
	text, err := os.ReadFile(program)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(own), 0o755)
	}
	if err == nil {
		err = os.WriteFile(own, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	submit := p.command("submit", "small.toml", "--json", "slurm.extra=--begin=now+4", "slurm.requeue=0")
	submit.Path = own
	if out, err := submit.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(own, []byte("\x7fELF of another machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.settle(time.Minute)
	if others := p.status().Cluster.Others; len(others) == 0 || !strings.Contains(others[0].Why, " cannot run "+own) {
		t.Errorf("a program that the node cannot run: %+v", others)
	}
	d := p.submit("slurm.extra=--begin=now+4", "slurm.requeue=0")
	if err := os.RemoveAll(filepath.Join(p.dir, "ws", "slurm", "small", d.Submission, "logs")); err != nil {
		t.Fatal(err)
	}
	p.settle(time.Minute)
	if others := p.status().Cluster.Others; len(others) == 0 || !strings.Contains(others[0].Why, "could not write its log on n") {
		t.Errorf("a log that cannot be written: %+v", others)
	}
	p.ok("submit", "small.toml", "--wait", "--every", "1s")
	if counts := p.counts(); counts["done"] != 1 {
		t.Errorf("runs are %v\n%s", counts, p.logs())
	}
}
