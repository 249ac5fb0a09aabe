package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"headroom/runner/slurm"
	"headroom/runner/submit"
)

// end records how the attempt ended, and asks for another one if work is left.
func (t *runner) end(ctx context.Context, task submit.Task, stopped *stop) (submit.Record, error) {
	if stopped != nil {
		t.record.Signal = stopped.signal
	}
	t.record.State, t.record.Why = t.judge(task, stopped != nil)
	if t.record.State == submit.Interrupted && !slices.ContainsFunc(task.Jobs, func(job submit.Job) bool { return !t.Submission.Cancelled(job.ID) && !t.done(job.ID) }) {
		t.record.State, t.record.Why = submit.Cancelled, "cancelled; it stopped at a checkpoint"
	}
	again := false
	if t.record.State != submit.Done && t.superseded() {
		t.record.State, t.record.Why = submit.Failed, "a later attempt has taken the task over; this one was given up and lived on"
	}
	if t.record.State == submit.Interrupted && stopped != nil && stopped.requeue {
		again, t.record.Why = t.mayRequeue()
	}
	if err := t.keep(); err != nil {
		return t.record, err
	}
	if again {
		if err := t.requeue(ctx); err != nil {
			return t.record, err
		}
	}
	fmt.Fprintf(t.Log, "headroom: %s%s\n", t.record.State, afterReason(t.record.Why))
	return t.record, nil
}

func afterReason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// keep writes the record with its end.
func (t *runner) keep() error {
	code := ExitCode(t.record.State)
	ended := t.Now().UTC()
	t.record.Exit, t.record.Ended = &code, &ended
	return t.Submission.Keep(t.record)
}

// ExitCode is the task's exit code, one of the program's codes; 0 only if all work is done.
func ExitCode(state string) int {
	switch state {
	case submit.Done:
		return 0
	case submit.Interrupted, submit.Requeued, submit.Cancelled:
		return 130
	}
	return 1
}

// judge returns the state of this attempt from its jobs, and the reason.
func (t *runner) judge(task submit.Task, stopped bool) (state, why string) {
	for _, worst := range []string{submit.Failed, submit.Held, submit.Interrupted} {
		for i, end := range t.record.Jobs {
			if end.State == worst {
				return worst, task.Jobs[i].Label + ": " + end.Why
			}
		}
	}
	switch {
	case len(t.record.Jobs) < len(task.Jobs) && stopped:
		return submit.Interrupted, ""
	case len(t.record.Jobs) < len(task.Jobs):
		return submit.Failed, "not all of its jobs were begun"
	case slices.ContainsFunc(t.record.Jobs, func(end submit.JobEnd) bool { return end.State == submit.Cancelled }):
		return submit.Cancelled, "cancelled"
	}
	return submit.Done, ""
}

// done reports whether this attempt has finished a job.
func (t *runner) done(id string) bool {
	return slices.ContainsFunc(t.record.Jobs, func(end submit.JobEnd) bool { return end.ID == id && end.State == submit.Done })
}

// mayRequeue reports whether another attempt makes sense, or why it does not.
func (t *runner) mayRequeue() (bool, string) {
	most := t.Submission.Manifest.Requeue
	switch {
	case most == 0:
		return false, "stopped at a checkpoint; slurm.requeue = 0: submit again resumes it"
	case t.Restart >= most:
		return false, fmt.Sprintf("stopped at a checkpoint; it was queued again %d times already (slurm.requeue = %d): submit again resumes it", t.Restart, most)
	case !t.progress && t.timeUp():
		return false, "not one step was done before its time was up: the time limit is too short (slurm.time), or slurm.lead too long"
	}
	return true, ""
}

// requeue asks Slurm for another attempt until it answers or ends this process. After the
// answer it waits until Slurm ends the process: if the process ended by itself, that would
// count as the end of the task.
func (t *runner) requeue(ctx context.Context) error {
	wait := time.Second
	for {
		err := t.Requeue(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, slurm.ErrUnreachable) {
			fmt.Fprintf(t.Log, "headroom: %v; asked again in %v\n", err, wait)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
			wait = min(2*wait, 15*time.Second)
			continue
		}
		t.record.Why = fmt.Sprintf("stopped at a checkpoint; Slurm does not queue it again (%v): submit again resumes it", err)
		return t.keep()
	}
	t.record.State = submit.Requeued
	if err := t.keep(); err != nil {
		return err
	}
	fmt.Fprintf(t.Log, "headroom: stopped at a checkpoint (%s), queued again\n", t.record.Signal)
	select { // Slurm ends this process
	case <-ctx.Done():
	case <-time.After(10 * time.Minute):
	}
	return nil
}
