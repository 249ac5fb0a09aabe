package submit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"headroom/runner/slurm"
)

// Standing is the state of one task of a submission, from its own records and Slurm's
// answers.
type Standing struct {
	Submission Submission
	Array      Array
	Index      int
	// Job is its name in Slurm; Array "" if none was given.
	Job slurm.Task
	// Records are its own records, oldest first.
	Records []Record

	State TaskState
	// Why is the reason why it waits, or the cause of its death; "" for neither.
	Why  string
	Node string
	// Died is true if it ended without recording its end.
	Died bool
	// Stuck is true if it is still in the queue, and Slurm holds it for good.
	Stuck bool
	// End is the time of its end, if Slurm knows it; else zero.
	End time.Time
}

// TaskState is the state of a task.
type TaskState string

const (
	Waiting  TaskState = "waiting"  // in the queue
	Working  TaskState = "running"  // on a node
	Ended    TaskState = "ended"    // over; its records or Why say how
	Unplaced TaskState = "unplaced" // was never in the queue
	Unknown  TaskState = "unknown"  // the cluster does not answer, and its records have no end
)

// Lives reports whether the task may still do its work by itself.
func (s Standing) Lives() bool {
	return s.State == Waiting || s.State == Working || s.State == Unknown
}

// Last is the newest record; false if there is none.
func (s Standing) Last() (Record, bool) {
	if len(s.Records) == 0 {
		return Record{}, false
	}
	return s.Records[len(s.Records)-1], true
}

// Restarts is the number of times that the task was started again.
func (s Standing) Restarts() int {
	n := max(0, len(s.Records)-1)
	for _, r := range s.Records {
		n = max(n, r.Restart)
	}
	return n
}

// Answers holds Slurm's answers. Silent is set if the controller does not answer. Then the
// state of no task is known, whatever the accounting says.
type Answers struct {
	Queue  []slurm.Row
	Past   []slurm.Row // of the accounting, every attempt; nil if there is none
	Silent error
}

// grace is the time after its submission for which a job may be missing in Slurm's answers.
const grace = time.Minute

// Tasks lists the tasks of submissions with their records, not yet judged.
func Tasks(subs []Submission) ([]Standing, error) {
	var all []Standing
	for _, sub := range subs {
		for _, a := range sub.Manifest.Arrays {
			placed, _ := sub.Placed(a.Name)
			for i := range a.Tasks {
				records, err := sub.Records(a.Name, i)
				if err != nil {
					return nil, err
				}
				all = append(all, Standing{Submission: sub, Array: a, Index: i, Job: slurm.Task{Array: placed.Job, Index: i}, Records: records})
			}
		}
	}
	return all, nil
}

// Unsettled lists the jobs of tasks without an end in their own records, about which Slurm must
// be asked.
func Unsettled(tasks []Standing) []string {
	var jobs []string
	for _, t := range tasks {
		if t.Job.Array != "" && !t.settled() && !slices.Contains(jobs, t.Job.Array) {
			jobs = append(jobs, t.Job.Array)
		}
	}
	return jobs
}

// settled reports whether a task's own last record says that it will not begin again.
func (s Standing) settled() bool {
	last, any := s.Last()
	return any && last.Over() && (last.State == Done || last.State == Failed || last.State == Held || last.State == Cancelled)
}

// Judge returns the tasks with their states.
func Judge(tasks []Standing, answers Answers, now time.Time) []Standing {
	queue := map[slurm.Task]slurm.Row{}
	for _, row := range answers.Queue {
		queue[row.Task] = row
	}
	past := map[slurm.Task]slurm.Row{} // the last attempt
	for _, row := range answers.Past {
		past[row.Task] = row
	}
	judged := slices.Clone(tasks)
	for i := range judged {
		t := &judged[i]
		row, known := queue[t.Job]
		if !known {
			row, known = past[t.Job]
			// Only the accounting knows the task. It is not alive, or the queue would know it.
			known = known && row.State.Over()
		}
		if known && row.State.Over() {
			t.End = row.End
		}
		t.judge(row, known, answers.Silent, now)
	}
	return judged
}

func (s *Standing) judge(row slurm.Row, known bool, silent error, now time.Time) {
	last, any := s.Last()
	if any {
		s.Node = last.Node
	}
	placed, asked := s.Submission.Placed(s.Array.Name)
	switch {
	case s.settled():
		s.State, s.Why = Ended, last.Why
	case s.Job.Array == "":
		s.State = Unplaced
		if asked && !placed.Lost {
			s.Why = "its submission was cut off; submit again looks for it"
		}
	case silent != nil:
		s.State, s.Why = Unknown, "the cluster does not answer: ask again"
	case known && row.Stuck():
		s.State, s.Died, s.Stuck, s.Why = Ended, true, true, "Slurm could not start it and holds it ("+cmp.Or(row.Reason, string(row.State))+"); headroom submit takes it out of the queue and submits it again"
	case known && row.State.Waiting():
		s.State, s.Why, s.Node = Waiting, row.Reason, ""
	case known && !row.State.Over():
		s.State = Working
		if row.Node != "" {
			s.Node = row.Node
		}
	case !known && !any && now.Sub(placed.Asked) < grace:
		s.State = Waiting
	case any && last.Over():
		s.State, s.Why = Ended, last.Why
		if cause := row.State.Cause(); known && cause != "" && last.State == Requeued {
			s.Why = "it had been queued again and ended by " + cause
		}
	default:
		s.State, s.Died = Ended, true
		s.Why = s.causeOfDeath(row, known)
	}
}

// causeOfDeath returns the cause of death of a task that did not record its end.
func (s *Standing) causeOfDeath(row slurm.Row, known bool) string {
	log := s.Submission.logTail(s.Array.Name, s.Index)
	if row.Node != "" {
		s.Node = row.Node
	}
	switch {
	case s.cancelled():
		return "was cancelled"
	case slurm.KilledForMemory(log.kill):
		return "died of memory: it used more than the job was given (slurm.mem)"
	case known && row.State.Cause() != "":
		return "died of " + row.State.Cause()
	case log.cause != "":
		return "died of " + log.cause
	case known && row.Code == 0 && row.Signal == 53, known && len(s.Records) == 0 && !log.there:
		return fmt.Sprintf("could not write its log on %s: is %s mounted there, and writable?", cmp.Or(s.Node, "its node"), s.Submission.Folder)
	case log.said != "" && len(s.Records) == 0:
		return "ended before its work began: " + log.said
	case known && row.Signal != 0:
		return fmt.Sprintf("was killed by signal %d", row.Signal)
	case known && row.Code != 0:
		return fmt.Sprintf("ended with exit code %d and without a word", row.Code)
	case len(s.Records) == 0:
		return "is gone and never began: cancelled while it waited, or lost by Slurm"
	}
	return "ended without a word: it was killed, or its node died"
}

// cancelled reports whether `headroom cancel` has marked all work that was left for the task.
func (s Standing) cancelled() bool {
	left := 0
	for _, job := range s.Array.Tasks[s.Index].Jobs {
		if s.Ended(job.ID) {
			continue
		}
		if left++; !s.Submission.Cancelled(job.ID) {
			return false
		}
	}
	return left > 0
}

// Ended reports whether the task will not do a job again, because its newest attempt has passed
// it. The task may still do other jobs.
func (s Standing) Ended(id string) bool {
	last, any := s.Last()
	if !any || s.Lives() && (last.Over() || s.State == Waiting) { // another attempt begins with the first
		return false
	}
	return slices.ContainsFunc(last.Jobs, func(job JobEnd) bool { return job.ID == id && job.State != Interrupted })
}
