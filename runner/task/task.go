// Package task does the work of one task of a submission's array, on the node that the
// cluster gave it: its jobs one after the other, each in a worker process.
//
// When Slurm announces the end by a signal, or the task's own clock does, the worker writes
// a checkpoint and the task asks to be queued again, up to a limit. The task never ends with
// exit code 0 before all work is done, since that would count as done. Each attempt has a
// record of its own: an attempt that Slurm has given up may still live, and must not change
// the record of a later one.
package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"headroom/runner/pool"
	"headroom/runner/slurm"
	"headroom/runner/submit"
)

// Options are the inputs of a task.
type Options struct {
	Submission submit.Submission
	Array      string
	Index      int
	// Job is the task's name in Slurm; Restart is the number of times that Slurm had started it before.
	Job     slurm.Task
	Restart int
	Node    string
	GPUs    int

	// EndTime asks for the time when the task's limit is reached; zero if that is not known.
	EndTime func(ctx context.Context) (time.Time, error)
	// Requeue asks to be started again later.
	Requeue func(ctx context.Context) error
	// Needs names what a job lacks to begin, "" for nothing. It also writes the files that a
	// job needs on disk.
	Needs func(job submit.Job) (lacks string, err error)
	// Render shows the progress of a job in addition to the task's own log; nil for none.
	Render func(next pool.Renderer) pool.Renderer
	// Command is the command of the worker for a job.
	Command func(job submit.Job) pool.Job

	Executable string
	Environ    []string
	Signals    <-chan os.Signal
	Log        io.Writer
	Now        func() time.Time
	// Patience is the time to wait for a job on which another live process works.
	Patience time.Duration
	// Poll is the interval of looking for a job's cancellation.
	Poll time.Duration
}

// stop is the reason why a task stops.
type stop struct {
	signal  string // "USR1", "TERM", "clock"
	requeue bool   // there is time left to ask to be queued again
}

func (s *stop) Error() string { return "stopped by " + s.signal }

var (
	errCancelled = errors.New("cancelled")
	errHeld      = errors.New("held by another process")
)

// runner is one task at work.
type runner struct {
	Options
	record   submit.Record
	progress bool // at least one step was done

	mu    sync.Mutex
	until time.Time // the time when its limit is reached; zero if that is not known
}

// Run does the task and returns its record, whose State says how it ended. After an error the
// record could not be written.
func Run(ctx context.Context, o Options) (submit.Record, error) {
	array, ok := o.Submission.Manifest.Array(o.Array)
	if !ok || o.Index < 0 || o.Index >= len(array.Tasks) {
		return submit.Record{}, fmt.Errorf("submission %s has no task %s-%d", o.Submission.Manifest.Submission, o.Array, o.Index)
	}
	before, err := o.Submission.Records(o.Array, o.Index)
	if err != nil {
		return submit.Record{}, err
	}
	if i := slices.IndexFunc(before, func(r submit.Record) bool { return r.State == submit.Done }); i >= 0 {
		fmt.Fprintf(o.Log, "headroom: attempt %d has done all of it already\n", before[i].Attempt)
		return before[i], nil
	}
	t := &runner{Options: o}
	t.record, err = o.Submission.Begin(submit.Record{
		Array: o.Array, Index: o.Index, Restart: o.Restart, Job: o.Job.String(), Node: o.Node, PID: os.Getpid(), GPUs: o.GPUs, Started: o.Now().UTC(), Jobs: []submit.JobEnd{},
	})
	if err != nil {
		return t.record, fmt.Errorf("node %s cannot write into the workspace: %w", o.Node, err)
	}
	fmt.Fprintf(o.Log, "headroom: attempt %d of task %s on %s, %s\n", t.record.Attempt, o.Job, o.Node, t.record.Started.Format(time.RFC3339))
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go t.listen(working, cancel)
	go t.clock(working, cancel, array)
	for _, job := range array.Tasks[o.Index].Jobs {
		if working.Err() != nil || t.superseded() {
			break
		}
		end := t.doJob(working, job)
		t.record.Jobs = append(t.record.Jobs, end)
		if err := o.Submission.Keep(t.record); err != nil {
			return t.record, err
		}
	}
	var stopped *stop
	errors.As(context.Cause(working), &stopped)
	return t.end(ctx, array.Tasks[o.Index], stopped)
}

