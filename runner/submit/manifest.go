// Package submit turns the unfinished work of a sweep into arrays of a Slurm cluster: the
// work of each task, the scripts, their submission, and the state of each task.
//
// A submission is the folder slurm/<sweep>/<submission> of the workspace:
//
//	manifest.json              which task of which array does what
//	jobs.json                  the job id of each array, once sbatch has given it
//	<array>.sh                 the script, as submitted
//	logs/<array>-<index>.log   the output of a task, of all its attempts
//	tasks/<array>-<index>/<n>.json   the record of a task's nth attempt, written by itself
//	cancelled/<id>             a run was cancelled; its task looks for this file
//
// A task's own record is the truth about it. Slurm is asked only about tasks without an
// ended record, since it forgets, lags and renames. If Slurm does not answer, nothing is
// concluded.
package submit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/internal/atomic"
	"headroom/internal/seal"
)

// The kinds of arrays, in the order in which they are submitted.
const (
	Backbones   = "backbones"
	Runs        = "runs"
	Evaluations = "evaluations"
	Report      = "report"
)

// Manifest describes the work of the tasks of one submission.
type Manifest struct {
	Schema     int      `json:"schema"`
	Submission string   `json:"submission"`
	Sweep      string   `json:"sweep"`
	Revision   string   `json:"revision"`
	Overrides  []string `json:"overrides"`
	// Created is its time, by the clock of the machine that submitted.
	Created time.Time `json:"created"`
	// Program is the absolute path of the program that tasks run.
	Program string `json:"program"`
	// Requeue, Signal and Lead are keys of [slurm].
	Requeue int    `json:"requeue"`
	Signal  string `json:"signal"`
	Lead    int    `json:"lead"` // seconds
	// Environment holds the variables that scripts export, NAME=VALUE.
	Environment []string `json:"environment"`
	Arrays      []Array  `json:"arrays"`
}

// Array is one job array.
type Array struct {
	// Name is "runs0": the kind and a number; it names files.
	Name string `json:"name"`
	Kind string `json:"kind"`
	// JobName is unique, so that an array whose submission timed out can be found by it.
	JobName string `json:"job_name"`
	// After are arrays of this submission, and AfterJobs jobs of others, that must be over
	// first, however they end.
	After     []string `json:"after"`
	AfterJobs []string `json:"after_jobs"`
	// Minutes is the time limit of a task; 0 if it is the partition's own.
	Minutes int    `json:"minutes"`
	Tasks   []Task `json:"tasks"` // by index
}

// Task is what one task of an array does, in this order.
type Task struct {
	Jobs []Job `json:"jobs"`
	// Seconds is their predicted time; 0 if that is not known.
	Seconds float64 `json:"seconds_predicted"`
}

// Job is one worker's work.
type Job struct {
	Kind  string `json:"kind"` // of the worker: "run", "pretrain", "baseline", "evaluate"; or "report"
	ID    string `json:"id"`
	Label string `json:"label"`
	// Backend, Threads and Remat are its keys of [compute]; Threads 0 is all that the task has.
	Backend string `json:"backend,omitempty"`
	Threads int    `json:"threads,omitempty"`
	Remat   bool   `json:"remat,omitempty"`
	// Needs is the recipe whose backbone must be there; "" for none.
	Needs string `json:"needs,omitempty"`
}

// Jobs holds the ids that sbatch has returned.
type Jobs struct {
	Schema int      `json:"schema"`
	Arrays []Placed `json:"arrays"`
}

// Placed is the state of an array's submission by sbatch.
type Placed struct {
	Array string `json:"array"`
	// Job is "" until its id is known.
	Job string `json:"job"`
	// Asked is when sbatch was first called for it.
	Asked time.Time `json:"asked"`
	// Lost is true if sbatch was called for it and no such job was found afterwards.
	Lost bool `json:"lost,omitempty"`
}

// Submission is the content of a submission's folder.
type Submission struct {
	Folder   string
	Manifest Manifest
	Jobs     Jobs
}

// Root is the folder of all submissions of a workspace.
func Root(workspace string) string { return filepath.Join(workspace, "slurm") }

// Folder is the folder of one submission.
func Folder(workspace, sweep, submission string) string {
	return filepath.Join(Root(workspace), sweep, submission)
}

