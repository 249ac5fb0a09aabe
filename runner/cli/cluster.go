package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/submit"
	"headroom/runner/workspace"
)

// clusterRun is the state of a run in a cluster's queue.
type clusterRun struct {
	Submission string `json:"submission"`
	Job        string `json:"job"`   // of Slurm, 123_4; "" if it has none
	State      string `json:"state"` // "waiting", "running", "ended", "unplaced", "unknown"
	// Why is the reason why it waits, or the cause of its death; "" for neither.
	Why  string `json:"why"`
	Node string `json:"node"`
	// Restarts is the number of times that its task was started again.
	Restarts int `json:"restarts"`
	// Log is the file with the task's output, relative to the workspace.
	Log string `json:"log"`
}

func (c *clusterRun) String() string {
	text := c.State
	if c.State == string(submit.Ended) {
		text = ""
	}
	if c.Job != "" {
		text = strings.TrimSpace(c.Job + " " + text)
	}
	if c.State == string(submit.Working) && c.Node != "" {
		text += " on " + c.Node
	}
	if c.Why != "" {
		text += ": " + c.Why
		if c.State == string(submit.Ended) && c.Node != "" {
			text += " (" + c.Node + ")"
		}
	}
	if c.Restarts > 0 {
		text += fmt.Sprintf(", started %d times", c.Restarts+1)
	}
	return text
}

// clusterUse is the time that the tasks of submissions have used.
type clusterUse struct {
	// Unit is "GPU-hours", or "task-hours" if no task had a GPU.
	Unit string  `json:"unit"`
	Used float64 `json:"used"`
	// Wasted is the time of steps that were done again, because their task ended after its last checkpoint.
	Wasted float64 `json:"wasted"`
	// Saved is the time of steps that were left out because stability.stop ended collapsed runs.
	Saved float64 `json:"saved"`
	// Silent is the reason why Slurm does not answer; "" if it answers.
	Silent string `json:"silent,omitempty"`
	// Others are unfinished tasks that are not of runs.
	Others []otherTask `json:"others,omitempty"`
}

// otherTask is a task of a backbone, a baseline or a report that waits, works or failed.
type otherTask struct {
	Label string `json:"label"`
	clusterRun
}

func (u *clusterUse) String() string {
	return fmt.Sprintf("%s: %s used, %s wasted (steps done again), %s saved by stopping collapsed runs", u.Unit, hours(u.Used), hours(u.Wasted), hours(u.Saved))
}

// hours writes hours with a sensible number of digits.
func hours(h float64) string {
	if h > 0 && h < 0.1 {
		return fmt.Sprintf("%.4f", h)
	}
	return fmt.Sprintf("%.1f", h)
}

// onCluster adds to a status the states of the tasks of submissions: from their own records,
// then from squeue, then from sacct.
func (a *app) onCluster(ctx context.Context, w workspace.Workspace, names []string, d *statusDocument) error {
	subs, err := submit.List(w.Root, "")
	if err != nil || len(subs) == 0 {
		return err
	}
	tasks, silent, err := a.askSlurm(ctx, subs)
	if err != nil {
		return err
	}
	by := newestTask(tasks)
	for i := range d.Runs {
		if t, known := by[d.Runs[i].ID]; known {
			d.Runs[i].addCluster(w, t)
		}
	}
	use := &clusterUse{Unit: "task-hours"}
	if silent != nil {
		use.Silent = silent.Error()
	}
	for _, t := range tasks {
		if slices.Contains(names, t.Submission.Manifest.Sweep) {
			use.add(w, t, a.env.Now())
			use.addOther(w, t, by)
		}
	}
	use.Wasted, use.Saved = stepsAgain(w, d.Runs), stepsSaved(d.Runs)
	use.Used, use.Wasted, use.Saved = use.Used/3600, use.Wasted/3600, use.Saved/3600
	d.Cluster = use
	return nil
}

// newestTask maps the ids of work to their tasks: a live task, else the one of the newest submission.
func newestTask(tasks []submit.Standing) map[string]submit.Standing {
	by := map[string]submit.Standing{}
	for _, t := range tasks { // oldest submission first
		for _, job := range t.Array.Tasks[t.Index].Jobs {
			old, known := by[job.ID]
			if known && old.Lives() && !t.Lives() || t.State == submit.Unplaced && known {
				continue
			}
			by[job.ID] = t
		}
	}
	return by
}

func clusterOf(w workspace.Workspace, t submit.Standing) clusterRun {
	c := clusterRun{Submission: t.Submission.Manifest.Submission, State: string(t.State), Why: t.Why, Node: t.Node, Restarts: t.Restarts()}
	if t.Job.Array != "" {
		c.Job = t.Job.String()
	}
	if log, err := filepath.Rel(w.Root, t.Submission.Log(t.Array.Name, t.Index)); err == nil {
		c.Log = filepath.ToSlash(log)
	}
	return c
}

