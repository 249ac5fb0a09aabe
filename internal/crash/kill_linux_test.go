package crash_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledAnywhereASweepEndsTheSame kills workers, the parent and both, in every
// command and phase, and compares what comes of the sweep in the end.
func TestKilledAnywhereASweepEndsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 0))
	reference := newPlace(t, t.TempDir())
	took := map[string]time.Duration{}
	for _, args := range reference.commands() {
		start := time.Now()
		reference.ok(args...)
		took[args[0]] = time.Since(start)
	}
	want := reference.results()
	counts := map[string]int{}
	done, sweeps := 0, 0
	for ; done < *kills; sweeps++ {
		p := newPlace(t, t.TempDir())
		for _, args := range p.commands() {
			for range random.IntN(4) {
				if _, err := os.Stat(p.path("exported")); err == nil {
					break // an export replaces nothing
				}
				if what := p.kill(random, took[args[0]], args); what != "" {
					counts[args[0]+": "+what]++
					done++
				}
			}
			if _, err := os.Stat(p.path("exported")); err != nil || args[0] != "export" { // else it was killed after its end
				p.ok(args...)
			}
		}
		if err := same(want, p.results()); err != nil {
			t.Fatalf("seed %d, sweep %d, after %d kills: %v", *seed, sweeps, done, err)
		}
		p.ok("db", "check")
		p.collectGarbage()
		if err := same(want, p.results()); err != nil {
			t.Fatalf("seed %d, sweep %d, after garbage was collected: %v", *seed, sweeps, err)
		}
		os.RemoveAll(p.dir)
	}
	t.Logf("%d kill -9 in %d sweeps: every sweep ended with the same %d results", done, sweeps, len(want))
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d  %s", counts[what], what)
	}
}

// kill starts a command and kills some of its processes, at a random time or when a
// file is being written, and returns who was killed at what; "" if all was over.
func (p *place) kill(random *rand.Rand, took time.Duration, args []string) string {
	p.t.Helper()
	victim := []string{"worker", "parent", "group"}[random.IntN(3)]
	before := p.unfinished()
	writes := random.IntN(2) * (1 + random.IntN(20)) // 0: at a random time
	c := p.command(args...)
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { c.Wait(); close(over) }()
	if writes > 0 {
		p.awaitWrite(writes, over)
	} else {
		select {
		case <-time.After(time.Duration(random.Float64() * 1.1 * float64(took))):
		case <-over:
		}
	}
	workers := children(c.Process.Pid)
	killed := map[string][]int{"worker": workers, "parent": {c.Process.Pid}, "group": append(workers, c.Process.Pid)}[victim]
	if victim == "worker" && len(workers) > 0 {
		killed = workers[random.IntN(len(workers)):][:1]
	}
	phase := ""
	if len(killed) > 0 {
		phase = phaseOf(killed[0])
	}
	hit := false
	for _, pid := range killed {
		hit = syscall.Kill(pid, syscall.SIGKILL) == nil || hit
	}
	select {
	case <-over:
		if victim != "worker" && c.ProcessState != nil && c.ProcessState.Exited() {
			hit = false // it was over
		}
	case <-time.After(2 * time.Minute):
		p.t.Fatalf("headroom %s goes on for ever after its %s was killed", strings.Join(args, " "), victim)
	}
	for _, pid := range workers { // of a dead parent: they stop at a checkpoint
		awaitEnd(p.t, pid)
	}
	if !hit {
		return ""
	}
	for _, path := range p.unfinished() {
		if !slices.Contains(before, path) {
			return fmt.Sprintf("%s in %s, writing in %s", victim, phase, withoutIDs(filepath.Dir(path)))
		}
	}
	return fmt.Sprintf("%s in %s", victim, phase)
}

// awaitWrite returns when something is being written for the nth time, or all is over.
func (p *place) awaitWrite(n int, over <-chan struct{}) {
	for seen := map[string]bool{}; ; {
		select {
		case <-over:
			return
		default:
		}
		filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(e.Name(), ".new-") {
				seen[path] = true
			}
			return nil // what vanishes meanwhile is gone
		})
		if len(seen) >= n {
			return
		}
	}
}

