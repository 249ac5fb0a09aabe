package serve

import (
	"net/http"
	"slices"

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/reports/live"
	"headroom/runner/workspace"
)

// sweepPage is the page of one sweep.
type sweepPage struct {
	shown
	Sweep      *live.Sweep
	Card       sweepCard
	Filter     filter
	Table      table
	Grid       grid
	Cost       scatter
	Alerts     []live.Alert
	MoreAlerts int
	Panel      panel
	// Runs has the commands and downloads for the shown runs.
	States, Verdicts []tally
}

func (s *Server) sweep(r *http.Request, base shown) (anyPage, error) {
	return s.sweepOf(r.PathValue("name"), base)
}

func (s *Server) sweepOf(name string, base shown) (anyPage, error) {
	sweep := base.Snapshot.Sweep(name)
	if sweep == nil {
		base.page, base.Code, base.Title = "nothing", http.StatusNotFound, "no such sweep · headroom"
		return &message{base, "There is no sweep of this name in the workspace. It appears when `headroom run` has written it."}, nil
	}
	base.page, base.Title = "sweep", sweep.Name+" · headroom"
	base.Live = liveAddress("/api/live", base.V)
	p := &sweepPage{shown: base, Sweep: sweep, Card: s.card(base.Place, base.Snapshot, sweep), Filter: filterOf(base.V), Table: makeTable(base.V, sweep)}
	for _, list := range []struct {
		parameter string
		from      []tally
		to        *[]tally
	}{{"state", p.Card.States, &p.States}, {"verdict", p.Card.Verdicts, &p.Verdicts}} {
		for _, t := range list.from {
			t.Link = base.V.With(list.parameter, t.Word)
			if base.V.get(list.parameter) == t.Word {
				t.Link = base.V.With(list.parameter, "")
			}
			*list.to = append(*list.to, t)
		}
	}
	p.Grid = makeGrid(base.V, sweep)
	p.Cost = s.costs(base, sweep)
	for _, a := range base.Snapshot.Alerts {
		if a.Sweep == sweep.Name {
			p.Alerts = append(p.Alerts, a)
		}
	}
	if len(p.Alerts) > shownAlerts && !base.V.is("all") {
		p.MoreAlerts = len(p.Alerts) - shownAlerts
		p.Alerts = p.Alerts[:shownAlerts]
	}
	p.Panel = s.panel(base, drawnOf(base.V, sweep), sweep.Seeds, []string{"loss", "active/document"})
	return p, nil
}

// drawn is a curve of a page: a run, or runs that differ in their seed.
type drawn struct {
	ID, Label string
	Runs      []*live.Run
}

// mostDrawn is the greatest number of curves that a page draws by default, mostAsked the
// greatest number on request.
const (
	mostDrawn = 8
	mostAsked = 40
)

// banded reports whether runs that differ in their seed are drawn as one.
func banded(v view, sweep *live.Sweep) bool { return sweep.Seeds && v.get("band") != "0" }

// drawnOf returns the curves of an address. If it names none, running and collapsed runs
// come first.
func drawnOf(v view, sweep *live.Sweep) []drawn {
	f, chosen := filterOf(v), chosenRuns(v)
	var runs []*live.Run
	for _, r := range sweep.Runs {
		if r.Attempts > 0 && f.keeps(r) && (len(chosen) == 0 || chosen[r.Run.Run]) {
			runs = append(runs, r)
		}
	}
	groups := groupRuns(runs, banded(v, sweep))
	most := mostAsked
	if len(chosen) == 0 {
		most = mostDrawn
		rank := func(g []*live.Run) int {
			switch {
			case slices.ContainsFunc(g, func(r *live.Run) bool { return r.State == record.StateRunning }):
				return 0
			case slices.ContainsFunc(g, func(r *live.Run) bool { return r.Collapsed() != "" || r.State == record.StateFailed }):
				return 1
			}
			return 2
		}
		order := slices.Clone(groups)
		slices.SortStableFunc(order, func(a, b []*live.Run) int { return rank(a) - rank(b) })
		kept := order[:min(most, len(order))]
		groups = slices.DeleteFunc(groups, func(g []*live.Run) bool {
			return !slices.ContainsFunc(kept, func(k []*live.Run) bool { return k[0] == g[0] })
		})
	}
	var out []drawn
	for _, g := range groups[:min(most, len(groups))] {
		d := drawn{ID: g[0].Run.Run, Label: g[0].Label, Runs: g}
		if len(g) > 1 {
			d.Label = groupLabel(sweep, g[0])
		}
		out = append(out, d)
	}
	return out
}

