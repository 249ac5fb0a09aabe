package task_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/runner/pool"
	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/runner/task"
)

// TestMain is a worker, too: its id says what becomes of it.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		os.Exit(worker(os.Args[2]))
	}
	os.Exit(m.Run())
}

func worker(id string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	step := func() { _ = pool.Message{Type: pool.TypeProgress, Phase: "train", Step: 1, Steps: 9}.Write(os.Stdout) }
	switch {
	case strings.HasPrefix(id, "good"):
		return 0
	case strings.HasPrefix(id, "bad"):
		fmt.Fprintln(os.Stderr, "headroom: tensor of the wrong shape")
		return 1
	case strings.HasPrefix(id, "long"):
		step()
	case strings.HasPrefix(id, "held"):
		_ = pool.Message{Type: pool.TypeWaiting, Message: "process 7 on far"}.Write(os.Stdout)
	case strings.HasPrefix(id, "killed"):
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if path := os.Getenv("TASK_TEST_READY"); path != "" {
		_ = os.WriteFile(path, nil, 0o644)
	}
	select {
	case <-stop:
		return 130
	case <-time.After(30 * time.Second):
		return 1
	}
}

// bench is a submission of one task, and what it is run with.
type bench struct {
	t        *testing.T
	o        task.Options
	signals  chan os.Signal
	requeued int
	ready    string
	end      time.Time // the time limit of endSoon
}

func newBench(t *testing.T, requeue int, ids ...string) *bench {
	t.Helper()
	var jobs []submit.Job
	for _, id := range ids {
		jobs = append(jobs, submit.Job{Kind: "run", ID: id, Label: "label-" + id})
	}
	m := submit.Manifest{Submission: "s", Sweep: "x", Requeue: requeue, Signal: "USR1", Lead: 10, Arrays: []submit.Array{{Name: "runs0", Kind: submit.Runs, Tasks: []submit.Task{{Jobs: jobs}}}}}
	sub, err := submit.Create(submit.Folder(t.TempDir(), "x", "s"), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, signals: make(chan os.Signal, 4), ready: filepath.Join(t.TempDir(), "ready")}
	b.o = task.Options{
		Submission: sub, Array: "runs0", Job: slurm.Task{Array: "12"}, Node: "n1",
		EndTime: func(context.Context) (time.Time, error) { return time.Time{}, errors.New("away") },
		Requeue: func(context.Context) error { b.requeued++; return nil },
		Needs:   func(submit.Job) (string, error) { return "", nil },
		Command: func(job submit.Job) pool.Job {
			return pool.Job{ID: job.ID, Label: job.Label, Args: []string{"worker", job.ID}}
		},
		Executable: executable, Environ: append(os.Environ(), "TASK_TEST_READY="+b.ready), Signals: b.signals, Log: &strings.Builder{}, Now: time.Now,
		Patience: 50 * time.Millisecond, Poll: 20 * time.Millisecond,
	}
	return b
}

// awaitWorker returns once the worker is at work; its messages before that have been sent.
func (b *bench) awaitWorker(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := os.Stat(b.ready); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// endSoon returns a time limit of which, when the worker begins to work, a moment is left, and the
// ten seconds for its checkpoint.
func (b *bench) endSoon(ctx context.Context) (time.Time, error) {
	if b.end.IsZero() {
		b.awaitWorker(ctx)
		b.end = time.Now().Add(10*time.Second + 50*time.Millisecond)
	}
	return b.end, nil
}

// run runs the task; whatever is to happen meanwhile happens once its worker is at work.
func (b *bench) run(meanwhile func()) submit.Record {
	b.t.Helper()
	record := b.runOld(meanwhile)
	kept, err := b.o.Submission.Records("runs0", 0)
	if err != nil || len(kept) == 0 || kept[len(kept)-1].State != record.State || !kept[len(kept)-1].Over() {
		b.t.Errorf("the record on disk is %+v, %v; want %s", kept, err, record.State)
	}
	return record
}

// runOld is run of an attempt that need not be the last.
func (b *bench) runOld(meanwhile func()) submit.Record {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	if requeue := b.o.Requeue; true {
		b.o.Requeue = func(ctx context.Context) error { defer cancel(); return requeue(ctx) } // Slurm then ends the process
	}
	if meanwhile != nil {
		go func() {
			b.awaitWorker(ctx)
			meanwhile()
		}()
	}
	record, err := task.Run(ctx, b.o)
	if err != nil {
		b.t.Fatal(err)
	}
	return record
}

func TestHowATaskEnds(t *testing.T) {
	for name, c := range map[string]struct {
		ids       []string
		requeue   int
		restart   int
		meanwhile func(*bench)
		change    func(*bench)
		state     string
		why       string
		code      int
		requeued  int
	}{
		"all is done":                   {ids: []string{"good1", "good2"}, state: submit.Done, code: 0},
		"one fails, the others go on":   {ids: []string{"bad", "good"}, state: submit.Failed, why: "label-bad: exit code 1: tensor of the wrong shape", code: 1},
		"the worker is killed":          {ids: []string{"killed"}, state: submit.Failed, why: "killed by signal 9 (out of memory, or by hand)", code: 1},
		"Slurm's signal":                {ids: []string{"long"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1 }, state: submit.Requeued, code: 130, requeued: 1},
		"the signal, and then the kill": {ids: []string{"long"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1; b.signals <- syscall.SIGTERM }, state: submit.Requeued, code: 130, requeued: 1},
		"a cancellation":                {ids: []string{"long"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGTERM }, state: submit.Interrupted, why: "label-long: stopped at a checkpoint", code: 130},
		"the cap":                       {ids: []string{"long"}, requeue: 3, restart: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1 }, state: submit.Interrupted, why: "queued again 3 times already (slurm.requeue = 3): submit again resumes it", code: 130},
		"requeue = 0":                   {ids: []string{"long"}, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR2 }, state: submit.Interrupted, why: "slurm.requeue = 0", code: 130},
		"Slurm does not queue it again": {ids: []string{"long"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1 }, change: func(b *bench) {
			b.o.Requeue = func(context.Context) error {
				b.requeued++
				return &slurm.Refusal{Command: "scontrol", Message: "Requested operation is presently disabled"}
			}
		}, state: submit.Interrupted, why: "presently disabled): submit again resumes it", code: 130, requeued: 1},
		"the controller is away for a moment": {ids: []string{"long"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1 }, change: func(b *bench) {
			b.o.Requeue = func(context.Context) error { b.requeued++; return nil }
		}, state: submit.Requeued, code: 130, requeued: 1},
		"its own clock": {ids: []string{"long"}, requeue: 3, change: func(b *bench) {
			b.o.EndTime = b.endSoon
		}, state: submit.Requeued, code: 130, requeued: 1},
		"its own clock, before a step was done": {ids: []string{"idle"}, requeue: 3, change: func(b *bench) {
			b.o.EndTime = b.endSoon
		}, state: submit.Interrupted, why: "not one step was done before its time was up: the time limit is too short (slurm.time)", code: 130},
		"preempted before a step was done": {ids: []string{"idle"}, requeue: 3, meanwhile: func(b *bench) { b.signals <- syscall.SIGUSR1 }, state: submit.Requeued, code: 130, requeued: 1},
		"another process holds the run":    {ids: []string{"held", "good"}, requeue: 3, state: submit.Held, why: "another process works on it: process 7 on far", code: 1},
		"one of two is cancelled": {ids: []string{"long", "good"}, requeue: 3, meanwhile: func(b *bench) {
			if err := b.o.Submission.Cancel("long"); err != nil {
				b.t.Error(err)
			}
		}, state: submit.Cancelled, why: "cancelled", code: 130},
		"cancelled before it began": {ids: []string{"long"}, requeue: 3, change: func(b *bench) {
			if err := b.o.Submission.Cancel("long"); err != nil {
				b.t.Error(err)
			}
		}, state: submit.Cancelled, why: "cancelled", code: 130},
		"its backbone is not there": {ids: []string{"good"}, change: func(b *bench) {
			b.o.Needs = func(submit.Job) (string, error) { return "its backbone is not made", nil }
		}, state: submit.Failed, why: "label-good: its backbone is not made", code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.requeue, c.ids...)
			b.o.Restart = c.restart
			if c.change != nil {
				c.change(b)
			}
			var meanwhile func()
			if c.meanwhile != nil {
				meanwhile = func() { c.meanwhile(b) }
			}
			r := b.run(meanwhile)
			if r.State != c.state || !strings.Contains(r.Why, c.why) || c.why == "" && r.Why != "" {
				t.Errorf("it is %s (%q), want %s (%q)", r.State, r.Why, c.state, c.why)
			}
			if code := task.ExitCode(r.State); code != c.code || r.Exit == nil || *r.Exit != c.code {
				t.Errorf("exit code %d, in the record %v; want %d", code, r.Exit, c.code)
			}
			if b.requeued != c.requeued {
				t.Errorf("queued again %d times, want %d", b.requeued, c.requeued)
			}
		})
	}
}

