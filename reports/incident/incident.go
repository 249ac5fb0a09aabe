// Package incident describes how a run collapsed, or collapsed and recovered: the steps around
// the onset, the first rule that fired, the other series, the terms and positions that
// dominated, and the settings that differ in the nearest healthy run. It reads logs and writes
// nothing.
package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

// ErrNone is returned when a run never collapsed, or is not judged yet.
var ErrNone = errors.New("no incident")

// Run is a run that collapsed or recovered, from its files.
type Run struct {
	ID, Label string
	// Folder has the logs.
	Folder   string
	Verdict  string
	Episodes []event.Episode
	Config   sweeps.RunConfig
}

// Other is a healthy run to compare settings with.
type Other struct {
	ID, Label string
	Config    sweeps.RunConfig
}

// Page is the description of an incident.
type Page struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Verdict is the run's verdict; Recovered names the collapses from which a healthy run recovered.
	Verdict   string `json:"verdict"`
	Recovered string `json:"recovered"`
	// Onset is the episode of the page: the one that gives the verdict, or the first from which a
	// healthy run recovered.
	Onset event.Episode `json:"onset"`
	// Episodes are all that the detectors reported, in the order of their first steps.
	Episodes []event.Episode `json:"episodes"`
	// Steps are the steps around the onset; Curves are the series at these steps.
	Steps  []int   `json:"steps"`
	Curves []Curve `json:"curves"`
	// Moved are the series that changed most at the onset.
	Moved []Moved `json:"moved"`
	// Looks are the steps around the onset at which the probe set was encoded; Figures are its
	// series at these steps, and Terms its heaviest terms.
	Looks   []int          `json:"looks"`
	Figures []Curve        `json:"figures"`
	Terms   []event.Probed `json:"terms"`
	// Nearest is the healthy run with the fewest differing settings; nil if there is none.
	Nearest *Nearest `json:"nearest"`
	// Notes name the parts that the page lacks, and why.
	Notes []string `json:"notes"`
}

// Curve is a series at some steps; nil if it has no point.
type Curve struct {
	Name   string         `json:"name"`
	Values []*event.Value `json:"values"`
}

// Nearest is the settings in which a healthy run differs: A is the incident's.
type Nearest struct {
	ID      string          `json:"id"`
	Label   string          `json:"label"`
	Changes []sweeps.Change `json:"changes"`
}

// Check returns an error that wraps ErrNone for a run without an incident.
func Check(run Run) error {
	switch _, ok := onsetOf(run); {
	case ok:
		return nil
	case run.Verdict == "":
		return fmt.Errorf("run %q: %w: it has no verdict yet", run.Label, ErrNone)
	default:
		return fmt.Errorf("run %q: %w: it is %s and no collapse was seen in it", run.Label, ErrNone, run.Verdict)
	}
}

// PageOf describes a run's incident. The error wraps ErrNone if it has none.
func PageOf(run Run, healthy []Other) (Page, error) {
	if err := Check(run); err != nil {
		return Page{}, err
	}
	onset, _ := onsetOf(run)
	page := Page{ID: run.ID, Label: run.Label, Verdict: run.Verdict, Recovered: stability.Recovered(run.Verdict, run.Episodes), Onset: onset,
		Episodes: slices.Clone(run.Episodes), Nearest: nearest(run, healthy), Notes: []string{}}
	slices.SortStableFunc(page.Episodes, func(a, b event.Episode) int { return a.FirstStep - b.FirstStep })
	log, err := read(run.Folder)
	if err != nil {
		return page, fmt.Errorf("read incident of run %q: %w", run.Label, err)
	}
	page.steps(log)
	page.moved(log)
	page.addLooks(log)
	if page.Nearest == nil {
		page.Notes = append(page.Notes, "no healthy run of the workspace to compare settings with")
	}
	return page, nil
}

// onsetOf is the episode for a page.
func onsetOf(run Run) (event.Episode, bool) {
	var found []event.Episode
	for _, e := range run.Episodes {
		if e.Severity != event.SeverityCollapse {
			continue
		}
		if run.Verdict == stability.Healthy || e.Verdict == run.Verdict && e.Stands {
			found = append(found, e)
		}
	}
	if len(found) == 0 || run.Verdict == "" {
		return event.Episode{}, false
	}
	return slices.MinFunc(found, func(a, b event.Episode) int { return a.FirstStep - b.FirstStep }), true
}

// nearest is the healthy run that differs in the fewest settings that matter. Among equals it
// prefers one of the same backbone, then the first by label.
func nearest(run Run, healthy []Other) *Nearest {
	var best *Nearest
	distance := func(n *Nearest) int {
		d := 2 * len(n.Changes)
		for _, c := range n.Changes {
			if c.Key == "model.backbone" {
				d++
			}
		}
		return d
	}
	for _, other := range healthy {
		n := &Nearest{ID: other.ID, Label: other.Label, Changes: []sweeps.Change{}}
		for _, c := range sweeps.Diff(run.Config, other.Config) {
			if c.Semantic {
				n.Changes = append(n.Changes, c)
			}
		}
		if other.ID == run.ID {
			continue
		}
		if best == nil || cmp.Or(distance(n)-distance(best), strings.Compare(n.Label, best.Label)) < 0 {
			best = n
		}
	}
	return best
}