// addCluster sets a run's state from the state of its task. A run that is done stays done.
func (r *statusRun) addCluster(w workspace.Workspace, t submit.Standing) {
	c := clusterOf(w, t)
	if last, any := t.Last(); any { // the task may have several runs; take the end of this one
		for _, job := range last.Jobs {
			if job.ID == r.ID && t.State == submit.Ended && job.State != submit.Interrupted {
				c.Why = job.Why
			}
		}
	}
	r.Cluster = &c
	if r.State == record.StateDone || r.State == string(plan.Damaged) {
		r.Cluster.Why = ""
		return
	}
	switch {
	case t.State == submit.Waiting && r.State != record.StateRunning:
		r.State = record.StateQueued
	case t.State == submit.Working && r.State != record.StateRunning:
		r.State = record.StateRunning
	case t.State == submit.Ended && t.Died && len(t.Records) == 0 && r.State == record.StateQueued:
		r.State = record.StateFailed // its task ended without beginning it
	case t.State == submit.Ended && c.Why != "" && r.State == record.StateQueued:
		if last, any := t.Last(); any && last.State == submit.Failed {
			r.State = record.StateFailed
		}
	}
}

// addOther notes an unfinished task that is not of a run.
func (u *clusterUse) addOther(w workspace.Workspace, t submit.Standing, by map[string]submit.Standing) {
	for _, job := range t.Array.Tasks[t.Index].Jobs {
		newest := by[job.ID]
		if job.Kind == kindRun || job.Kind == kindEvaluate || newest.Submission.Folder != t.Submission.Folder {
			continue
		}
		if last, any := t.Last(); any && last.State == submit.Done || t.State == submit.Unplaced {
			continue
		}
		u.Others = append(u.Others, otherTask{job.Label, clusterOf(w, t)})
	}
}

// add adds the time of a task's attempts, in seconds times GPUs.
func (u *clusterUse) add(w workspace.Workspace, t submit.Standing, now time.Time) {
	for i, r := range t.Records {
		end := now
		switch {
		case r.Ended != nil:
			end = *r.Ended
		case i+1 < len(t.Records):
			end = lastSign(w, t, r.Started, t.Records[i+1].Started)
		case t.State == submit.Ended && !t.End.IsZero():
			end = t.End
		case t.State == submit.Ended:
			end = lastSign(w, t, r.Started, now)
		}
		if r.GPUs > 0 {
			u.Unit = "GPU-hours"
		}
		u.Used += max(0, end.Sub(r.Started).Seconds()) * float64(max(1, r.GPUs))
	}
}

// lastSign is the time at which a task without a recorded end last wrote to a log of its runs.
func lastSign(w workspace.Workspace, t submit.Standing, from, until time.Time) time.Time {
	last := from
	for _, job := range t.Array.Tasks[t.Index].Jobs {
		attempts, err := event.Attempts(w.Run(job.ID))
		if err != nil {
			continue // its times are not known
		}
		for _, n := range attempts {
			if info, err := os.Stat(event.Path(w.Run(job.ID), n)); err == nil && info.ModTime().After(last) && info.ModTime().Before(until) {
				last = info.ModTime()
			}
		}
	}
	return last
}

// stepsAgain is the time in seconds of steps that a later attempt did again.
func stepsAgain(w workspace.Workspace, runs []statusRun) float64 {
	total := 0.0
	for _, r := range runs {
		attempts, err := event.Attempts(w.Run(r.ID))
		if err != nil {
			continue
		}
		for i := 0; i+1 < len(attempts); i++ {
			from, begun := firstStep(event.Path(w.Run(r.ID), attempts[i+1]))
			last, perStep := lastStep(event.Path(w.Run(r.ID), attempts[i]))
			if begun && last >= from {
				total += float64(last-from+1) * perStep
			}
		}
	}
	return total
}

// firstStep is the step from which an attempt resumed; false if it did not begin.
func firstStep(path string) (step int, begun bool) {
	found := fmt.Errorf("found")
	// A log that cannot be read counts as empty.
	_, _ = event.Scan(path, event.Position{}, func(r event.Record) error {
		if s, ok := r.Event.(event.Started); ok {
			step, begun = s.FromStep, true
			return found
		}
		return nil
	})
	return step, begun
}

// lastStep is an attempt's last step, -1 for none, and the mean seconds of its last steps.
func lastStep(path string) (last int, perStep float64) {
	last = -1
	total, n := 0.0, 0
	_ = plan.ScanTail(path, func(r event.Record) error {
		if s, ok := r.Event.(event.Step); ok {
			last = s.Step
			if v := s.Values["seconds"]; v.NonFinite() == "" {
				total, n = total+float64(v), n+1
			}
		}
		return nil
	})
	return last, total / float64(max(1, n))
}

// stepsSaved is the time in seconds of the steps that were left out in runs that ended early.
func stepsSaved(runs []statusRun) float64 {
	total := 0.0
	for _, r := range runs {
		if r.State == record.StateDone && r.Step > 0 && r.Step < r.Steps {
			total += r.Seconds / float64(r.Step) * float64(r.Steps-r.Step)
		}
	}
	return total
}