func TestWhatIsDoneIsNotDoneAgain(t *testing.T) {
	b := newBench(t, 3, "good")
	if r := b.run(nil); r.State != submit.Done || r.Attempt != 1 {
		t.Fatalf("%+v", r)
	}
	b.o.Needs = func(submit.Job) (string, error) { t.Error("it began again"); return "", nil }
	if r := b.run(nil); r.State != submit.Done || r.Attempt != 1 {
		t.Errorf("started once more: %+v", r)
	}
}

// TestALaterAttemptEndsAnEarlierOne has Slurm start the task again while it lives.
func TestALaterAttemptEndsAnEarlierOne(t *testing.T) {
	b := newBench(t, 3, "long", "good")
	b.o.Needs = func(job submit.Job) (string, error) {
		if job.ID == "good" {
			t.Error("it went on with the next job")
		}
		return "", nil
	}
	r := b.runOld(func() {
		if _, err := b.o.Submission.Begin(submit.Record{Array: "runs0", Restart: 1}); err != nil {
			t.Error(err)
		}
		b.signals <- syscall.SIGUSR1
	})
	if r.State != submit.Failed || !strings.Contains(r.Why, "a later attempt has taken the task over") || b.requeued != 0 {
		t.Errorf("it is %s (%q), queued again %d times", r.State, r.Why, b.requeued)
	}
}

func TestATaskThatIsNotThere(t *testing.T) {
	b := newBench(t, 3, "good")
	for i, array := range []string{"runs0", "runs1"} {
		b.o.Array, b.o.Index = array, 1-i
		if _, err := task.Run(t.Context(), b.o); err == nil || !strings.Contains(err.Error(), "has no task "+array+"-"+strconv.Itoa(1-i)) {
			t.Errorf("%s-%d: %v", array, 1-i, err)
		}
	}
}
