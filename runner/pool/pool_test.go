package pool_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/runner/pool"
)

const sigterm = syscall.SIGTERM

func states(r pool.Result) string {
	var s []string
	for _, o := range r.Outcomes {
		s = append(s, o.Job.ID+":"+string(o.State))
	}
	return strings.Join(s, " ")
}

func TestAFailingJobStopsNoOther(t *testing.T) {
	result, err := pool.Run(t.Context(), []pool.Job{
		job("a", "exit=0"), job("b", "complain=no such tensor", "exit=1"), job("c", "exit=0"),
	}, options(t, 2))
	var failed *pool.FailedError
	if !errors.As(err, &failed) || failed.Failed != 1 || failed.Total != 3 {
		t.Fatalf("error %v", err)
	}
	if got := states(result); got != "a:done b:failed c:done" {
		t.Errorf("states %s", got)
	}
	b := result.Outcomes[1]
	if b.Code != 1 || b.Reason != "exit code 1" || b.Tail != "no such tensor" {
		t.Errorf("outcome of b: %+v", b)
	}
}

func TestWhatNeedsAFailedJobIsBlockedAndTheRestRuns(t *testing.T) {
	dir := t.TempDir()
	c := job("c", "touch="+filepath.Join(dir, "c"))
	c.After = []string{"recipe"}
	d := job("d", "exit=0")
	d.After = []string{"c"}
	result, err := pool.Run(t.Context(), []pool.Job{job("recipe", "exit=1"), c, d, job("e", "exit=0")}, options(t, 1))
	var failed *pool.FailedError
	if !errors.As(err, &failed) || failed.Blocked != 2 {
		t.Fatalf("error %v", err)
	}
	if got := states(result); got != "recipe:failed c:blocked d:blocked e:done" {
		t.Errorf("states %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "c")); err == nil {
		t.Error("a blocked job was started")
	}
}

func TestJobsStartInOrderAfterWhatTheyNeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "order")
	first := job("run", "append=r@"+file)
	first.After = []string{"recipe"}
	if _, err := pool.Run(t.Context(), []pool.Job{first, job("recipe", "sleep=50ms", "append=p@"+file), job("other", "append=o@"+file)}, options(t, 1)); err != nil {
		t.Fatal(err)
	}
	order, _ := os.ReadFile(file)
	if string(order) != "pro" && string(order) != "por" {
		t.Errorf("order %q: the recipe must come before its run", order)
	}
}

func TestNoMoreProcessesThanSlotsAndEachSlotHasItsShare(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	var jobs []pool.Job
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		busy := "sleep=60ms"
		switch here := filepath.Join(dir, "here-"); id { // the first two end only if both run at a time
		case "a":
			busy = "meet=" + here + "a@" + here + "b"
		case "b":
			busy = "meet=" + here + "b@" + here + "a"
		}
		jobs = append(jobs, job(id, "append=<@"+log, "env=CUDA_VISIBLE_DEVICES@"+filepath.Join(dir, id), "env=GOMAXPROCS@"+filepath.Join(dir, id+"-threads"), busy, "append=>@"+log))
	}
	opt := options(t, 2)
	opt.GPUs, opt.Threads = []string{"GPU-x", "GPU-y"}, 3
	opt.Env = append(opt.Env, "CUDA_VISIBLE_DEVICES=all", "GOMAXPROCS=64")
	if _, err := pool.Run(t.Context(), jobs, opt); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(log)
	open, most := 0, 0
	for _, c := range string(text) {
		if c == '<' {
			open++
		} else {
			open--
		}
		most = max(most, open)
	}
	if most != 2 || len(text) != 10 {
		t.Errorf("%d processes at a time in %q, want 2", most, text)
	}
	seen := map[string]bool{}
	for _, j := range jobs {
		gpu, _ := os.ReadFile(filepath.Join(dir, j.ID))
		seen[string(gpu)] = true
		if threads, _ := os.ReadFile(filepath.Join(dir, j.ID+"-threads")); string(threads) != "3" {
			t.Errorf("GOMAXPROCS of %s is %q", j.ID, threads)
		}
	}
	if len(seen) != 2 || !seen["GPU-x"] || !seen["GPU-y"] {
		t.Errorf("devices given: %v", seen)
	}
}

func TestInterruptedWorkersCheckpointAndNothingNewStarts(t *testing.T) {
	dir := t.TempDir()
	ready, late := filepath.Join(dir, "ready"), filepath.Join(dir, "late")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		await(t, ready)
		cancel()
	}()
	result, err := pool.Run(ctx, []pool.Job{
		job("a", "catch", "touch="+ready, "wait=20s", "complain=saved", "exit=130"),
		job("b", "touch="+late),
	}, options(t, 1))
	if !errors.Is(err, pool.ErrInterrupted) {
		t.Fatalf("error %v", err)
	}
	if got := states(result); got != "a:interrupted b:interrupted" {
		t.Errorf("states %s", got)
	}
	if a := result.Outcomes[0]; a.Code != 130 || a.Tail != "saved" {
		t.Errorf("the worker was not let finish: %+v", a)
	}
	if _, err := os.Stat(late); err == nil {
		t.Error("a job was started after the interruption")
	}
}