// Create writes a submission's folder: manifest and scripts.
func Create(folder string, m Manifest, scripts map[string]string) (Submission, error) {
	fail := func(err error) (Submission, error) {
		return Submission{}, fmt.Errorf("write submission %q: %w", m.Submission, err)
	}
	for _, sub := range []string{"logs", "tasks", "cancelled"} {
		if err := atomic.MkdirAll(filepath.Join(folder, sub)); err != nil {
			return fail(err)
		}
	}
	for _, a := range m.Arrays {
		if err := atomic.WriteFile(filepath.Join(folder, a.Name+".sh"), writer([]byte(scripts[a.Name]))); err != nil {
			return fail(err)
		}
	}
	m.Schema = 1
	text, err := seal.IndentedJSON(m)
	if err == nil {
		err = atomic.CreateFile(filepath.Join(folder, "manifest.json"), writer(text))
	}
	if err != nil {
		return fail(err)
	}
	return Submission{Folder: folder, Manifest: m, Jobs: Jobs{Schema: 1}}, nil
}

func writer(text []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(text); return err }
}

// Open reads a submission's folder.
func Open(folder string) (Submission, error) {
	s := Submission{Folder: folder}
	if err := seal.ReadJSON(filepath.Join(folder, "manifest.json"), &s.Manifest); err != nil {
		return s, fmt.Errorf("read submission: %w", err)
	}
	err := seal.ReadJSON(filepath.Join(folder, "jobs.json"), &s.Jobs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("read submission: %w", err)
	}
	return s, nil
}

// List reads the submissions of a sweep, or of all if sweep is "", oldest first. A
// folder that has no manifest was never submitted.
func List(workspace, sweep string) ([]Submission, error) {
	sweeps := []string{sweep}
	if sweep == "" {
		var err error
		if sweeps, err = folders(Root(workspace)); err != nil {
			return nil, err
		}
	}
	var all []Submission
	for _, name := range sweeps {
		ids, err := folders(filepath.Join(Root(workspace), name))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			s, err := Open(Folder(workspace, name, id))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Submission) int { return a.Manifest.Created.Compare(b.Manifest.Created) })
	return all, nil
}

func folders(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list submissions: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "lease" && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Array finds an array by its name.
func (m Manifest) Array(name string) (Array, bool) {
	i := slices.IndexFunc(m.Arrays, func(a Array) bool { return a.Name == name })
	if i < 0 {
		return Array{}, false
	}
	return m.Arrays[i], true
}

// Placed returns the state of an array's submission; false if sbatch was never called.
func (s Submission) Placed(array string) (Placed, bool) {
	i := slices.IndexFunc(s.Jobs.Arrays, func(p Placed) bool { return p.Array == array })
	if i < 0 {
		return Placed{}, false
	}
	return s.Jobs.Arrays[i], true
}

// setPlaced writes the state of an array's submission.
func (s *Submission) setPlaced(p Placed) error {
	i := slices.IndexFunc(s.Jobs.Arrays, func(old Placed) bool { return old.Array == p.Array })
	if i < 0 {
		s.Jobs.Arrays = append(s.Jobs.Arrays, p)
	} else {
		s.Jobs.Arrays[i] = p
	}
	s.Jobs.Schema = 1
	text, err := seal.IndentedJSON(s.Jobs)
	if err == nil {
		err = atomic.WriteFile(filepath.Join(s.Folder, "jobs.json"), writer(text))
	}
	if err != nil {
		return fmt.Errorf("keep the job's id of %s: %w", p.Array, err)
	}
	return nil
}

// Log is the file for a task's output.
func (s Submission) Log(array string, index int) string {
	return filepath.Join(s.Folder, "logs", fmt.Sprintf("%s-%d.log", array, index))
}

// Cancel marks a run as cancelled. Its task looks for the mark.
func (s Submission) Cancel(id string) error {
	err := atomic.WriteFile(s.cancelled(id), writer(nil))
	if err != nil {
		return fmt.Errorf("cancel %q: %w", id, err)
	}
	return nil
}

// Cancelled reports whether a run was cancelled in this submission.
func (s Submission) Cancelled(id string) bool {
	_, err := os.Lstat(s.cancelled(id))
	return err == nil
}

func (s Submission) cancelled(id string) string { return filepath.Join(s.Folder, "cancelled", id) }

// Script is the file of an array's script.
func (s Submission) Script(array string) string { return filepath.Join(s.Folder, array+".sh") }
