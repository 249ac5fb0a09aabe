package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/runner/pool"
	"headroom/runner/submit"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// submitDocument is the JSON document of submit.
type submitDocument struct {
	Schema int `json:"schema"`
	// Submission names the folder slurm/<sweep>/<submission>; "" if nothing was submitted.
	Submission string         `json:"submission"`
	Jobs       []submittedJob `json:"jobs"`
	// Runs are the ids of the runs that were submitted.
	Runs    []string      `json:"runs"`
	Skipped []skippedWork `json:"skipped"`
	// Scripts are present only in a dry run.
	Scripts []scriptText `json:"scripts,omitempty"`
}

type submittedJob struct {
	Kind string `json:"kind"` // "backbones", "runs", "evaluations", "report"
	// Job is Slurm's id; "" in a dry run, and if it is not submitted yet.
	Job   string `json:"job"`
	Tasks int    `json:"tasks"`
}

type scriptText struct {
	Array   string   `json:"array"`
	Options []string `json:"options"` // of sbatch, in addition to those in the script
	Script  string   `json:"script"`
}

func (s *submission) document(sub submit.Submission) submitDocument {
	d := submitDocument{Schema: schema, Submission: sub.Manifest.Submission, Jobs: []submittedJob{}, Runs: []string{}, Skipped: append([]skippedWork{}, s.skipped...)}
	for _, a := range sub.Manifest.Arrays {
		placed, _ := sub.Placed(a.Name)
		d.Jobs = append(d.Jobs, submittedJob{a.Kind, placed.Job, len(a.Tasks)})
		for _, t := range a.Tasks {
			for _, job := range t.Jobs {
				if job.Kind == kindRun || job.Kind == kindEvaluate {
					d.Runs = append(d.Runs, job.ID)
				}
			}
		}
	}
	return d
}

// printNothing reports that there is nothing to submit.
func (s *submission) printNothing() error {
	s.note("%s: nothing to submit: %s", s.sweep.spec.Name, s.skippedNote())
	if !s.global.json {
		return nil
	}
	return s.printJSON(s.document(submit.Submission{}))
}

// skippedNote counts the work that was left out, and gives the reasons for unfinished work.
func (s *submission) skippedNote() string {
	done := 0
	var others []string
	for _, w := range s.skipped {
		if w.Why == "done" {
			done++
			continue
		}
		others = append(others, fmt.Sprintf("%s %s", w.ID[:min(8, len(w.ID))], w.Why))
	}
	text := nouns.Count(done, "run") + " done"
	if len(others) > 0 {
		text += "; " + strings.Join(others, "; ")
	}
	return text
}

// show prints what was submitted.
func (s *submission) show(sub submit.Submission) error {
	if s.global.json {
		return s.printJSON(s.document(sub))
	}
	fmt.Fprintf(s.stdout, "%s: submission %s\n", plain.Line(sub.Manifest.Sweep), sub.Manifest.Submission)
	if err := s.table(s.arrayTable(sub)); err != nil {
		return err
	}
	if len(s.skipped) > 0 {
		fmt.Fprintf(s.stdout, "left out: %s\n", plain.Line(s.skippedNote()))
	}
	s.note("note: tasks run offline: the workspace, the data and the caches that their scripts name must be on a file system that the nodes share (`headroom prepare` lists them and compares their digests); `headroom status %s` shows what becomes of the tasks", sub.Manifest.Sweep)
	return nil
}

// arrayTable has a row for each array.
func (s *submission) arrayTable(sub submit.Submission) [][]string {
	rows := [][]string{{"job", "array", "tasks", "work", "time limit", "after"}}
	for _, a := range sub.Manifest.Arrays {
		placed, _ := sub.Placed(a.Name)
		limit := "the partition's"
		if a.Minutes > 0 {
			limit = sweeps.SlurmLimit(time.Duration(a.Minutes) * time.Minute)
			if s.settings.Time == "auto" {
				limit += fmt.Sprintf(" (predicted × %g + %.0f min)", submit.Margin, submit.Spare.Minutes())
			}
		}
		work := 0
		for _, t := range a.Tasks {
			work += len(t.Jobs)
		}
		after := strings.Join(append(slices.Clone(a.After), a.AfterJobs...), ", ")
		rows = append(rows, []string{orDash(placed.Job), a.Name, strconv.Itoa(len(a.Tasks)), strconv.Itoa(work), limit, orDash(after)})
	}
	return rows
}

