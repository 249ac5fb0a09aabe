package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// pieces adds the plan's unfinished work to an order, and notes the work that it leaves out and why.
func (s *submission) pieces(o *submit.Order, live map[string]submit.Standing) {
	p := s.todo
	s.skipped = nil
	skip := func(id, label, why string) {
		id = cmp.Or(id, label)
		s.skipped = append(s.skipped, skippedWork{id, why})
	}
	after := func(needs sweeps.ID) []string {
		if t, lives := live[string(needs)]; needs != "" && lives {
			return []string{t.Job.Array}
		}
		return nil
	}
	// submits reports whether unfinished work will be submitted.
	submits := func(id, label string, state plan.State, why string, needs sweeps.ID) bool {
		if t, lives := live[id]; lives && id != "" {
			skip(id, label, inQueue(t))
			return false
		}
		if state == plan.Unresolved && needs == "" { // with needs, its backbone is made first
			skip(id, label, why)
			return false
		}
		return true
	}
	needed := neededRecipes(p)
	for _, r := range p.Recipes {
		if !needed[r.ID] || !submits(string(r.ID), r.Name, r.State, r.Why, "") {
			continue
		}
		compute := computeOf(p, r.ID)
		o.Backbones = append(o.Backbones, submit.Piece{Seconds: secondsOrZero(r.Seconds), Steps: r.Recipe.Train.Steps, Job: submit.Job{
			Kind: kindPretrain, ID: string(r.ID), Label: "recipe " + r.Name, Backend: compute.Backend, Threads: compute.Threads, Remat: compute.Remat}})
	}
	lack := lackEvaluations(p)
	for _, r := range p.Runs {
		job := submit.Job{Kind: kindRun, ID: string(r.ID), Label: r.Label, Backend: r.Config.Compute.Backend, Threads: r.Config.Compute.Threads, Needs: string(r.Needs)}
		piece := submit.Piece{Job: job, Seconds: secondsOrZero(r.Seconds), Steps: r.Config.Train.Steps, After: after(r.Needs)}
		switch {
		case r.State.Finished() && !lack[r.ID]:
			skip(string(r.ID), r.Label, "done")
		case !submits(string(r.ID), r.Label, r.State, r.Why, r.Needs):
		case r.State == plan.Running:
			skip(string(r.ID), r.Label, "running outside the queue: "+r.Why)
		case r.State.Finished():
			piece.Kind, piece.Label, piece.Seconds, piece.Steps = kindEvaluate, "evaluate "+r.Label, 0, 0
			o.Evaluations = append(o.Evaluations, piece)
		default:
			o.Runs = append(o.Runs, piece)
		}
	}
	for _, e := range p.Evaluations {
		if e.Name == "" || e.State.Finished() || !submits(e.ID, e.Label, e.State, e.Why, e.Needs) {
			continue
		}
		job := submit.Job{Kind: kindBaseline, ID: e.ID, Label: e.Label, Backend: e.Config.Compute.Backend, Threads: e.Config.Compute.Threads, Needs: string(e.Needs)}
		o.Evaluations = append(o.Evaluations, submit.Piece{Job: job, Seconds: secondsOrZero(e.Seconds), After: after(e.Needs)})
	}
}

func secondsOrZero(seconds *float64) float64 {
	if seconds == nil {
		return 0
	}
	return *seconds
}

// inQueue describes the state of a live task.
func inQueue(t submit.Standing) string {
	text := fmt.Sprintf("in the queue as %s: %s", t.Job, t.State)
	if t.State == submit.Working && t.Node != "" {
		text += " on " + t.Node
	}
	if t.Why != "" {
		text += " (" + t.Why + ")"
	}
	return text
}

// askSlurm returns the states of the tasks of submissions, by one call of squeue and one of
// sacct. The first error is set if the controller does not answer.
func (a *app) askSlurm(ctx context.Context, subs []submit.Submission) ([]submit.Standing, error, error) {
	tasks, err := submit.Tasks(subs)
	if err != nil {
		return nil, nil, err
	}
	var answers submit.Answers
	if jobs := submit.Unsettled(tasks); len(jobs) > 0 {
		client := a.slurm()
		answers.Queue, answers.Silent = client.Queue(ctx, jobs)
		if answers.Silent == nil {
			answers.Past, err = client.Accounting(ctx, jobs)
			var refused *slurm.Refusal
			if err != nil && !errors.Is(err, slurm.ErrNoAccounting) && !errors.Is(err, slurm.ErrUnreachable) && !errors.As(err, &refused) {
				return nil, nil, err
			}
		}
	}
	return submit.Judge(tasks, answers, a.env.Now()), answers.Silent, ctx.Err()
}

