package stability

import (
	"math"
	"slices"

	"headroom/metrics/event"
)

// detector has the rules of one kind. NewMonitor lists all detectors.
type detector interface {
	// observe takes the values of one step and returns episodes that opened or passed.
	observe(s sample) []event.Episode
	episodes() []event.Episode
	// reads lists the series that the rules in force judge.
	reads() []string
}

// sample has the values of one step, and each series' first value in the run.
type sample struct {
	step   int
	values map[string]float64
	first  map[string]float64
}

// get returns a series' value at this step, and false if it is absent or not finite.
func (s sample) get(name string) (float64, bool) {
	v, ok := s.values[name]
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Monitor runs every detector step by step. It is not safe for concurrent use.
//
// A resumed run gives its Monitor the earlier attempts' steps first, with Replay or
// Observe; its state is then that of a run without interruption.
type Monitor struct {
	detectors []named
	first     map[string]float64
}

// named is a detector with the kind that it reports and the version of its rules.
type named struct {
	kind    string
	version int
	detector
}

// NewMonitor prepares the detectors for a run with a number of steps. The thresholds must
// be valid, as package sweeps checks them.
func NewMonitor(facts event.Facts, steps int, th Thresholds) *Monitor {
	// A ramp as long as the run would leave nothing to judge.
	grace := facts.RampEnd
	if steps > 0 {
		grace = min(grace, steps/2)
	}
	m := &Monitor{first: map[string]float64{}}
	m.detectors = []named{
		{NonFinite, versionNonFinite, newNonFinite(th.NonFinite, steps)},
		{Empty, versionEmpty, newEmpty(th.Empty, steps)},
		{Identical, versionIdentical, newIdentical(th.Identical, facts, steps, grace)},
		{Stalled, versionStalled, newStalled(th.Stalled, facts, steps, grace)},
		{Spike, versionSpike, newSpike(th.Spike, steps)},
		{NoProgress, versionNoProgress, newNoProgress(th.NoProgress, facts, steps)},
	}
	return m
}

// Versions returns the versions of the detectors' rules, by kind. A version is raised when
// a rule changes such that it may give another result on the same series.
func Versions() map[string]int {
	versions := map[string]int{}
	for _, d := range NewMonitor(event.Facts{}, 0, Defaults()).detectors {
		versions[d.kind] = d.version
	}
	return versions
}

// Observe takes all series' values at one step and returns the episodes that opened or
// passed with it. Steps come in ascending order. An episode is returned when it opens and
// again when it passes; detector, series and first step identify it.
func (m *Monitor) Observe(step int, values map[string]float64) []event.Episode {
	for name, v := range values {
		if _, seen := m.first[name]; !seen && !math.IsNaN(v) && !math.IsInf(v, 0) {
			m.first[name] = v
		}
	}
	s := sample{step: step, values: values, first: m.first}
	var changed []event.Episode
	for _, d := range m.detectors {
		changed = append(changed, d.observe(s)...)
	}
	return changed
}

// Replay observes stored series in the order of their steps.
func (m *Monitor) Replay(series map[string]Series) []event.Episode {
	byStep := map[int]map[string]float64{}
	for name, s := range series {
		for i, step := range s.Steps {
			values := byStep[step]
			if values == nil {
				values = map[string]float64{}
				byStep[step] = values
			}
			values[name] = s.Values[i]
		}
	}
	steps := make([]int, 0, len(byStep))
	for step := range byStep {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	var changed []event.Episode
	for _, step := range steps {
		changed = append(changed, m.Observe(step, byStep[step])...)
	}
	return changed
}

// Result returns what the detectors found up to the last observed step. At a run's end it
// has the run's verdict.
func (m *Monitor) Result() Result {
	var episodes []event.Episode
	for _, d := range m.detectors {
		episodes = append(episodes, d.episodes()...)
	}
	return conclude(episodes)
}

// holds are the independent rules of one detector.
type holds []*hold

func (hs holds) episodes() []event.Episode {
	var all []event.Episode
	for _, h := range hs {
		all = append(all, h.episodes()...)
	}
	return all
}

func (hs holds) reads() []string {
	var series []string
	for _, h := range hs {
		series = append(series, h.series)
	}
	return series
}

// add appends the result of a hold's observe, unless it is nil.
func add(changed []event.Episode, e *event.Episode) []event.Episode {
	if e == nil {
		return changed
	}
	return append(changed, *e)
}
