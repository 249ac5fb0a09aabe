package submit

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"headroom/runner/slurm"
	"headroom/sweeps"
)

// Piece is work to submit.
type Piece struct {
	Job
	// Seconds is its predicted time; 0 if that is not known.
	Seconds float64
	// Steps is the number of training steps that are left; 0 if it trains nothing.
	Steps int
	// After are jobs of earlier submissions that it waits for.
	After []string
}

// Order holds everything from which a submission is built.
type Order struct {
	Manifest    // its Arrays are built
	Settings    sweeps.Slurm
	Site        slurm.Site
	Backbones   []Piece
	Runs        []Piece
	Evaluations []Piece
	// Before are the live jobs of earlier submissions of the sweep. The report waits for them.
	Before []string
}

// The time limit "auto" is the predicted time, times Margin, plus Spare.
const (
	Margin = 1.5
	Spare  = 10 * time.Minute
)

// bundled is the longest time of a task of short runs. Slurm's own work for a task takes
// seconds, and the wait in the queue between two tasks may take hours.
const bundled = 15 * time.Minute

// Build distributes the pieces to arrays. The notices are for the user. Its error is about the
// settings; nothing has been submitted then.
func Build(o Order) (m Manifest, notices []string, err error) {
	m = o.Manifest
	most := max(1, o.Site.MaxArraySize)
	backbones := m.add(Backbones, o.Backbones, nil, o, most)
	var free, waiting []Piece
	split := func(pieces []Piece) {
		free, waiting = nil, nil
		for _, p := range pieces {
			if made := slices.ContainsFunc(o.Backbones, func(b Piece) bool { return b.ID == p.Needs }); made && p.Needs != "" || len(p.After) > 0 {
				waiting = append(waiting, p)
			} else {
				free = append(free, p)
			}
		}
	}
	all := slices.Clone(backbones)
	for _, kind := range []struct {
		name   string
		pieces []Piece
	}{{Runs, o.Runs}, {Evaluations, o.Evaluations}} {
		split(kind.pieces)
		all = append(all, m.add(kind.name, free, nil, o, most)...)
		all = append(all, m.add(kind.name, waiting, backbones, o, most)...)
	}
	if len(all) > 0 {
		report := Piece{Job: Job{Kind: Report, ID: Report, Label: "report of " + m.Sweep}}
		m.add(Report, []Piece{report}, all, o, most)
		last := &m.Arrays[len(m.Arrays)-1]
		last.AfterJobs = slices.Clone(o.Before)
	}
	limited, err := o.limits(&m)
	return m, limited, err
}

// add appends the arrays of one kind and returns their names.
func (m *Manifest) add(kind string, pieces []Piece, after []string, o Order, most int) (names []string) {
	tasks, jobs := bundle(kind, pieces, o.Settings.Bundle)
	for chunk := range slices.Chunk(tasks, most) {
		n := 0
		for _, a := range m.Arrays {
			if a.Kind == kind {
				n++
			}
		}
		name := fmt.Sprintf("%s%d", kind, n)
		m.Arrays = append(m.Arrays, Array{
			Name: name, Kind: kind, JobName: jobName(m.Sweep, m.Submission, name),
			After: slices.Clone(after), AfterJobs: jobs, Tasks: chunk,
		})
		names = append(names, name)
	}
	return names
}

