package slurmtest_test

import (
	"strings"
	"testing"
	"time"

	"headroom/internal/slurmtest"
)

// working submits a sweep of one run with a number of CPUs in a partition, and returns once the run has done some
// steps.
func (p *place) working(settings ...string) statusRun {
	p.t.Helper()
	p.submit(settings...)
	p.until("the run works", 2*time.Minute, func() bool {
		runs := p.byState("running")
		return len(runs) == 1 && runs[0].Step >= 5
	})
	return p.status().Runs[0]
}

// done submits until the run is done, and compares.
func (p *place) done(sweep string) {
	p.t.Helper()
	p.settle(4 * time.Minute)
	if p.counts()["done"] == 0 {
		p.ok("submit", "small.toml", "--wait", "--every", "1s")
	}
	if counts := p.counts(); counts["done"] != 1 {
		p.t.Errorf("runs are %v\n%s", counts, p.logs())
	}
	p.same(sweep)
	p.onlyOnce()
}

// TestATimeLimit has the limit of a running task shortened, so that it is reached.
func TestATimeLimit(t *testing.T) {
	l := lab(t, "long", slurmtest.Options{})
	sweep := sweepOf("[1]", "[1]", 4*longRun(t))
	p := newPlace(t, l, sweep)
	run := p.working()
	end := time.Now().Add(40 * time.Second).Format("2006-01-02T15:04:05")
	p.slurm("scontrol", "update", "JobId="+run.Cluster.Job, "EndTime="+end)
	p.until("it is queued again, or has ended", 3*time.Minute, func() bool {
		c := p.status().Runs[0].Cluster
		return c.Restarts > 0 || c.State == "ended"
	})
	p.done(sweep)
}

// TestPreemption has a job of a partition with priority take the node, in both modes.
func TestPreemption(t *testing.T) {
	for _, mode := range []string{"REQUEUE", "CANCEL"} {
		t.Run(mode, func(t *testing.T) {
			l := lab(t, "long", slurmtest.Options{Nodes: 1, Preempt: mode})
			sweep := sweepOf("[1]", "[1]", 2*longRun(t))
			p := newPlace(t, l, sweep)
			run := p.working("slurm.partition=low", "slurm.cpus=4")
			p.slurm("sbatch", "-p", "main", "-c", "4", "-o", "/dev/null", "--wrap", "sleep 5")
			p.until("it is not on the node any more", 2*time.Minute, func() bool {
				c := p.status().Runs[0].Cluster
				return c.Restarts > 0 || c.State != "running"
			})
			t.Logf("%s: the run %s", mode, run.Label)
			p.done(sweep)
		})
	}
}

// TestANodeFailsAndItsTaskLivesOn has the scheduler give a task up that works on.
func TestANodeFailsAndItsTaskLivesOn(t *testing.T) {
	l := lab(t, "long", slurmtest.Options{NodeTimeout: 10})
	sweep := sweepOf("[1]", "[1]", 6*longRun(t))
	p := newPlace(t, l, sweep)
	run := p.working()
	node := int(run.Cluster.Node[1] - '0')
	old := p.processes(run.ID)
	l.KillNode(node)
	p.until("it is started again on the other node", 3*time.Minute, func() bool {
		c := p.status().Runs[0].Cluster
		return c.Restarts > 0 && c.Node != run.Cluster.Node
	})
	p.until("the old attempt, which lives, has stopped", time.Minute, func() bool {
		now := p.processes(run.ID)
		return len(now) <= 1 && (len(now) == 0 || now[0] != old[0])
	})
	if !strings.Contains(p.logs(), "another process took it over") && p.counts()["done"] == 0 {
		t.Logf("the old attempt said\n%s", p.logs())
	}
	p.done(sweep)
}

// TestASecondStage submits evaluate.full's collections for the best point alone, once the first stage has ended.
func TestASecondStage(t *testing.T) {
	l := lab(t, "long", slurmtest.Options{})
	sweep := strings.Replace(sweepOf("[1, 4]", "[1]", 6), "[evaluate]\n", "[evaluate]\nfull = [\"./more\"]\nduring = [\"./data\"]\nevery = 6\n", 1)
	p := newPlace(t, l, sweep)
	type document struct {
		Full []struct {
			State string
			Runs  []string
		}
		Evaluations []struct{ Name, Dataset, State, Run string }
	}
	planned := func() document { return decode[document](t, p.ok("plan", "small.toml", "--json")) }
	p.ok("submit", "small.toml", "--wait", "--every", "1s")
	before := planned()
	if len(before.Full) != 1 || before.Full[0].State != "chosen" || len(before.Full[0].Runs) != 1 {
		t.Fatalf("after the first stage: %+v\n%s", before.Full, p.logs())
	}
	second := p.submit("--wait", "--every", "1s")
	if len(second.Runs) != 1 || second.Runs[0] != before.Full[0].Runs[0] {
		t.Errorf("the second stage is of %v, chosen is %v", second.Runs, before.Full[0].Runs)
	}
	more := 0
	for _, e := range planned().Evaluations {
		if e.State != "done" {
			t.Errorf("after the second stage: %+v\n%s", e, p.logs())
		}
		if strings.HasSuffix(e.Dataset, "more") {
			more++
		}
	}
	if more != 2 { // the chosen run and BM25
		t.Errorf("%d evaluations on the second stage's collection", more)
	}
	if again := p.submit(); again.Submission != "" {
		t.Errorf("submitted again: %+v", again)
	}
	p.same(sweep)
}
