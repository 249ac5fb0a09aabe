package slurm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Row is Slurm's description of one task.
type Row struct {
	Task  Task
	State State
	// Reason is Slurm's reason why it waits: "Resources", "QOSMaxJobsPerUserLimit".
	Reason string
	Node   string    // "" if it has none
	Start  time.Time // zero if unknown; for a pending task the expected time
	// End is the time when it ended; for a running task, the time when its limit is reached.
	End time.Time
	// Code and Signal belong to the batch script; sacct subtracts 128 from larger codes.
	Code, Signal int
}

// Stuck reports whether the task waits for a person: Slurm could not start it and holds it.
// A task that a user or an administrator holds on purpose is not stuck.
func (r Row) Stuck() bool {
	return r.State.Waiting() && strings.Contains(r.Reason, "requeued held") || r.State == "REQUEUE_HOLD" || r.State == "SPECIAL_EXIT"
}

const queueFormat = "%i|%T|%r|%N|%S|%e"

// Queue asks squeue for every task of jobs. Jobs that squeue does not know, or no longer
// knows, have no rows.
func (c Client) Queue(ctx context.Context, jobs []string) ([]Row, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	out, err := c.run(ctx, formats(), nil, "squeue", "-h", "-r", "-t", "all", "-j", strings.Join(jobs, ","), "-o", queueFormat)
	var refused *Refusal
	if errors.As(err, &refused) && strings.Contains(refused.Message, "Invalid job id") {
		return nil, nil // squeue refuses a single unknown job, but leaves unknown ones out of a list
	}
	if err != nil {
		return nil, err
	}
	return ParseQueue(out)
}

// ParseQueue reads rows of queueFormat. A task's own row takes precedence over the row of a
// range with the task.
func ParseQueue(text string) ([]Row, error) {
	var rows []Row
	at := map[Task]int{}
	own := map[Task]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(line, "|", 6)
		tasks, ranged, ok := parseTasks(strings.TrimSpace(fields[0]))
		if len(fields) != 6 || !ok {
			return nil, fmt.Errorf("read squeue: not a row of %s: %q", queueFormat, line)
		}
		for _, task := range tasks {
			row := Row{Task: task, State: newState(fields[1]), Reason: reason(fields[2]), Node: node(fields[3]), Start: moment(fields[4]), End: moment(fields[5])}
			i, known := at[task]
			switch {
			case !known:
				at[task] = len(rows)
				rows = append(rows, row)
			case !ranged || !own[task]:
				rows[i] = row
			}
			own[task] = own[task] || !ranged
		}
	}
	return rows, nil
}

// EndTime asks for the time when a running task's limit is reached; zero if it is not known.
func (c Client) EndTime(ctx context.Context, task Task) (time.Time, error) {
	out, err := c.run(ctx, formats(), nil, "squeue", "-h", "-r", "-t", "all", "-j", task.String(), "-o", queueFormat)
	if err != nil {
		return time.Time{}, err
	}
	rows, err := ParseQueue(out)
	if err != nil {
		return time.Time{}, err
	}
	for _, row := range rows {
		if row.Task == task {
			return row.End, nil
		}
	}
	return time.Time{}, nil
}

const accountingFormat = "JobID,State,ExitCode,Start,End,NodeList"

// Accounting asks sacct for every attempt of the tasks of jobs, by their start times. Its
// answers are seconds late, and older while the controller does not answer.
func (c Client) Accounting(ctx context.Context, jobs []string) ([]Row, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	out, err := c.run(ctx, formats(), nil, "sacct", "-n", "-X", "-P", "-D", "-j", strings.Join(jobs, ","), "-o", accountingFormat)
	if errors.Is(err, ErrNone) {
		return nil, ErrNoAccounting
	}
	if err != nil {
		return nil, err
	}
	return ParseAccounting(out)
}

// ParseAccounting reads rows of accountingFormat.
func ParseAccounting(text string) ([]Row, error) {
	var rows []Row
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(line, "|", 6)
		tasks, _, ok := parseTasks(strings.TrimSpace(fields[0]))
		if len(fields) != 6 || !ok {
			return nil, fmt.Errorf("read sacct: not a row of %s: %q", accountingFormat, line)
		}
		code, signal := exitCode(fields[2])
		for _, task := range tasks {
			rows = append(rows, Row{Task: task, State: newState(fields[1]), Code: code, Signal: signal, Start: moment(fields[3]), End: moment(fields[4]), Node: node(fields[5])})
		}
	}
	return rows, nil
}

func exitCode(text string) (code, signal int) {
	a, b, _ := strings.Cut(text, ":")
	code, _ = strconv.Atoi(a)
	signal, _ = strconv.Atoi(b)
	return code, signal
}

// reason is Slurm's reason, "" for "None".
func reason(text string) string {
	if text = strings.Trim(strings.TrimSpace(text), "()"); text == "None" || text == "null" {
		return ""
	}
	return text
}

func node(text string) string {
	if text = strings.TrimSpace(text); text == "(null)" || text == "None assigned" {
		return ""
	}
	return text
}

// moment reads seconds since 1970; "N/A", "Unknown" and "NONE" give the zero time.
func moment(text string) time.Time {
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}
