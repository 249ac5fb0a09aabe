// Package compare turns what a sweep recorded into statements that hold up: runs
// grouped by backbone and k over seeds, the best k of each backbone, differences
// with intervals, and sentences chosen by the evidence.
//
// The contract:
//   - A collapsed run is never averaged without saying so: a point's mean is over
//     its healthy seeds with their number, and the mean over all seeds stands
//     beside it. Runs that did not finish are listed and not counted.
//   - Every number can be traced: a point names its runs, an evaluation its qrels.
//   - Where the data gives no evidence of a difference, the word is "~".
//   - The same input gives the same output, whatever its order.
package compare

import "headroom/sweeps"

// Input is a sweep as plain data. Load makes it from a store; tests write it.
type Input struct {
	Sweep    string
	Question string
	Revision string
	Runs     []Run
	// Baselines are what no run trained: BM25 and the untrained models.
	Baselines []Baseline
	// Part are the conditions that chose the runs; "" where they are all of the sweep's.
	Part string
	// Former counts the runs that the sweep's file has no longer and that are not among Runs.
	Former int
	// Notes are the sweep's own remarks on what it does not show.
	Notes []string
	// Superseded says that evaluations of former contents are among those of the runs.
	Superseded bool
}

// Run is one run of the sweep, finished or not.
type Run struct {
	ID, Label string
	// Beside says how a run came in that is no point of the sweep's file: "added: …" by
	// overrides, or "former"; "" for a point of the file.
	Beside   string
	Backbone string
	// Rescale is k; NaN or 0 where it is chosen automatically and not known yet.
	Rescale float64
	Seed    int64
	// State is the store's word: "done" is finished, collapsed runs included.
	State string
	// Verdict is "healthy", a kind of collapse, or "" while not judged.
	Verdict string
	// Recovered says from which collapses a healthy run came back and when; "" for none.
	Recovered string
	Step      int
	// Selected is the step whose weights are the run's result, where dev data chose it;
	// 0 where the last step's are.
	Selected int
	Error    string
	// Candidates is the number of documents that a query's positive competes with
	// in training; 0 where the loss has no chance level.
	Candidates int
	// Config holds every effective key of the run.
	Config []Setting
	// Encoding is how it encodes; the zero value where that is not known.
	Encoding    sweeps.Encoding
	Evaluations []Evaluation
	Episodes    []Episode
	HeadNorms   []HeadNorm
	// Series by the names of the event log, such as "loss" or "active/query".
	Series map[string]Series
	// Dev is DevMeasure on dev data against steps done, NaN where a model could not be
	// measured; empty where nothing was evaluated during training.
	Dev        Series
	DevMeasure string
	// DevTested is how many of the dev queries are test queries, at least.
	DevTested int
}

// Finished reports whether the run reached its end; a collapsed run did.
func (r *Run) Finished() bool { return r.State == "done" || r.State == "collapsed" }

// Collapsed reports whether a collapse stands at the end of the run.
func (r *Run) Collapsed() bool { return r.Verdict != "" && r.Verdict != "healthy" }

// Short is the first eight digits of the id.
func (r *Run) Short() string { return r.ID[:min(8, len(r.ID))] }

// Setting returns the value of a key, or "" where the run has none.
func (r *Run) Setting(key string) string { return Lookup(r.Config, key) }

// Evaluation is one collection's answer about a run or a baseline.
type Evaluation struct {
	ID, Dataset, Split string
	QrelsDigest        string
	Queries, Documents int
	Measures           map[string]float64
	// ActiveQuery, ActiveDocument and Flops are NaN where they make no sense, as for BM25.
	ActiveQuery, ActiveDocument, Flops float64
	// TieShare is NaN where it was not recorded.
	TieShare float64
	// PerQuery is measure → query → value; nil where only means are stored.
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
	// where that is not known.
	Encoding   *sweeps.Encoding
	Evaluation Evaluation
}

// Episode is what a detector found in a run.
type Episode struct {
	Kind      string
	Severity  string // "collapse" or "warning"
	Series    string // that it was seen in
	FirstStep int
	LastStep  int
	Stands    bool // at the end of the run
	// Rule is what was broken, in words and with its numbers; "" where it was not recorded.
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
type Series struct {
	Steps  []int
	Values []float64
}
