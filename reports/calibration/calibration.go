// Package calibration measures on a sweep's finished runs how often verdicts and warnings
// are wrong, how soon they come, and how well collapse is predicted before training.
//
// Contract. The truth about a run is its measure on dev data in comparison with runs of the
// same backbone, dev data, loss, number of steps and batch size, whatever their training data.
// No verdict enters it, and no rule sees it. A run whose parameters are not finite at its end
// has no model, and is lost. The truth is written with its date before any rule is applied, and
// never written again. Verdicts are the stored ones; rates come with exact intervals.
package calibration

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/metrics/event"
	"headroom/metrics/risk"
	"headroom/metrics/stability"
	"headroom/metrics/stats"
	"headroom/sweeps"
)

// Run is a finished and judged run, from its files.
type Run struct {
	ID, Label string
	Folder    string // of its logs
	Verdict   string
	Episodes  []event.Episode
	Config    sweeps.RunConfig
	Inputs    sweeps.Inputs
	Family    string // model type of the backbone, such as "bert"; "" if it is not known
	// Degraded is the result of judge; nil if the run was not compared.
	Degraded *bool
}

// The truths about runs.
const (
	Fine    = "fine"    // at least half of the reference
	Failed  = "failed"  // below half of it
	Lost    = "lost"    // below a tenth of it
	Unknown = "unknown" // no dev data, or no reference
)

const (
	failedBelow = 0.5
	lostBelow   = 0.1
	// The reference is the median of the runs that reach the share goodFrom of the best run. It needs
	// at least fewest such runs.
	goodFrom = 0.5
	fewest   = 3
	// A reference must be at least chanceTimes the value of a random ranking, but need not be more
	// than enough. nDCG@10 of a random ranking of N documents, one of them relevant, is chance/N.
	chance      = 4.54
	chanceTimes = 5
	enough      = 0.25
	level       = 0.95
)

// observed is a run with everything that a calibration measures of it.
type observed struct {
	Run
	measure    string
	score      float64 // on dev data, NaN without
	broken     bool    // its parameters are not finite at its end: there is no model to measure
	documents  int     // of the dev collection; 0 if the log does not say
	reference  float64
	truth      string
	steps      int
	setting    risk.Setting
	flops      float64 // FLOPS of queries and documents at step 0
	candidates float64
	norm       float64         // mean row norm of the head at step 0
	openedAt   int             // step at which the episode that names the verdict was seen; −1: none
	warnings   map[string]bool // kinds of warnings that opened
}

func (o observed) lost() bool   { return o.truth == Lost }
func (o observed) failed() bool { return o.truth == Lost || o.truth == Failed }

// devData names the dev data on which a run was measured.
func (o observed) devData() string {
	return shortReference(strings.Join(o.Config.Evaluate.During, " "))
}

// kin identifies the runs that share a reference.
func (o observed) kin() string {
	return fmt.Sprintf("%s %s %s %d %d", o.Inputs.Weights, o.Config.Evaluate.During, o.Config.Loss.Kind, o.steps, o.Config.Train.Batch)
}

