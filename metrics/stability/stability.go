// Package stability finds collapse in the series of a run.
//
// Contract. A detector reads series and never edits anything. It reports episodes:
// stretches of steps in which its rule held, with the evidence that opened them. A
// run's verdict is the kind of collapse that still stands when the run ends, and
// "healthy" if none does: a run that recovered is not accused. Monitor is the
// detectors step by step; Judge is a Monitor fed from stored series, so the verdict
// on-line and the one afterwards are the same code.
//
// non_finite and empty are absolute. The others are judged against chance level,
// against the run's own first step, and after a grace period, because most healthy
// runs start with large scores and nearly parallel vectors.
//
// Patience and windows are given for a run of 150 steps or more. In a shorter run
// they shrink in proportion, down to a floor; below a rule's MinSteps it is silent,
// since an untrained model after a few steps is no evidence of anything.
package stability

import (
	"slices"

	"headroom/metrics/event"
)

// Healthy is the verdict of a run on which no collapse stands.
const Healthy = "healthy"

// Kinds of collapse.
const (
	// NonFinite: a series is NaN or infinite.
	NonFinite = "non_finite"
	// Empty: vectors have no active term.
	Empty = "empty"
	// Identical: inputs cannot be told apart.
	Identical = "identical"
	// Stalled: the model ranks no better than chance.
	Stalled = "stalled"
)

// Kinds of warnings, which never are a run's verdict.
const (
	// Spike: loss or gradient norm is far above its running median.
	Spike = "spike"
	// NoProgress: after a part of its steps, the model still ranks no better than chance.
	NoProgress = "no_progress"
	// ScaleShock: the first loss is far above chance level. Dense: vectors have far too many
	// active terms. No detector reports them any more: they predicted failing runs no better
	// than chance. Logs of older programs have them.
	ScaleShock = "scale_shock"
	Dense      = "dense"
)

// Collapses lists the kinds of collapse. Of several that stand, the first in this list is
// the verdict.
func Collapses() []string { return []string{NonFinite, Empty, Identical, Stalled} }

// Warnings lists the kinds of warnings, those of older programs last.
func Warnings() []string { return []string{Spike, NoProgress, ScaleShock, Dense} }

// Names of the series that detectors read.
const (
	SeriesLoss           = "loss"
	SeriesContrastive    = "loss/contrastive"
	SeriesGradNorm       = "grad_norm"
	SeriesAccuracy       = "accuracy"
	SeriesScoreSD        = "score/sd"
	SeriesCosineQuery    = "cosine/query"
	SeriesCosineDocument = "cosine/document"
	SeriesEmptyQuery     = "empty/query"
	SeriesEmptyDocument  = "empty/document"
)

// Series is one stored curve, steps ascending.
type Series struct {
	Steps  []int
	Values []float64
}

// Run is what Judge reads of a run. A series that is absent silences the rules
// that need it.
type Run struct {
	Facts  event.Facts
	Steps  int
	Series map[string]Series
}

// Result is what the detectors have found so far.
type Result struct {
	// Episodes are in the order of their first steps. One that stands has the last
	// step at which its rule held.
	Episodes []event.Episode
	// Verdict is Healthy or the kind of collapse that stands; if several stand, the one
	// that is first in Collapses.
	Verdict string
	// Chain lists the kinds of collapse in the order of their first steps, those that
	// passed included.
	Chain []string
}

// Judge applies the rules to a whole run.
func Judge(run Run, th Thresholds) Result {
	m := NewMonitor(run.Facts, run.Steps, th)
	m.Replay(run.Series)
	return m.Result()
}

// conclude derives verdict and chain from episodes.
func conclude(episodes []event.Episode) Result {
	slices.SortStableFunc(episodes, func(a, b event.Episode) int {
		if a.FirstStep != b.FirstStep {
			return a.FirstStep - b.FirstStep
		}
		return rank(a.Verdict) - rank(b.Verdict)
	})
	result := Result{Episodes: episodes, Verdict: Healthy}
	best := len(Collapses())
	for _, e := range episodes {
		r := rank(e.Verdict)
		if r >= len(Collapses()) {
			continue
		}
		if !slices.Contains(result.Chain, e.Verdict) {
			result.Chain = append(result.Chain, e.Verdict)
		}
		if e.Stands && r < best {
			best, result.Verdict = r, e.Verdict
		}
	}
	return result
}

// rank returns a kind's place in the order of Collapses, then of Warnings.
func rank(kind string) int {
	return slices.Index(append(Collapses(), Warnings()...), kind)
}