// bundle puts pieces into tasks: size pieces per task or, for 0, as many short pieces as take no
// longer than bundled together. Pieces of unknown time have a task each.
func bundle(kind string, pieces []Piece, size int) (tasks []Task, after []string) {
	seconds := 0.0
	for i, p := range pieces {
		for _, job := range p.After {
			if !slices.Contains(after, job) {
				after = append(after, job)
			}
		}
		fits := i > 0 && kind != Backbones
		if size > 0 {
			fits = fits && len(tasks[len(tasks)-1].Jobs) < size
		} else {
			fits = fits && seconds > 0 && p.Seconds > 0 && seconds+p.Seconds <= bundled.Seconds()
		}
		if !fits {
			tasks = append(tasks, Task{})
			seconds = 0
		}
		last := &tasks[len(tasks)-1]
		last.Jobs = append(last.Jobs, p.Job)
		// The time of a task with one piece of unknown time is unknown.
		if seconds += p.Seconds; p.Seconds == 0 || last.Seconds == 0 && len(last.Jobs) > 1 {
			seconds = 0
		}
		last.Seconds = seconds
	}
	return tasks, after
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// jobName has letters, digits and '-' only, since other characters occur in Slurm's own output.
func jobName(sweep, submission, array string) string {
	short := strings.Trim(notInName.ReplaceAllString(strings.ToLower(sweep), "-"), "-")
	short = short[:min(len(short), 30)]
	return fmt.Sprintf("headroom-%s-%s-%s", short, submission, array)
}

// limits gives each array its time limit.
func (o Order) limits(m *Manifest) (notices []string, err error) {
	lead := time.Duration(o.Settings.Lead) * time.Second
	longest := o.partition().Limit
	if o.Settings.Time == "auto" {
		for i := range m.Arrays {
			limit, known := time.Duration(0), m.Arrays[i].Kind != Report
			for _, t := range m.Arrays[i].Tasks {
				known = known && t.Seconds > 0
				limit = max(limit, time.Duration(t.Seconds*Margin*float64(time.Second))+Spare+lead)
			}
			if !known {
				continue
			}
			if longest > 0 && limit > longest {
				limit = longest
			}
			m.Arrays[i].Minutes = minutes(limit)
		}
		return nil, nil
	}
	limit, err := sweeps.SlurmTime(o.Settings.Time)
	if err != nil {
		return nil, fmt.Errorf("slurm.time = %q: %w", o.Settings.Time, err)
	}
	if longest > 0 && limit > longest {
		return nil, fmt.Errorf("slurm.time = %q: partition %q allows at most %s", o.Settings.Time, o.partition().Name, sweeps.SlurmLimit(longest))
	}
	if limit <= lead {
		return nil, fmt.Errorf("slurm.time = %q leaves no time to work: a task writes its checkpoint %v before its end (slurm.lead); give it more time, or a smaller slurm.lead", o.Settings.Time, lead)
	}
	for i := range m.Arrays {
		m.Arrays[i].Minutes = minutes(limit)
	}
	return o.judgeLimit(limit - lead)
}

// judgeLimit compares a task's time limit with the predicted time of its work.
func (o Order) judgeLimit(has time.Duration) (notices []string, err error) {
	var faults []error
	worst := 1.0
	for _, p := range o.Runs {
		if p.Seconds == 0 || p.Steps == 0 {
			continue
		}
		if step := p.Seconds / float64(p.Steps); step > has.Seconds() {
			faults = append(faults, fmt.Errorf("slurm.time = %q is too short for one step of %s: a step takes about %s, and %v are left of it before the checkpoint (slurm.lead)",
				o.Settings.Time, p.Label, time.Duration(step*float64(time.Second)).Round(time.Second), has))
		}
		worst = max(worst, math.Ceil(p.Seconds/has.Seconds()))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if again := int(worst) - 1; again > o.Settings.Requeue {
		notices = append(notices, fmt.Sprintf("slurm.time = %q: the longest run is predicted to need %d tasks one after the other, and slurm.requeue = %d allows %d; submit again resumes it", o.Settings.Time, again+1, o.Settings.Requeue, o.Settings.Requeue+1))
	}
	return notices, nil
}

func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// partition is the partition of the tasks.
func (o Order) partition() slurm.Partition {
	for _, p := range o.Site.Partitions {
		if p.Name == o.Settings.Partition || o.Settings.Partition == "" && p.Default {
			return p
		}
	}
	return slurm.Partition{Name: o.Settings.Partition}
}
