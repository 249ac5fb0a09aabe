// Package incident describes how one run collapsed, or nearly: the steps around the
// onset, which rule spoke first, what the other series did, which terms and positions took
// over, and what the nearest healthy run had set otherwise. It reads logs and writes nothing.
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

// Run is a run that collapsed or recovered, as its files have it.
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

// Page is all that is told of an incident.
type Page struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Verdict is the run's, and Recovered what a healthy one came back from.
	Verdict   string `json:"verdict"`
	Recovered string `json:"recovered"`
	// Onset is the episode that the page is about: the one that names the verdict, or the
	// first that a healthy run came back from.
	Onset event.Episode `json:"onset"`
	// Episodes are all that the detectors reported, in the order of their first steps.
	Episodes []event.Episode `json:"episodes"`
	// Steps are those around the onset, and Curves the series at them.
	Steps  []int   `json:"steps"`
	Curves []Curve `json:"curves"`
	// Moved are the series that changed most from before the onset to behind it.
	Moved []Moved `json:"moved"`
	// Looks are the steps around the onset at which the probe set was looked at, Figures its
	// series at them, and Terms its heaviest terms.
	Looks   []int          `json:"looks"`
	Figures []Curve        `json:"figures"`
	Terms   []event.Probed `json:"terms"`
	// Nearest is the healthy run with the fewest other settings; nil where there is none.
	Nearest *Nearest `json:"nearest"`
	// Notes say what the page lacks, and why.
	Notes []string `json:"notes"`
}

// Curve is a series at some steps; nil where it has no point.
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

// Check says whether a run has an incident: the error wraps ErrNone where it has none.
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

// Of describes a run's incident. The error wraps ErrNone where it has none.
func Of(run Run, healthy []Other) (Page, error) {
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
	page.looks(log)
	if page.Nearest == nil {
		page.Notes = append(page.Notes, "no healthy run of the workspace to compare settings with")
	}
	return page, nil
}

// onsetOf is the episode that a page is about.
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

// nearest is the healthy run that differs in the fewest settings that matter, of equal
// ones one of the same backbone, then the first by label.
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