// panel describes the curves of a page, which the script draws.
type panel struct {
	Source  string // address of their points
	Curves  []drawn
	Series  []choice
	Log     choice
	Band    choice
	Bands   bool // whether there are bands
	Smooth  []choice
	Zoomed  string // the address that ends a zoom; "" if there is none
	CSV     string
	SVG     string
	Nothing string // why there is no curve
}

// maxSeries is the greatest number of panels.
const maxSeries = 8

func seriesOf(v view, usual []string) []string {
	names := v.list("series")
	if len(names) == 0 {
		names = usual
	}
	return names[:min(len(names), maxSeries)]
}

// usual returns the series of a page whose address names none.
func (s *Server) panel(base shown, curves []drawn, bands bool, usual []string) panel {
	if base.forNews {
		return panel{}
	}
	v := base.V
	p := panel{Source: liveAddress("/api/curves", v), Curves: curves, Bands: bands}
	if len(curves) == 0 {
		p.Nothing = "No run that is shown has begun: curves appear with the first steps."
		return p
	}
	on := seriesOf(v, usual)
	var names []string
	err := base.Place.Watcher.Read(func(_ workspace.Workspace, st *store.Store) (err error) {
		names, err = st.SeriesNames(s.stop, curves[0].ID)
		return err
	})
	if err != nil {
		p.Nothing = "Curves cannot be read now: " + err.Error()
	}
	for _, name := range on {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		var next []string
		shows := slices.Contains(on, name)
		for _, other := range on {
			if other != name {
				next = append(next, other)
			}
		}
		if !shows {
			next = append(slices.Clone(on), name)
		}
		p.Series = append(p.Series, choice{Name: name, Title: name, On: shows, Link: v.With("series", join(next))})
	}
	toggle := func(name, title string, usual bool) choice {
		isOn := v.is(name) || usual && v.get(name) != "0"
		value := "1"
		if isOn {
			value = ""
			if usual {
				value = "0"
			}
		} else if usual {
			value = ""
		}
		return choice{Name: name, Title: title, On: isOn, Link: v.With(name, value)}
	}
	p.Log, p.Band = toggle("log", "log axis", false), toggle("band", "seed bands", true)
	for _, amount := range []string{"", "0.8", "0.95", "0.99"} {
		title := amount
		if amount == "" {
			title = "raw"
		}
		p.Smooth = append(p.Smooth, choice{Name: amount, Title: title, On: v.get("smooth") == amount, Link: v.With("smooth", amount)})
	}
	if v.get("from") != "" || v.get("to") != "" {
		p.Zoomed = v.With2("from", "", "to", "")
	}
	p.CSV, p.SVG = liveAddress("/download/curves.csv", v), liveAddress("/download/curves.svg", v)
	return p
}

func join(list []string) string {
	out := ""
	for i, one := range list {
		if i > 0 {
			out += ","
		}
		out += one
	}
	return out
}

// liveAddress returns the address of a page's stream or points.
func liveAddress(path string, v view) string {
	return view{path: path}.With("page", v.String())
}

// Filtered reports whether the address shows a part of the runs.
func (p *sweepPage) Filtered() bool {
	return p.V.get("only")+p.V.get("state")+p.V.get("verdict") != ""
}

// Unfiltered returns the address of all runs.
func (p *sweepPage) Unfiltered() string { return p.V.without("only", "state", "verdict") }

// Chosen reports whether runs are chosen; Unchosen returns the address without them.
func (p *sweepPage) Chosen() bool     { return len(p.V.values["run"]) > 0 }
func (p *sweepPage) Unchosen() string { return p.V.without("run") }

// RunsCSV returns the address of the table as a file.
func (p *sweepPage) RunsCSV() string { return liveAddress("/download/runs.csv", p.V) }

// StatusCommand returns the command that shows the same in a terminal.
func (p *sweepPage) StatusCommand() string {
	return p.Prefix() + " status " + quote(p.Sweep.Name) + " --watch"
}