// collectGarbage frees what killed processes left, as if hours had passed.
func (p *place) collectGarbage() {
	p.t.Helper()
	past := time.Now().Add(-3 * time.Hour)
	err := filepath.WalkDir(p.path("ws"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chtimes(path, past, past)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.ok("gc", "--yes")
	for _, left := range p.unfinished() {
		if strings.HasPrefix(left, "ws") {
			p.t.Errorf("gc does not find what a killed process left in %s", left)
		}
	}
}

// unfinished lists what is half written, below the place.
func (p *place) unfinished() []string {
	var list []string
	filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(e.Name(), ".new-") {
			return nil
		}
		relative, err := filepath.Rel(p.dir, path)
		list = append(list, relative)
		return err
	})
	slices.Sort(list)
	return list
}

// withoutIDs leaves the ids of runs and evaluations out of a path.
func withoutIDs(path string) string {
	var parts []string
	for part := range strings.SplitSeq(path, string(filepath.Separator)) {
		if len(part) < 40 {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

// children are the processes that a process has started.
func children(parent int) []int {
	var list []int
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(parent) && fields[0][0] != 'Z' {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			list = append(list, pid)
		}
	}
	return list
}

// phaseOf is what a process works on: a worker's kind of job, or the command.
func phaseOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := strings.Split(string(text), "\x00")
	for i, arg := range args {
		if arg == "--kind" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return "the command"
}

func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || !strings.Contains(string(text), filepath.Base(program)) {
			return
		}
	}
	t.Fatalf("worker %d goes on for ever after its parent was killed", pid)
}

// TestOnAFullDiskNothingIsLost runs the sweep on disks that are too small, gives room,
// and compares what comes of it. It needs the right to mount a tmpfs.
func TestOnAFullDiskNothingIsLost(t *testing.T) {
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("full disks are NOT tried: %v: %s", err, out)
	}
	random := rand.New(rand.NewPCG(*seed, 1))
	reference := newPlace(t, t.TempDir())
	reference.all()
	want := reference.results()
	full := 0
	for range *disks {
		p := newPlace(t, t.TempDir())
		size := 40 + random.IntN(700) // KiB; the whole workspace is larger
		// The first round must not say that all went well without the results being there.
		script := `mount -t tmpfs -o size=` + strconv.Itoa(size) + `k tmpfs mnt && cp -r data tok backbones small.toml mnt/ 2>/dev/null
export HEADROOM_WORKSPACE=$PWD/mnt/ws HEADROOM_CACHE=$PWD/mnt/cache
cd mnt
"$0" run small.toml >../first.out 2>../first.err; echo $? >../first.rc
mount -o remount,size=1g . && cd .. && cp -r data tok backbones small.toml mnt/ && cd mnt
"$0" run small.toml && "$0" db rebuild && "$0" report small -o report && "$0" export tiny-k4-s2 --to exported && "$0" db check &&
cp -r . ../result`
		if err := os.Mkdir(p.path("mnt"), 0o755); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("unshare", "-rm", "sh", "-c", script, program)
		c.Dir, c.Env = p.dir, append(os.Environ(), "CUDA_VISIBLE_DEVICES=-1")
		if out, err := c.CombinedOutput(); err != nil {
			first, _ := os.ReadFile(p.path("first.err"))
			t.Fatalf("a disk of %d KiB, after room was made: %v\n%s\nbefore that:\n%s", size, err, out, first)
		}
		rc, err := os.ReadFile(p.path("first.rc"))
		if err != nil {
			t.Fatal(err)
		}
		if message, err := os.ReadFile(p.path("first.err")); err != nil || strings.Contains(string(message), "panic") || strings.Contains(string(message), "goroutine ") {
			t.Errorf("a disk of %d KiB: %v: %s", size, err, message)
		}
		if strings.TrimSpace(string(rc)) != "0" {
			full++
		}
		got := &place{t, p.path("result"), p.path("mnt")}
		if err := same(want, got.results()); err != nil {
			t.Errorf("a disk of %d KiB: %v", size, err)
		}
	}
	t.Logf("%d disks, of which %d were too small: every sweep ended with the same results once there was room", *disks, full)
}