// dryRun prints what would be submitted.
func (s *submission) dryRun(ctx context.Context) error {
	live := map[string]submit.Standing{}
	if w, err := workspace.Open(s.root); err == nil {
		subs, err := submit.List(w.Root, "")
		if err != nil {
			return err
		}
		tasks, silent, err := s.askSlurm(ctx, subs)
		if err != nil {
			return err
		}
		if silent != nil {
			s.note("note: %v: which of these are in the queue is not known", silent)
		}
		live = liveWork(tasks)
	} else if !errors.Is(err, workspace.ErrNone) {
		return err
	}
	order, err := s.order(live)
	if err != nil {
		return err
	}
	order.Submission = "DRY-RUN"
	m, notices, err := submit.Build(order)
	if err != nil {
		return err
	}
	for _, text := range notices {
		s.note("warning: %s", text)
	}
	if len(m.Arrays) == 0 {
		return s.printNothing()
	}
	sub := submit.Submission{Folder: submit.Folder(s.root, m.Sweep, m.Submission), Manifest: m}
	scripts := s.scripts(sub.Folder, m)
	if s.global.json {
		d := s.document(sub)
		for _, a := range m.Arrays {
			d.Scripts = append(d.Scripts, scriptText{a.Name, dryOptions(a), scripts[a.Name]})
		}
		return s.printJSON(d)
	}
	fmt.Fprintf(s.stdout, "%s: dry run, nothing is submitted\n", plain.Line(m.Sweep))
	if err := s.table(s.arrayTable(sub)); err != nil {
		return err
	}
	if len(s.skipped) > 0 {
		fmt.Fprintf(s.stdout, "left out: %s\n", plain.Line(s.skippedNote()))
	}
	for _, a := range m.Arrays {
		fmt.Fprintf(s.stdout, "\n$ sbatch %s\n%s", strings.Join(append(append([]string{"--parsable"}, dryOptions(a)...), a.Name+".sh"), " "), plain.Lines(scripts[a.Name]))
		for i, t := range a.Tasks {
			var labels []string
			for _, job := range t.Jobs {
				labels = append(labels, job.Label)
			}
			fmt.Fprintf(s.stdout, "# task %d: %s\n", i, plain.Line(strings.Join(labels, ", ")))
		}
	}
	return nil
}

// dryOptions returns the options that name the jobs of other arrays, which have no ids yet.
func dryOptions(a submit.Array) []string {
	ids := slices.Clone(a.AfterJobs)
	for _, name := range a.After {
		ids = append(ids, "JOB-OF-"+name)
	}
	if len(ids) == 0 {
		return []string{}
	}
	return []string{"--dependency=afterany:" + strings.Join(ids, ":")}
}

// wait returns when every task of a submission is over. Its error is nil if all is done,
// else the error that `run` would return. Ctrl-C ends only the waiting.
func (s *submission) wait(ctx context.Context, w workspace.Workspace, sub submit.Submission, every time.Duration) error {
	var said string
	for {
		tasks, silent, err := s.askSlurm(ctx, []submit.Submission{sub})
		if err != nil {
			return err
		}
		text := countTasks(tasks)
		if silent != nil {
			text += "; " + silent.Error()
		}
		if text != said {
			s.note("%s: %s", sub.Manifest.Submission, text)
			said = text
		}
		if !slices.ContainsFunc(tasks, submit.Standing.Lives) {
			return submissionError(tasks)
		}
		select {
		case <-ctx.Done():
			s.note("note: the jobs go on; `headroom cancel %s` ends them", sub.Manifest.Sweep)
			return pool.ErrInterrupted
		case <-time.After(every):
		}
		if sub, err = submit.Open(filepath.Join(submit.Root(w.Root), sub.Manifest.Sweep, sub.Manifest.Submission)); err != nil {
			return err
		}
	}
}

// countTasks counts tasks by state.
func countTasks(tasks []submit.Standing) string {
	counts := map[string]int{}
	order := []string{string(submit.Waiting), string(submit.Working), string(submit.Unknown), submit.Done, "not done", string(submit.Unplaced)}
	for _, t := range tasks {
		word := string(t.State)
		if t.State == submit.Ended {
			word = "not done"
			if last, any := t.Last(); any && last.State == submit.Done {
				word = submit.Done
			}
		}
		counts[word]++
	}
	var parts []string
	for _, word := range order {
		if counts[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[word], word))
		}
	}
	return nouns.Count(len(tasks), "task") + ": " + strings.Join(parts, ", ")
}

// submissionError is the error of a submission that is over, nil if all its tasks are done.
func submissionError(tasks []submit.Standing) error {
	failed := 0
	for _, t := range tasks {
		if last, any := t.Last(); !any || last.State != submit.Done {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &pool.FailedError{Failed: failed, Total: len(tasks)}
}