// superseded reports whether a later attempt at the task has begun. Slurm may have given up this
// attempt, after a failure of its node for example, although it still lives.
func (t *runner) superseded() bool {
	records, err := t.Submission.Records(t.Array, t.Index)
	return err == nil && len(records) > 0 && records[len(records)-1].Attempt > t.record.Attempt
}

// listen turns signals into a stop. Those that come after the first change nothing.
func (t *runner) listen(ctx context.Context, cancel context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-t.Signals:
			switch s {
			case syscall.SIGUSR1:
				cancel(&stop{"USR1", true})
			case syscall.SIGUSR2:
				cancel(&stop{"USR2", true})
			case syscall.SIGINT:
				cancel(&stop{"INT", false})
			default: // a cancellation, a preemption, or a time limit without a warning
				cancel(&stop{"TERM", false})
			}
		}
	}
}

// clock stops the task before its time limit, whether Slurm's signal comes or not.
func (t *runner) clock(ctx context.Context, cancel context.CancelCauseFunc, array submit.Array) {
	lead := time.Duration(t.Submission.Manifest.Lead) * time.Second
	until := time.Time{}
	if array.Minutes > 0 {
		until = t.record.Started.Add(time.Duration(array.Minutes) * time.Minute)
	}
	for {
		if end, err := t.EndTime(ctx); err == nil && !end.IsZero() {
			until = end
		}
		t.mu.Lock()
		t.until = until
		t.mu.Unlock()
		if until.IsZero() {
			return // no time limit is known
		}
		left := until.Add(-lead).Sub(t.Now())
		if left <= 0 {
			cancel(&stop{"clock", true})
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(left): // the limit may have been raised since: ask again
		}
	}
}

// early is the time by which Slurm may send its signal too early.
const early = time.Minute

// timeUp reports whether the task was stopped because of its time limit, and not by a preemption
// or by hand.
func (t *runner) timeUp() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	lead := time.Duration(t.Submission.Manifest.Lead) * time.Second
	return !t.until.IsZero() && t.Now().After(t.until.Add(-lead-early))
}

// doJob does one job.
func (t *runner) doJob(ctx context.Context, job submit.Job) submit.JobEnd {
	end := submit.JobEnd{ID: job.ID}
	if t.Submission.Cancelled(job.ID) {
		end.State, end.Why = submit.Cancelled, "cancelled before it began"
		return end
	}
	lacks, err := t.Needs(job)
	if err != nil {
		lacks = err.Error()
	}
	if lacks != "" {
		end.State, end.Why = submit.Failed, lacks
		fmt.Fprintf(t.Log, "headroom: %s: %s\n", job.Label, lacks)
		return end
	}
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := &watcher{Lines: pool.Lines{Out: t.Log, Every: time.Minute, Now: t.Now}}
	go t.watch(working, cancel, job.ID, watch)
	var show pool.Renderer = watch
	if t.Render != nil {
		show = t.Render(show)
	}
	// The outcome says the same as the error.
	result, _ := pool.Run(working, []pool.Job{t.Command(job)}, pool.Options{
		Executable: t.Executable, Env: t.Environ, Slots: 1, Render: show, Now: t.Now,
	})
	t.progress = t.progress || watch.advanced()
	if len(result.Outcomes) == 0 {
		end.State, end.Why = submit.Failed, "it could not be started"
		return end
	}
	outcome := result.Outcomes[0]
	end.Seconds = outcome.Took.Seconds()
	switch cause := context.Cause(working); {
	case outcome.State == pool.Done:
		end.State, t.progress = submit.Done, true
	case outcome.State == pool.Interrupted && errors.Is(cause, errCancelled):
		end.State, end.Why = submit.Cancelled, "cancelled; it stopped at a checkpoint"
	case outcome.State == pool.Interrupted && errors.Is(cause, errHeld):
		end.State, end.Why = submit.Held, "another process works on it: "+watch.holder()
	case outcome.State == pool.Interrupted:
		end.State, end.Why = submit.Interrupted, outcome.Reason
	default:
		end.State, end.Why = submit.Failed, outcome.Cause()
	}
	return end
}

// watch ends a job that was cancelled, or that another process holds for too long.
func (t *runner) watch(ctx context.Context, cancel context.CancelCauseFunc, id string, w *watcher) {
	ticker := time.NewTicker(t.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if t.Submission.Cancelled(id) {
			cancel(errCancelled)
		} else if w.waited() > t.Patience {
			cancel(errHeld)
		}
	}
}