func TestAWorkerThatWasSignalledByHandIsAnInterruptionToo(t *testing.T) {
	_, err := pool.Run(t.Context(), []pool.Job{job("a", "exit=130"), job("b")}, options(t, 1))
	if !errors.Is(err, pool.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
}

func TestAKilledWorkerIsAFailureThatSaysSo(t *testing.T) {
	result, err := pool.Run(t.Context(), []pool.Job{job("a", "kill")}, options(t, 1))
	if o := result.Outcomes[0]; err == nil || o.Code != -1 || !strings.Contains(o.Reason, "signal 9") {
		t.Errorf("error %v, outcome %+v", err, o)
	}
}

func TestAWorkerThatCannotStartIsAFailure(t *testing.T) {
	opt := options(t, 1)
	opt.Executable = filepath.Join(t.TempDir(), "absent")
	result, err := pool.Run(t.Context(), []pool.Job{job("a")}, opt)
	if o := result.Outcomes[0]; err == nil || o.State != pool.Failed || !strings.Contains(o.Reason, "absent") {
		t.Errorf("error %v, outcome %+v", err, o)
	}
}

func TestStandardErrorAndStrayOutputAreKeptInTheLog(t *testing.T) {
	j := job("a", "print=parallelism set to 2", "complain=first", `print={"type":"unknown"}`, "exit=1")
	j.Log = filepath.Join(t.TempDir(), "runs", "a", "worker.log")
	for range 2 {
		if _, err := pool.Run(t.Context(), []pool.Job{j}, options(t, 1)); err == nil {
			t.Fatal("no error")
		}
	}
	text, err := os.ReadFile(j.Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"parallelism set to 2\n", "first\n", `{"type":"unknown"}`} {
		if strings.Count(string(text), want) != 2 {
			t.Errorf("the log of two attempts has not twice %q:\n%s", want, text)
		}
	}
}

func TestListsThatCannotEndAreRefused(t *testing.T) {
	circle := []pool.Job{job("a"), job("b")}
	circle[0].After, circle[1].After = []string{"b"}, []string{"a"}
	unknown := []pool.Job{job("a")}
	unknown[0].After = []string{"x"}
	for want, jobs := range map[string][]pool.Job{"wait for each other": circle, `"x"`: unknown, "twice": {job("a"), job("a")}} {
		if _, err := pool.Run(t.Context(), jobs, options(t, 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestOnlyThisAttemptsLastLinesAreTheTail(t *testing.T) {
	j := job("a", "complain=old", "exit=1")
	j.Log = filepath.Join(t.TempDir(), "worker.log")
	if _, err := pool.Run(t.Context(), []pool.Job{j}, options(t, 1)); err == nil {
		t.Fatal("no error")
	}
	j.Args = nil
	for i := range 40 {
		j.Args = append(j.Args, "complain=line "+itoa(i)+strings.Repeat(" long", 40))
	}
	crashed := job("b", "complain=before", "complain=panic: index out of range", "complain="+strings.Repeat("goroutine 1\n", 50), "exit=2")
	if result, _ := pool.Run(t.Context(), []pool.Job{crashed}, options(t, 1)); !strings.HasPrefix(result.Outcomes[0].Tail, "panic: index out of range\ngoroutine 1") {
		t.Errorf("of a crash the tail is %q", result.Outcomes[0].Tail)
	}
	stacks := "complain=" + strings.Repeat("goroutine 1\n", 50)
	for name, words := range map[string][]string{
		"F1123 17:20:37.514 8892 client.cc:99] Check failed: status is OK":     {"complain=F1123 17:20:37.514 8892 client.cc:99] Check failed: status is OK", stacks, "complain=SIGABRT: abort"},
		"2026-11-23 17:20:37.5: F external/xla/client.cc:99] Check failed: ok": {"complain=2026-11-23 17:20:37.5: F external/xla/client.cc:99] Check failed: ok", stacks},
		"terminate called": {"complain=terminate called", "complain=SIGABRT: abort"},
	} {
		ended := job("c", append(words, stacks, "exit=2")...)
		if result, _ := pool.Run(t.Context(), []pool.Job{ended}, options(t, 1)); !strings.HasPrefix(result.Outcomes[0].Tail, name+"\n") {
			t.Errorf("of a library's end the tail is %q", result.Outcomes[0].Tail)
		}
	}
	j.Args = append(j.Args, "exit=1")
	result, _ := pool.Run(t.Context(), []pool.Job{j}, options(t, 1))
	lines := strings.Split(result.Outcomes[0].Tail, "\n")
	if len(lines) != 12 || !strings.HasPrefix(lines[0], "line 28 long") || !strings.HasPrefix(lines[11], "line 39 long") {
		t.Errorf("the tail has %d lines: %q", len(lines), lines)
	}
}

// A parent that is killed takes its worker along: by the kernel's signal if
// there is one, and by the worker's own watch if that signal is ignored.
func TestWorkersStopWhenTheParentDies(t *testing.T) {
	for name, commands := range map[string][]string{
		"by the worker's watch":     {"ignore", "touch=READY", "orphan", "touch=END"},
		"by the kernel, at a catch": {"touch=READY", "sleep=60s"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "kernel") && !hasParentDeathSignal {
				t.Skip("no parent-death signal on this system")
			}
			dir := t.TempDir()
			ready, end := filepath.Join(dir, "ready"), filepath.Join(dir, "end")
			var args []string
			for _, c := range commands {
				args = append(args, strings.NewReplacer("READY", ready, "END", end).Replace(c))
			}
			self, _ := os.Executable()
			parent := exec.Command(self, args...)
			parent.Env = append(os.Environ(), fakeWorker+"=parent")
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			pid := number(await(t, ready))
			parent.Process.Kill()
			parent.Wait()
			for deadline := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					syscall.Kill(pid, syscall.SIGKILL)
					t.Fatal("the worker outlived its parent")
				}
			}
			if strings.Contains(name, "watch") {
				await(t, end)
			}
		})
	}
}

// alive says whether the process still runs; a zombie that waits for init does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}
