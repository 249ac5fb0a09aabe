package slurmtest_test

import (
	"strings"
	"testing"
	"time"

	"headroom/internal/slurmtest"
)

// working submits a sweep of one run, of so many CPUs in a partition, and returns it once
// it has done some steps.
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