// liveWork maps the ids of work in the queue to its tasks.
func liveWork(tasks []submit.Standing) map[string]submit.Standing {
	live := map[string]submit.Standing{}
	for _, t := range tasks {
		if !t.Lives() {
			continue
		}
		for _, job := range t.Array.Tasks[t.Index].Jobs {
			if job.Kind != submit.Report && !t.Submission.Cancelled(job.ID) && !t.Ended(job.ID) {
				live[job.ID] = t
			}
		}
	}
	return live
}

// sendLocked submits the work that is neither done nor in the queue; it returns nil if there is none.
func (s *submission) sendLocked(ctx context.Context, w workspace.Workspace, manifest record.Manifest) (*submit.Submission, error) {
	subs, err := submit.List(w.Root, "")
	if err != nil {
		return nil, err
	}
	sender := s.sender()
	for i := range subs {
		if err := sender.Reconcile(ctx, &subs[i]); err != nil {
			return nil, err
		}
	}
	tasks, silent, err := s.askSlurm(ctx, subs)
	if err != nil {
		return nil, err
	}
	if silent != nil {
		return nil, fmt.Errorf("submit: what is in the queue is not known: %w; nothing was submitted, submit again later", silent)
	}
	if err := s.cancelStuck(ctx, tasks); err != nil {
		return nil, err
	}
	order, err := s.order(liveWork(tasks))
	if err != nil {
		return nil, err
	}
	order.Revision = manifest.Revision
	for _, t := range tasks {
		if t.Lives() && t.Submission.Manifest.Sweep == order.Sweep && t.Array.Kind != submit.Report {
			order.Before = appendNew(order.Before, t.Job.Array)
		}
	}
	m, notices, err := submit.Build(order)
	if err != nil {
		return nil, err
	}
	for _, text := range notices {
		s.note("warning: %s", text)
	}
	if len(m.Arrays) == 0 {
		return nil, s.printNothing()
	}
	if _, err := s.writeJobs(w, s.todo, machine{}, nil); err != nil {
		return nil, err
	}
	folder := submit.Folder(w.Root, m.Sweep, m.Submission)
	sub, err := submit.Create(folder, m, s.scripts(folder, m))
	if err != nil {
		return nil, err
	}
	return &sub, s.sendArrays(ctx, sender, &sub)
}

// cancelStuck cancels tasks that Slurm holds for good; other tasks would wait for them forever.
func (s *submission) cancelStuck(ctx context.Context, tasks []submit.Standing) error {
	var stuck []string
	for _, t := range tasks {
		if t.Stuck {
			stuck = append(stuck, t.Job.String())
		}
	}
	if len(stuck) > 0 {
		s.note("note: Slurm could not start %s and holds it: it is taken out of the queue and submitted again", strings.Join(stuck, ", "))
	}
	return s.slurm().Cancel(ctx, stuck...)
}

// sendArrays submits the arrays. If the cluster accepts no more at present, it prints a note and leaves the rest to the
// next call.
func (s *submission) sendArrays(ctx context.Context, sender submit.Sender, sub *submit.Submission) error {
	err := sender.Send(ctx, sub)
	if errors.Is(err, slurm.ErrLimit) {
		s.note("note: %v; what is not submitted yet is submitted by the same command, once there is room", err)
		return nil
	}
	return err
}

func appendNew(list []string, item string) []string {
	for _, old := range list {
		if old == item {
			return list
		}
	}
	return append(list, item)
}

// patience is the time to wait for a controller that does not answer.
const slurmPatience = 2 * time.Minute

func (s *submission) sender() submit.Sender {
	return submit.Sender{
		Cluster: s.slurm(), Now: s.env.Now, Patience: slurmPatience,
		Notice: func(text string) { s.note("note: %s", text) },
		Sleep: func(ctx context.Context, d time.Duration) {
			select {
			case <-ctx.Done():
			case <-time.After(d):
			}
		},
	}
}

// test lets Slurm check the settings and every script before anything is written.
func (s *submission) test(ctx context.Context) error {
	order, err := s.order(nil)
	if err != nil {
		return err
	}
	m, _, err := submit.Build(order)
	if err != nil {
		return err
	}
	kinds := map[string]bool{}
	for _, a := range m.Arrays {
		if kinds[a.Kind] {
			continue
		}
		kinds[a.Kind] = true
		err := s.slurm().Test(ctx, s.scripts(submit.Folder(s.root, m.Sweep, m.Submission), m)[a.Name])
		var refused *slurm.Refusal
		if errors.As(err, &refused) {
			return fmt.Errorf("submit: Slurm refuses the %s: %s; see [slurm] in the sweep's file or in %s", a.Kind, refused.Message, sweeps.SiteFile)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *submission) scripts(folder string, m submit.Manifest) map[string]string {
	scripts := map[string]string{}
	for _, a := range m.Arrays {
		scripts[a.Name] = submit.Script(folder, s.root, m, a, s.settings)
	}
	return scripts
}
