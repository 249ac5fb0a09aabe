package stability

import (
	"slices"

	"headroom/metrics/event"
)

// answer is the result of a rule at one step.
type answer int

const (
	// no: the rule does not hold.
	no answer = iota
	// yes: it holds.
	yes
	// unknown: the rule cannot judge this step; no episode opens or passes at it.
	unknown
)

// answerOf returns yes if a condition holds, else no.
func answerOf(holds bool) answer {
	if holds {
		return yes
	}
	return no
}

// rule has the fields of an episode that do not depend on its steps.
type rule struct {
	kind, severity, series string
	version                int
	// words is the rule with its numbers filled in.
	words     string
	threshold float64
	// window is how many of the last observations are kept as evidence.
	window int
}

// hold turns a rule's answers into episodes: one opens after a number (open) of yes in a
// row, and passes after a number (close) of no in a row.
type hold struct {
	rule
	open, close int
	// grace is the first step whose answer counts towards opening. The episode begins with
	// its first yes, which may be before grace.
	grace int

	recent  []event.Point
	first   int // of the running stretch
	length  int // of the running stretch
	counted int // its steps from grace on
	quiet   int
	healthy event.Maybe // the last step whose answer was no
	current *event.Episode
	passed  []event.Episode
}

// observe takes one step's answer and the value it rests on. since is the first
// step that the value covers. The result is nil or the episode that opened or passed.
func (h *hold) observe(step, since int, a answer, value float64) *event.Episode {
	if a == unknown {
		return nil
	}
	h.recent = append(h.recent, event.Point{Step: step, Value: event.Value(value)})
	if len(h.recent) > h.window {
		h.recent = slices.Delete(h.recent, 0, len(h.recent)-h.window)
	}
	if a == no {
		h.length, h.counted, h.healthy = 0, 0, event.Some(step)
		return h.pass()
	}
	if h.length == 0 {
		h.first = since
	}
	h.length++
	if step >= h.grace {
		h.counted++
	}
	if h.current != nil {
		h.current.LastStep, h.quiet = step, 0
		return nil
	}
	if h.counted < h.open {
		return nil
	}
	h.quiet = 0
	h.current = &event.Episode{Detector: h.kind, Version: h.version, Verdict: h.kind, Severity: h.severity,
		FirstStep: h.first, LastStep: step, LastHealthy: h.healthyBefore(h.first), Stands: true,
		Evidence: event.Evidence{Series: h.series, Rule: h.words, Threshold: event.Value(h.threshold),
			Window: h.window, Observed: slices.Clone(h.recent)}}
	opened := *h.current
	return &opened
}

// healthyBefore returns the last step before the given one at which the rule did not hold.
// The last no may be later than the given step: an episode begins with the first step of
// its window.
func (h *hold) healthyBefore(step int) event.Maybe {
	if !h.healthy.Known || step == 0 {
		return event.Maybe{}
	}
	return event.Some(min(h.healthy.Step, step-1))
}

func (h *hold) pass() *event.Episode {
	if h.current == nil {
		return nil
	}
	if h.quiet++; h.quiet < h.close {
		return nil
	}
	done := *h.current
	done.Stands = false
	h.passed, h.current = append(h.passed, done), nil
	return &done
}

// episodes returns all episodes so far, the standing one last.
func (h *hold) episodes() []event.Episode {
	all := slices.Clone(h.passed)
	if h.current != nil {
		all = append(all, *h.current)
	}
	return all
}

// scaledSteps returns n for a run of 150 steps or more, and in proportion less for a shorter
// run, but not less than floor. A run of unknown length (0) gets n.
func scaledSteps(n, floor, steps int) int {
	const full = 150
	if steps <= 0 || steps >= full {
		return n
	}
	return max(min(n, floor), n*steps/full)
}
