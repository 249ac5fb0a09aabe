package stability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"headroom/metrics/event"
)

// RunOf returns a run with the steps that its logs record.
func RunOf(facts event.Facts, steps int, history []event.Step) Run {
	run := Run{Facts: facts, Steps: steps, Series: map[string]Series{}}
	for _, s := range history {
		for name, v := range s.Values {
			series := run.Series[name]
			series.Steps = append(series.Steps, s.Step)
			series.Values = append(series.Values, float64(v))
			run.Series[name] = series
		}
	}
	return run
}

// MissingSeries lists the series that the rules in force read and that the run does not have, by
// kind. These rules were silent.
func (r Run) MissingSeries(th Thresholds) map[string][]string {
	lacks := map[string][]string{}
	for _, d := range NewMonitor(r.Facts, r.Steps, th).detectors {
		for _, series := range d.reads() {
			if _, has := r.Series[series]; !has && series != "" {
				lacks[d.kind] = append(lacks[d.kind], series)
			}
		}
	}
	return lacks
}

// WithThresholds returns the result of other thresholds for one kind's detector. The other detectors
// keep their episodes: none reads another's thresholds.
func (r Result) WithThresholds(kind string, run Run, th Thresholds) Result {
	m := NewMonitor(run.Facts, run.Steps, th)
	for _, d := range m.detectors {
		if d.kind == kind {
			m.detectors = []named{d}
			break
		}
	}
	m.Replay(run.Series)
	episodes := m.Result().Episodes
	for _, e := range r.Episodes {
		if e.Detector != kind {
			episodes = append(episodes, e)
		}
	}
	return conclude(episodes)
}

// Recovered returns the collapses from which a healthy run recovered, with the first and
// the last step of each kind: "empty at 110–115". It is "" if there was none, or if one
// stands. The store's view runs has the same text.
func Recovered(verdict string, episodes []event.Episode) string {
	if verdict != Healthy {
		return ""
	}
	type stretch struct {
		kind        string
		first, last int
	}
	var stretches []stretch
	for _, e := range episodes {
		if e.Severity != event.SeverityCollapse || e.Stands {
			continue
		}
		i := slices.IndexFunc(stretches, func(s stretch) bool { return s.kind == e.Verdict })
		if i < 0 {
			stretches = append(stretches, stretch{e.Verdict, e.FirstStep, e.LastStep})
			continue
		}
		stretches[i].first, stretches[i].last = min(stretches[i].first, e.FirstStep), max(stretches[i].last, e.LastStep)
	}
	slices.SortFunc(stretches, func(a, b stretch) int {
		return cmp.Or(a.first-b.first, strings.Compare(a.kind, b.kind))
	})
	var parts []string
	for _, s := range stretches {
		parts = append(parts, fmt.Sprintf("%s at %d–%d", s.kind, s.first, s.last))
	}
	return strings.Join(parts, ", ")
}

// MarkedVerdict returns a verdict for people, with what the run recovered from.
func MarkedVerdict(verdict, recovered string) string {
	if recovered == "" {
		return verdict
	}
	return verdict + " (recovered from " + recovered + ")"
}
