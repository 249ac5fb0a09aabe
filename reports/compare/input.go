// Package compare turns the records of a sweep into reliable statements: runs
// grouped by backbone and k over seeds, the best k of each backbone, differences
// with intervals, and sentences chosen by the evidence.
//
// The contract:
//   - Collapsed runs are never averaged in silence: a point's mean is over its
//     healthy seeds and comes with their number, next to the mean over all seeds.
//     Runs that did not finish are listed and not counted.
//   - Every number can be traced: a point names its runs, an evaluation its qrels.
//   - Where the data gives no evidence of a difference, the word is "~".
//   - The same input gives the same output, whatever its order.
package compare

import (
	"headroom/metrics/outline"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

// Input is a sweep as plain data. Load makes it from a store; tests write it.
type Input struct {
	Sweep    string
	Question string
	Revision string
	Runs     []Run
	// Baselines are BM25 and the untrained models.
	Baselines []Baseline
	// Part holds the conditions that chose the runs; "" for all runs of the sweep.
	Part string
	// Former counts the runs that are no longer in the sweep's file and not among Runs.
	Former int
	// Notes are the sweep's own remarks on its limits.
	Notes []string
	// Superseded is true if the runs also have evaluations on former contents of collections.
	Superseded bool
}

// Run is one run of the sweep, finished or not.
type Run struct {
	ID, Label string
	// Beside describes a run that is no point of the sweep's file: "added: …" by overrides, or
	// "former"; "" for a point of the file.
	Beside   string
	Backbone string
	// Rescale is k; NaN or 0 if it is chosen automatically and not known yet.
	Rescale float64
	Seed    int64
	// State is one of the states of package record.
	State string
	// Verdict is "healthy", a kind of collapse, or "" while not judged.
	Verdict string
	// Recovered names the collapses from which a healthy run recovered, and when; "" for none.
	Recovered string
	Step      int
	// Selected is the step whose weights are the run's result, if dev data chose it;
	// 0 if the last step's are.
	Selected int
	Error    string
	// Candidates is the number of documents among which a query's positive is to be found
	// in training; 0 if the loss has no chance level.
	Candidates int
	// Config holds every effective key of the run.
	Config []Setting
	// Encoding is its encoding; the zero value if that is not known.
	Encoding    sweeps.Encoding
	Evaluations []Evaluation
	Episodes    []Episode
	HeadNorms   []HeadNorm
	// Series has the curves that figures show, by the names of the event log, such as "loss".
	Series map[string]outline.Curve
	// Dev is DevMeasure on dev data against steps done, NaN if a model could not be
	// measured; empty if nothing was evaluated during training.
	Dev        Series
	DevMeasure string
	// DevTested is the least number of dev queries that are also test queries.
	DevTested int
}

// Finished reports whether the run reached its end; a collapsed run did.
func (r *Run) Finished() bool { return r.State == record.StateDone }

// Collapsed reports whether the run is collapsed at its end.
func (r *Run) Collapsed() bool { return r.Verdict != "" && r.Verdict != stability.Healthy }

// Short is the first eight digits of the id.
func (r *Run) Short() string { return r.ID[:min(8, len(r.ID))] }

// Setting returns the value of a key, or "" if the run has none.
func (r *Run) Setting(key string) string { return Lookup(r.Config, key) }

// Evaluation holds the results of a run or a baseline on one collection.
type Evaluation struct {
	ID, Dataset, Split string
	QrelsDigest        string
	Queries, Documents int
	Measures           map[string]float64
	// ActiveQuery, ActiveDocument and Flops are NaN if they make no sense, as for BM25.
	ActiveQuery, ActiveDocument, Flops float64
	// TieShare is NaN if it was not recorded.
	TieShare float64
	// PerQuery is measure → query → value; nil if only means are stored.
	PerQuery map[string]map[string]float64
	// Curve is the same with vectors cut to their greatest weights.
	Curve []CurvePoint
}

// Baseline is an evaluation of something that no run of the sweep trained.
type Baseline struct {
	Name string // "bm25", "untrained"
	// Backbone is empty for a baseline without one.
	Backbone string
	// Encoding is the form and the lengths that it was measured in; nil for BM25 and
	// if that is not known.
	Encoding   *sweeps.Encoding
	Evaluation Evaluation
}

// Episode is what a detector found in a run.
type Episode struct {
	Kind      string
	Severity  string // "collapse" or "warning"
	Series    string // in which it was seen
	FirstStep int
	LastStep  int
	Stands    bool // at the end of the run
	// Loss is the training loss at the first step, NaN if it is not known.
	Loss float64
	// Rule is the detector's rule in words, with its numbers; "" if it was not recorded.
	Rule string
	// Observed are the values by which it was seen.
	Observed Series
}

// HeadNorm is the distribution of the row norms of the MLM head at a step.
// Steps below 0 are the head as loaded, before the division by k.
type HeadNorm struct {
	Step                     int
	Mean, P05, P50, P95, Max float64
}

// Series is one value per step; values may be NaN or infinite and are kept so.
type Series = outline.Series
