// Package live watches workspaces while other programs write in them, and keeps what
// pages show of them in memory.
//
// Contract. A Watcher folds its workspace now and then and makes a Snapshot of what is
// there. A Snapshot never changes; the next one shares what is as it was. Whatever is
// wrong with a workspace, there is a Snapshot, and it says what. The workspace itself is
// only read: what is written is its database, the fold of its files, as by every command
// that reads. Points of curves are not kept here, but read when they are asked for.
package live

import (
	"math"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/store"
	"headroom/sweeps"
)

// Snapshot is a workspace at one moment.
type Snapshot struct {
	// Version grows with every snapshot in which something differs.
	Version uint64
	// Folded is when the files were last read; the zero time if they never were.
	Folded time.Time
	// Fault says what keeps the workspace from being read now; "" if nothing does. What
	// was read before is still there.
	Fault string
	// Notes are about files that could not be read.
	Notes  []string
	Sweeps []*Sweep
	// Alerts of all sweeps, those that stand first, then the newest.
	Alerts []Alert

	runs map[string]*Run
}

// Run finds a run by its id, nil if there is none. Of a run of several sweeps it is
// that of the first.
func (s *Snapshot) Run(id string) *Run { return s.runs[id] }

// Sweep finds a sweep by its name, nil if there is none.
func (s *Snapshot) Sweep(name string) *Sweep {
	for _, w := range s.Sweeps {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// Sweep is a sweep at one moment.
type Sweep struct {
	Name, Revision, Question string
	// Runs are those of the file and those that overrides added, in the manifest's order,
	// then former ones.
	Runs []*Run
	// Keys are the settings in which its runs differ, in the order of the sweep language.
	Keys []string
	// Figures name what its runs were measured by; the first is the main one.
	Figures []Figure
	// Seeds reports whether runs differ in nothing but their seed.
	Seeds bool
	// Changed is the version of the last snapshot in which it differed from the one before.
	Changed uint64
}

// Figure names a number of a run: a measure on a collection, or what its vectors cost.
type Figure struct {
	// Measure is as ir_measures writes it, or one of the costs below.
	Measure string
	// Dataset is the collection's label in the sweep.
	Dataset string
}

// Costs of an evaluation, beside its measures.
const (
	Flops          = "FLOPS"
	ActiveDocument = "active dims, document"
	ActiveQuery    = "active dims, query"
)

// Cost reports whether less of it is better.
func (f Figure) Cost() bool {
	return f.Measure == Flops || f.Measure == ActiveDocument || f.Measure == ActiveQuery
}

func (f Figure) String() string { return f.Measure + " · " + f.Dataset }

// Run is a run at one moment.
type Run struct {
	store.Run
	Config sweeps.RunConfig
	// Values has the run's setting of every key of the sweep, by key, as TOML writes it.
	Values map[string]string
	// Group is the same for runs of the sweep that differ in nothing but their seed.
	Group string
	// State is "new", "queued", "running", "interrupted", "failed" or "done".
	State string
	// Holder is who works on it, "" if nobody does.
	Holder string
	// Total is how many steps it has; Done how many are done.
	Total, Done int
	// ETA is what is left of it at its own pace; 0 if that is not known.
	ETA time.Duration
	// Heard is when its log last grew; the zero time before it began.
	Heard time.Time
	// Figures are its numbers as they are current.
	Figures  map[Figure]float64
	Episodes []event.Episode
	// Changed is the version of the last snapshot in which it differed from the one before.
	Changed uint64

	pace pace
}

// Figure is a number of the run, NaN if it has none.
func (r *Run) Figure(f Figure) float64 {
	if v, ok := r.Figures[f]; ok {
		return v
	}
	return math.NaN()
}

// Collapsed reports whether a collapse stands: at its end, or now if it is not judged.
func (r *Run) Collapsed() string {
	if r.Verdict != "" && r.Verdict != "healthy" {
		return r.Verdict
	}
	if r.Verdict == "" {
		for _, e := range r.Episodes {
			if e.Stands && e.Severity == event.SeverityCollapse {
				return e.Verdict
			}
		}
	}
	return ""
}

// Over reports whether nothing more will come of the run by itself.
func (r *Run) Over() bool { return r.State == "done" || r.State == "failed" }
