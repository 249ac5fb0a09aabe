package slurmtest_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/internal/slurmtest"
)

var (
	seed  = flag.Uint64("seed", 1, "of what is killed when")
	steps = flag.Int("steps", 0, "of the runs that are killed; 0 is about 15 seconds' worth")
)

// TestRandomKills brings a sweep of 12 runs to its end by submit and status alone, while
// workers, tasks, a node and the controller are killed at random.
func TestRandomKills(t *testing.T) {
	l := lab(t, "long", slurmtest.Options{MinJobAge: 30})
	random := rand.New(rand.NewPCG(*seed, 0))
	n := *steps
	if n == 0 {
		n = longRun(t)
	}
	sweep := sweepOf("[1, 2, 4]", "[1, 2, 3, 4]", n)
	p := newPlace(t, l, sweep)
	begun := time.Now()
	say := func(format string, args ...any) {
		t.Logf("%4.0f s  %s", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
	kills := 0
	for submissions := 1; ; submissions++ {
		if submissions > 30 {
			t.Fatalf("after %d submissions it is not done\n%s", submissions, p.run("status", "small").stdout)
		}
		r := p.run("submit", "small.toml")
		first, _, _ := strings.Cut(strings.TrimSpace(r.stdout+r.stderr), "\n")
		say("$ headroom submit small.toml: exit code %d: %s", r.code, first)
		if strings.Contains(r.stderr, "nothing to submit") {
			break
		}
		for {
			time.Sleep(time.Duration(3000+random.IntN(7000)) * time.Millisecond)
			d := p.status()
			counts := map[string]int{}
			for _, r := range d.Runs {
				counts[r.State]++
			}
			say("$ headroom status: %v %s", counts, d.Cluster.Silent)
			if d.Cluster.Silent == "" && !p.lives(d) {
				break
			}
			if kills < 12 {
				if what := p.strike(random, kills); what != "" {
					kills++
					say("killed %s", what)
				}
			}
		}
	}
	if counts := p.counts(); counts["done"] != 12 {
		t.Fatalf("runs are %v", counts)
	}
	say("all done; %d kills; %s", kills, strings.Split(p.ok("status", "small"), "\n")[1])
	p.same(sweep)
	p.onlyOnce()
}

// strike kills something, and says what; "" if there was nothing.
func (p *place) strike(random *rand.Rand, n int) string {
	switch n {
	case 1:
		p.lab.KillController()
		time.Sleep(time.Duration(10+random.IntN(20)) * time.Second)
		if err := p.lab.StartController(); err != nil {
			p.t.Fatal(err)
		}
		return "the controller, for up to half a minute"
	case 3:
		p.lab.KillNode(2)
		time.AfterFunc(50*time.Second, func() { _ = p.lab.ReviveNode(2) })
		return "the daemon of node n2, whose tasks live on"
	}
	word := []string{"worker", "task"}[random.IntN(2)]
	pids := p.processes(word)
	if len(pids) == 0 {
		return ""
	}
	pid := pids[random.IntN(len(pids))]
	if syscall.Kill(pid, syscall.SIGKILL) != nil {
		return ""
	}
	return "a " + word
}

// processes are those of this place that a command has started.
func (p *place) processes(word string) (pids []int) {
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		line, err := os.ReadFile(path)
		if err == nil && bytes.Contains(line, []byte("\x00"+word+"\x00")) && bytes.Contains(line, []byte(p.dir)) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