// observe reads a run's logs.
func observe(run Run) (observed, error) {
	o := observed{Run: run, score: math.NaN(), norm: math.NaN(), flops: math.NaN(), openedAt: -1, warnings: map[string]bool{}}
	history, err := event.History(run.Folder, math.MaxInt)
	if err != nil {
		return o, err
	}
	attempts, err := event.Attempts(run.Folder)
	if err != nil {
		return o, err
	}
	var started event.Started
	for _, n := range attempts {
		records, err := event.Read(event.Path(run.Folder, n))
		if err != nil {
			return o, err
		}
		for _, r := range records {
			switch e := r.Event.(type) {
			case event.Started:
				started = e
			case event.HeadNorms:
				if e.Step == 0 {
					o.norm = float64(e.Mean)
				}
			case event.Measured:
				o.measure, o.score = e.Measure, float64(e.Value)
				o.broken = false
				for _, c := range e.Collections {
					o.documents = max(o.documents, c.Documents)
					// Vectors that are too dense to search were counted; those that are no numbers were not.
					o.broken = o.broken || c.Refused != "" && c.Documents == 0
				}
			}
		}
	}
	o.steps, o.candidates = started.Steps, float64(started.Facts.Candidates)
	o.setting = risk.Setting{LambdaQuery: run.Config.Regularizer.LambdaQuery, LambdaDocument: run.Config.Regularizer.LambdaDocument,
		InfoNCE: math.NaN(), Rate: run.Config.Train.LR * run.Config.Train.HeadLRScale, Ramp: float64(started.Facts.RampEnd)}
	if len(history) > 0 && history[0].Step == 0 {
		first := history[0].Values
		if v, ok := first[stability.SeriesContrastive]; ok && o.candidates > 1 {
			o.setting.InfoNCE = float64(v) / math.Log(o.candidates)
		}
		o.flops = float64(first["flops/query"] + first["flops/document"])
	}
	for _, e := range run.Episodes {
		if e.Severity == event.SeverityWarning {
			o.warnings[e.Verdict] = true
		}
	}
	m := stability.NewMonitor(started.Facts, started.Steps, run.Config.Stability.Thresholds)
	for _, s := range history {
		values := map[string]float64{}
		for name, v := range s.Values {
			values[name] = float64(v)
		}
		for _, e := range m.Observe(s.Step, values) {
			if e.Stands && e.Severity == event.SeverityCollapse && e.Verdict == run.Verdict {
				o.openedAt = s.Step // of several episodes, the last one counts
			}
		}
	}
	return o, nil
}

// judgeTruth sets references and truths.
func judgeTruth(list []observed) {
	scores := map[string][]float64{}
	for _, o := range list {
		if !math.IsNaN(o.score) {
			scores[o.kin()] = append(scores[o.kin()], o.score)
		}
	}
	for i := range list {
		o := &list[i]
		o.truth, o.reference = Unknown, reference(scores[o.kin()], o.documents)
		if o.broken {
			o.truth = Lost
			continue
		}
		if math.IsNaN(o.score) || math.IsNaN(o.reference) {
			continue
		}
		switch share := o.score / o.reference; {
		case share < lostBelow:
			o.truth = Lost
		case share < failedBelow:
			o.truth = Failed
		default:
			o.truth = Fine
		}
	}
}

// reference is the score with which runs are compared: the median of those that reach a share of
// the best. It is NaN if these are too few, or hardly better than a random ranking.
func reference(scores []float64, documents int) float64 {
	if len(scores) == 0 {
		return math.NaN()
	}
	best := slices.Max(scores)
	var good []float64
	for _, x := range scores {
		if x > 0 && x >= goodFrom*best {
			good = append(good, x)
		}
	}
	slices.Sort(good)
	median := stats.Quantile(good, .5)
	if len(good) < fewest || documents > 0 && median < min(enough, chanceTimes*chance/float64(documents)) {
		return math.NaN()
	}
	return median
}

// rate counts how often something was seen; it gives a share with its exact interval.
type rate struct{ k, n int }

func (r *rate) add(seen bool) {
	r.n++
	if seen {
		r.k++
	}
}

// text is the rate for people: count, share, and the exact interval.
func (r rate) text() string {
	if r.n == 0 {
		return "–"
	}
	i := stats.Binomial(r.k, r.n, level)
	return fmt.Sprintf("%d of %d: %.1f %% (%.1f to %.1f)", r.k, r.n, 100*float64(r.k)/float64(r.n), 100*i.Low, 100*i.High)
}

// bound is the exact one-sided upper bound at 95 %.
func (r rate) bound() string {
	if r.n == 0 {
		return "–"
	}
	return fmt.Sprintf("≤ %.1f %%", 100*stats.Binomial(r.k, r.n, 2*level-1).High)
}
