// Package pool runs jobs as worker processes: one process of the program's own
// executable per job, a fixed number at a time. It does not know what a job
// computes. A worker reports on its standard output, one JSON object per line
// (Message), and its exit code says how it ended. Its standard error is kept in a
// file, whose end is shown if the job fails.
//
// A failing job never stops another. When the context ends, the pool sends SIGINT
// to every running worker and waits: the worker checkpoints and exits 130. A worker
// never outlives its parent: if the parent is killed, the kernel (on Linux) and the
// worker's own watch (everywhere) end it.
package pool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Job is one unit of work: one worker process.
type Job struct {
	ID    string   // unique in a pool
	Kind  string   // the worker's --kind: "pretrain", "baseline", "run", "evaluate"
	Label string   // name for people
	After []string // ids of jobs of this pool that must be done first
	Args  []string // the worker's command line, without the executable
	Log   string   // file to which the worker's standard error is appended; "" keeps only its tail, in the Outcome
	// Weight is the job's share of the total work, in predicted seconds. 0 counts as 1.
	Weight float64
}

// State says how a job ended.
type State string

// The states of a job that is over.
const (
	Done        State = "done"
	Failed      State = "failed"
	Interrupted State = "interrupted" // stopped at a checkpoint, or never started because of that
	Blocked     State = "blocked"     // never started, because a job that it needs was not done
)

// Outcome is how one job ended.
type Outcome struct {
	Job    Job
	State  State
	Code   int           // the worker's exit code; -1 if a signal ended it or none was started
	Reason string        // why it is not Done; "" if it is Done
	Tail   string        // the last lines of its standard error
	Took   time.Duration // wall time of the process
	Answer *Answer       // the run's result; nil if the worker did not report one
}

// Cause is the reason why the job is not done, with the last line that its worker printed.
func (o Outcome) Cause() string {
	lines := strings.Split(strings.TrimSpace(o.Tail), "\n")
	said := ""
	for _, line := range lines {
		if text, own := strings.CutPrefix(line, "headroom: "); own {
			said = text
		}
	}
	if said == "" {
		said = strings.TrimSpace(lines[len(lines)-1])
	}
	if said == "" {
		return o.Reason
	}
	return o.Reason + ": " + said
}

// Result holds the outcomes of all jobs, in their order.
type Result struct {
	Outcomes []Outcome
}

// Count returns how many jobs of one kind ended in a state; kind "" is all.
func (r Result) Count(kind string, state State) int {
	n := 0
	for _, o := range r.Outcomes {
		if (kind == "" || o.Job.Kind == kind) && o.State == state {
			n++
		}
	}
	return n
}

// ErrInterrupted is returned when the context ended before all jobs were over.
var ErrInterrupted = errors.New("interrupted")

// FailedError is returned when all jobs are over and some are not done.
type FailedError struct {
	Failed, Blocked, Total int
}

func (e *FailedError) Error() string {
	text := fmt.Sprintf("%d of %d jobs failed", e.Failed, e.Total)
	if e.Blocked > 0 {
		text += fmt.Sprintf(", %d that need them did not start", e.Blocked)
	}
	return text
}

// check refuses a list that could not run to its end: a repeated id, a job that waits
// for a missing one, a circle.
func check(jobs []Job) error {
	known := map[string]bool{}
	for _, job := range jobs {
		if known[job.ID] {
			return fmt.Errorf("plan jobs: id %q twice", job.ID)
		}
		known[job.ID] = true
	}
	finished := map[string]bool{}
	for len(finished) < len(jobs) {
		before := len(finished)
		for _, job := range jobs {
			for _, id := range job.After {
				if !known[id] {
					return fmt.Errorf("plan job %q: it waits for %q, which is no job of this pool", job.Label, id)
				}
			}
			if !slices.ContainsFunc(job.After, func(id string) bool { return !finished[id] }) {
				finished[job.ID] = true
			}
		}
		if len(finished) == before {
			var stuck []string
			for _, job := range jobs {
				if !finished[job.ID] {
					stuck = append(stuck, job.Label)
				}
			}
			return fmt.Errorf("plan jobs: they wait for each other: %s", strings.Join(stuck, ", "))
		}
	}
	return nil
}
