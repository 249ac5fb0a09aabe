package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/runner/workspace"
)

func newCancel(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel SWEEP|RUN",
		Short: "take a sweep or a run out of a cluster's queue",
		Long: `Cancels the tasks of a sweep, or of one run, in a Slurm cluster's queue. Running tasks
stop at a checkpoint. A task that does several runs goes on with the others if one run
is cancelled. "headroom submit" of the sweep resumes the cancelled runs.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.cancel(cmd.Context(), args[0]) },
	}
}

// cancelDocument is what cancel prints with --json.
type cancelDocument struct {
	Schema    int             `json:"schema"`
	Cancelled []cancelledWork `json:"cancelled"`
}

type cancelledWork struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Job   string `json:"job"`
	Was   string `json:"was"` // "waiting", "running"
}

func (a *app) cancel(ctx context.Context, text string) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	sweep, run, err := a.sweepOrRun(w, text)
	if err != nil {
		return err
	}
	subs, err := submit.List(w.Root, sweep)
	if err != nil {
		return err
	}
	tasks, silent, err := a.askSlurm(ctx, subs)
	if err != nil {
		return err
	}
	d := cancelDocument{Schema: schema, Cancelled: []cancelledWork{}}
	var jobs []string
	for _, t := range tasks {
		whole := true // no work is left for the task
		for _, job := range t.Array.Tasks[t.Index].Jobs {
			switch {
			case !t.Lives() || t.Ended(job.ID) || t.Submission.Cancelled(job.ID):
			case run != "" && job.ID != run:
				whole = false
			default:
				if err := t.Submission.Cancel(job.ID); err != nil {
					return failedError(err)
				}
				d.Cancelled = append(d.Cancelled, cancelledWork{job.ID, job.Label, t.Job.String(), string(t.State)})
			}
		}
		if t.Lives() && whole && t.Job.Array != "" && (run == "" || containsJob(t, run)) {
			jobs = append(jobs, t.Job.String())
		}
	}
	if silent != nil {
		return failedError(fmt.Errorf("cancel %q: %w; tasks that work see it and stop at a checkpoint, those that wait see it when they begin: give the command again once Slurm answers", text, silent))
	}
	for some := range slices.Chunk(jobs, 500) { // the length of a command line is limited
		if err := a.slurm().Cancel(ctx, some...); err != nil {
			return failedError(fmt.Errorf("cancel %q: %w", text, err))
		}
	}
	if err := a.awaitCancelled(ctx, subs, jobs); err != nil {
		return failedError(err)
	}
	if a.global.json {
		return a.printJSON(d)
	}
	if len(d.Cancelled) == 0 {
		a.note("cancel %s: nothing of it is in the queue", text)
		return nil
	}
	rows := [][]string{{"cancelled", "id", "job", "was"}}
	for _, c := range d.Cancelled {
		rows = append(rows, []string{c.Label, c.ID[:min(8, len(c.ID))], c.Job, c.Was})
	}
	return a.table(rows)
}

func containsJob(t submit.Standing, id string) bool {
	return slices.ContainsFunc(t.Array.Tasks[t.Index].Jobs, func(job submit.Job) bool { return job.ID == id })
}

// sweepOrRun reads a sweep's name or file, else a run's id or label.
func (a *app) sweepOrRun(w workspace.Workspace, text string) (sweep, run string, err error) {
	names, sweepErr := a.sweepNames(w, []string{text})
	if sweepErr == nil {
		return names[0], "", nil
	}
	ref, err := findRun(w, text)
	if err != nil {
		return "", "", errors.Join(sweepErr, err)
	}
	return "", ref.ID, nil
}

// cancelWait is the time that cancelled tasks may take to stop: a step, a checkpoint, and
// the cluster's own time.
const cancelWait = 30 * time.Second

// awaitCancelled waits until the cancelled jobs are out of the queue, because scancel does not
// report that.
func (a *app) awaitCancelled(ctx context.Context, subs []submit.Submission, jobs []string) error {
	var arrays []string
	for _, sub := range subs {
		for _, p := range sub.Jobs.Arrays {
			if slices.ContainsFunc(jobs, func(job string) bool { return p.Job != "" && len(job) > len(p.Job) && job[:len(p.Job)+1] == p.Job+"_" }) {
				arrays = append(arrays, p.Job)
			}
		}
	}
	for end := time.Now().Add(cancelWait); len(arrays) > 0; {
		rows, err := a.slurm().Queue(ctx, arrays)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(rows, func(r slurm.Row) bool { return r.State.Over() || !slices.Contains(jobs, r.Task.String()) })
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(end) {
			a.note("note: %s was sent the signal to stop and is still %s; `headroom status` shows when it has stopped", left[0].Task, left[0].State)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return nil
}
