// Package live watches workspaces while other programs write in them, and keeps their state
// in memory for the pages of reports/serve.
//
// Contract. A Watcher folds its workspace at intervals and makes a Snapshot of it. A
// Snapshot never changes; the next one shares its unchanged parts. A workspace with faults
// has a Snapshot too, which names the faults. Only the workspace's database is written, as
// by every command that reads. Points of curves are not kept in a Snapshot, but read on
// request.
package live

import (
	"math"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/metrics/store"
	"headroom/sweeps"
)

// Snapshot is a workspace at one moment.
type Snapshot struct {
	// Version grows with every snapshot that differs from the one before.
	Version uint64
	// Folded is when the files were last read; the zero time if they never were.
	Folded time.Time
	// Fault says why the workspace cannot be read now; "" if it can. The rest is then as it
	// was last read.
	Fault string
	// Notes are about files that could not be read.
	Notes  []string
	Sweeps []*Sweep
	// Alerts of all sweeps, those that stand first, then the newest.
	Alerts []Alert

	runs map[string]*Run
}

// Run finds a run by its id; nil if there is none. If several sweeps have the run, it is
// the first sweep's.
func (s *Snapshot) Run(id string) *Run { return s.runs[id] }

// Sweep finds a sweep by its name; nil if there is none.
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
	// Figures are the figures of its runs; the first is the main one.
	Figures []Figure
	// Seeds reports whether runs differ in nothing but their seed.
	Seeds bool
	// Changed is the version of the last snapshot in which it differed from the one before.
	Changed uint64
}

// Figure names a number of a run: a measure on a collection, or a cost of its vectors.
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

// Cost reports whether the figure is a cost, of which less is better.
func (f Figure) Cost() bool {
	return f.Measure == Flops || f.Measure == ActiveDocument || f.Measure == ActiveQuery
}

func (f Figure) String() string { return f.Measure + " · " + f.Dataset }

// Run is a run at one moment.
type Run struct {
	store.Run
	Config sweeps.RunConfig
	// Values has the run's setting of every key of the sweep, as written in TOML.
	Values map[string]string
	// Group is the same for runs of the sweep that differ in nothing but their seed.
	Group string
	// State is a state of record.
	State string
	// Holder names the process that works on it; "" for none.
	Holder string
	// Total is its number of steps, Done how many are done.
	Total, Done int
	// ETA is the expected time until its end, by its own pace; 0 if that is not known.
	ETA time.Duration
	// Heard is when its log last grew; the zero time before it began.
	Heard time.Time
	// Figures are its current numbers.
	Figures  map[Figure]float64
	Episodes []event.Episode
	// Changed is the version of the last snapshot in which it differed from the one before.
	Changed uint64

	pace pace
}

// Figure returns a number of the run; NaN if it has none.
func (r *Run) Figure(f Figure) float64 {
	if v, ok := r.Figures[f]; ok {
		return v
	}
	return math.NaN()
}

// Collapsed returns the collapse that stands, at the run's end or, before, now; "" for
// none.
func (r *Run) Collapsed() string {
	if r.Verdict != "" && r.Verdict != stability.Healthy {
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

// Over reports whether the run is done or has failed, and will not change by itself.
func (r *Run) Over() bool { return r.State == record.StateDone || r.State == record.StateFailed }
