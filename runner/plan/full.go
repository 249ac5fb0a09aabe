package plan

import (
	"fmt"
	"slices"
	"strings"

	"headroom/internal/nouns"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/sweeps"
)

// Full is the second stage of a sweep for one backbone: only the best of its points is
// measured on the collections of evaluate.full.
type Full struct {
	Backbone string `json:"backbone"`
	// State is "waits" until every run of the backbone is finished, then "chosen", or
	// "none" if no point can be compared.
	State string `json:"state"`
	Why   string `json:"why"`
	// Point is the label of the chosen point, from its first run; Runs are the runs of all its seeds.
	Point string      `json:"point"`
	Runs  []sweeps.ID `json:"runs"`
	// Measure names the measure of the choice; Value is its mean over seeds and evaluate.during.
	Measure string   `json:"measure"`
	Value   *float64 `json:"value"`
	// Collections are the collections of evaluate.full.
	Collections []string `json:"collections"`
	// Seconds is the predicted work of the stage; null if nothing is known.
	Seconds *float64 `json:"seconds_predicted"`
}

// The states of the second stage.
const (
	FullWaits  = "waits"
	FullChosen = "chosen"
	FullNone   = "none"
)

// candidate is a point: runs that differ in their seed alone.
type candidate struct {
	runs  []int // in plan.Runs
	value float64
	known bool
}

// full chooses the best point of each backbone by dev data, and adds the collections of
// evaluate.full to its runs. It does not choose for a part of a sweep: the best point may be
// in the other part.
func (m *maker) full() {
	var order []string
	of := map[string][]int{}
	for i, run := range m.plan.Runs {
		if len(run.Config.Evaluate.Full) == 0 {
			continue
		}
		name := run.Config.Model.Backbone
		if of[name] == nil {
			order = append(order, name)
		}
		of[name] = append(of[name], i)
	}
	for _, name := range order {
		first := m.plan.Runs[of[name][0]].Config.Evaluate
		f := Full{Backbone: name, Runs: []sweeps.ID{}, Collections: first.Full}
		if main, err := measure.Parse(first.Measures[0]); err == nil {
			f.Measure = main.String()
		}
		m.choose(&f, of[name])
		m.plan.Full = append(m.plan.Full, f)
	}
}

func (m *maker) choose(f *Full, runs []int) {
	open := 0
	for _, i := range runs {
		if !m.plan.Runs[i].State.Finished() {
			open++
		}
	}
	switch {
	case len(m.Only) > 0:
		f.State, f.Why = FullWaits, "--only: the best point is chosen among all runs of the sweep"
		return
	case open > 0:
		f.State, f.Why = FullWaits, fmt.Sprintf("%s before the best point by dev data is known", nouns.CountOf(open, "run is to be finished", "runs are to be finished"))
		return
	}
	best, unknown := candidate{}, 0
	for _, c := range m.candidates(runs) {
		m.readDevFigures(&c, f.Measure)
		if !c.known {
			unknown++
		} else if !best.known || c.value > best.value {
			best = c
		}
	}
	if !best.known {
		f.State, f.Why = FullNone, "no point has dev figures in every seed"
		return
	}
	f.State, f.Value, f.Point = FullChosen, &best.value, m.plan.Runs[best.runs[0]].Label
	f.Why = fmt.Sprintf("greatest mean %s on dev data of %s", f.Measure, nouns.CountOf(len(m.candidates(runs))-unknown, "point", "points"))
	if unknown > 0 {
		f.Why += fmt.Sprintf("; %s no dev figures in every seed", nouns.CountOf(unknown, "another has", "others have"))
	}
	for _, i := range best.runs {
		run := &m.plan.Runs[i]
		f.Runs = append(f.Runs, run.ID)
		for _, ref := range f.Collections {
			if !slices.Contains(run.Config.Evaluate.Final, ref) {
				run.Config.Evaluate.Final = append(slices.Clone(run.Config.Evaluate.Final), ref)
				m.evaluation(run, "evaluate.full", ref, FinalSplit)
			}
		}
	}
}

// candidates groups runs by everything but the seed.
func (m *maker) candidates(runs []int) []candidate {
	var list []candidate
	at := map[sweeps.ID]int{}
	for _, i := range runs {
		c := m.plan.Runs[i].Config
		c.Seed = 0
		key := m.Semantics.RunID(c, m.plan.Runs[i].Inputs)
		if _, known := at[key]; !known {
			at[key] = len(list)
			list = append(list, candidate{})
		}
		list[at[key]].runs = append(list[at[key]].runs, i)
	}
	return list
}

// readDevFigures reads the dev figures of a point. A point that lacks one in any seed or collection has none.
func (m *maker) readDevFigures(c *candidate, name string) {
	total, n := 0.0, 0
	for _, i := range c.runs {
		run := m.plan.Runs[i]
		for _, ref := range run.Config.Evaluate.During {
			data := m.found.data("evaluate.during", ref, DuringSplit)
			if data.digest == "" {
				return
			}
			e := RunEvaluation(m.Workspace, run.ID, run.Config, ref, DuringSplit, data.digest)
			s, err := record.ReadEvaluation(e.Folder)
			if err != nil || s.Refused != "" {
				return
			}
			value, ok := s.Measures[name]
			if !ok {
				return
			}
			total += value
			n++
		}
	}
	if n > 0 {
		c.value, c.known = total/float64(n), true
	}
}

// StagesText describes the second stage of a plan in one line; "" if it has none.
func (p *Plan) StagesText() string {
	var parts []string
	var waiting []string
	for _, f := range p.Full {
		name := sweeps.BackboneName(f.Backbone)
		if f.State == FullWaits {
			waiting = append(waiting, name)
			continue
		}
		text := name + ": "
		if f.State == FullChosen {
			text += f.Point + ", "
		}
		parts = append(parts, text+f.Why)
	}
	if len(waiting) > 0 {
		parts = append(parts, "waits for the first, for "+strings.Join(waiting, ", "))
	}
	return strings.Join(parts, "; ")
}
