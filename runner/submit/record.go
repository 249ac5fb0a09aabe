package submit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/internal/atomic"
	"headroom/internal/seal"
)

// The states of a task's attempt, in its own words.
const (
	Running     = "running"
	Done        = "done"
	Failed      = "failed"      // a job of it failed, or could not begin
	Interrupted = "interrupted" // stopped at a checkpoint
	Requeued    = "requeued"    // stopped at a checkpoint, and Slurm has taken it back into the queue
	Held        = "held"        // another live process does its work
	Cancelled   = "cancelled"   // all its work was cancelled
)

// Record is the record that an attempt of a task writes about itself.
type Record struct {
	Schema  int    `json:"schema"`
	Array   string `json:"array"`
	Index   int    `json:"index"`
	Attempt int    `json:"attempt"` // the number of this record
	// Restart is the number of times that Slurm had started the task before.
	Restart int       `json:"restart"`
	Job     string    `json:"job"` // 123_4
	Node    string    `json:"node"`
	PID     int       `json:"pid"`
	GPUs    int       `json:"gpus"`
	Started time.Time `json:"started"`
	// Until is the time when its limit is reached; null if that is not known.
	Until *time.Time `json:"until"`
	State string     `json:"state"`
	// Signal is the signal that stopped it: "USR1", "TERM"; "clock" if its own clock did.
	Signal string `json:"signal"`
	// Why is a message for the user; "" if all is well.
	Why   string     `json:"why"`
	Exit  *int       `json:"exit"`  // null while it runs
	Ended *time.Time `json:"ended"` // null while it runs
	Jobs  []JobEnd   `json:"jobs"`  // that are over
}

// JobEnd is the end of one job of a task in this attempt.
type JobEnd struct {
	ID      string  `json:"id"`
	State   string  `json:"state"`
	Why     string  `json:"why"`
	Seconds float64 `json:"seconds"`
}

// Over reports whether the attempt has recorded its end.
func (r Record) Over() bool { return r.Ended != nil }

// Seconds is its duration, 0 if its end is not known.
func (r Record) Seconds() float64 {
	if r.Ended == nil {
		return 0
	}
	return r.Ended.Sub(r.Started).Seconds()
}

// tasks is the folder of a task's records.
func (s Submission) tasks(array string, index int) string {
	return filepath.Join(s.Folder, "tasks", fmt.Sprintf("%s-%d", array, index))
}

// Records reads the records of a task, oldest first. Damaged records are left out.
func (s Submission) Records(array string, index int) ([]Record, error) {
	folder := s.tasks(array, index)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read task records: %w", err)
	}
	var records []Record
	for _, e := range entries {
		number, ok := strings.CutSuffix(e.Name(), ".json")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 {
			continue
		}
		var r Record
		if err := seal.ReadJSON(filepath.Join(folder, e.Name()), &r); seal.IsDamage(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("read task record: %w", err)
		}
		if r.Attempt == n { // else no task has written the file
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return a.Attempt - b.Attempt })
	return records, nil
}

// Begin makes the record of a task's next attempt. Its number belongs to this process.
func (s Submission) Begin(r Record) (Record, error) {
	folder := s.tasks(r.Array, r.Index)
	if err := atomic.MkdirAll(folder); err != nil {
		return r, fmt.Errorf("begin task record: %w", err)
	}
	for n := 1; ; n++ {
		r.Schema, r.Attempt, r.State = 1, n, Running
		text, err := seal.JSON(r)
		if err == nil {
			err = atomic.CreateFile(filepath.Join(folder, strconv.Itoa(n)+".json"), writer(text))
		}
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return r, fmt.Errorf("begin task record: %w", err)
		}
		return r, nil
	}
}

// Keep writes a record again.
func (s Submission) Keep(r Record) error {
	text, err := seal.JSON(r)
	if err == nil {
		err = atomic.WriteFile(filepath.Join(s.tasks(r.Array, r.Index), strconv.Itoa(r.Attempt)+".json"), writer(text))
	}
	if err != nil {
		return fmt.Errorf("write task record: %w", err)
	}
	return nil
}
