package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"headroom/internal/alike"
	"headroom/internal/names"
	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/metrics/store"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// endLine is the last line of `run --json`.
type endLine struct {
	Type        string      `json:"type"` // "end"
	Schema      int         `json:"schema"`
	Sweep       string      `json:"sweep"`
	Revision    string      `json:"revision"`
	Done        int         `json:"done"` // jobs of this invocation
	Failed      int         `json:"failed"`
	Interrupted int         `json:"interrupted"`
	Blocked     int         `json:"blocked"`
	Runs        []statusRun `json:"runs"`
	Former      int         `json:"former"` // runs that are no longer in the file and not among Runs
}

// finish folds the new results into the store, shows the state of the sweep, and
// returns its runs and runErr, which decides the exit code.
func (a *app) finish(ctx context.Context, w workspace.Workspace, m record.Manifest, result pool.Result, runErr error) ([]statusRun, error) {
	s, err := a.openStore(ctx, w)
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	defer s.Close()
	chosen, err := chooseRuns(ctx, s, m.Sweep, members{})
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	runs, err := a.statusRuns(ctx, w, s, m.Sweep, chosen.runs)
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	if chosen.former > 0 {
		a.note("note: %s: %s that are no longer in the file; `headroom status %s --all` shows them", m.Sweep, nouns.Count(chosen.former, "former run"), m.Sweep)
	}
	same, err := sameByAuto(chosen.runs)
	if err != nil {
		return runs, errors.Join(runErr, err)
	}
	a.notes(alike.Lines(same))
	if a.global.json {
		a.answered = true
		err = a.printLine(endLine{
			Type: "end", Schema: schema, Sweep: m.Sweep, Revision: m.Revision,
			Done: result.Count("", pool.Done), Failed: result.Count("", pool.Failed),
			Interrupted: result.Count("", pool.Interrupted), Blocked: result.Count("", pool.Blocked),
			Runs: runs, Former: chosen.former,
		})
	} else {
		err = a.printSummary(ctx, s, m.Sweep, runs)
	}
	return runs, errors.Join(runErr, err)
}

// sameByAuto finds runs whose automatic choice of k equals the k of another run, so that both
// are the same training.
func sameByAuto(runs []store.Run) ([]string, error) {
	configs, err := configsOf(runs)
	if err != nil {
		return nil, err
	}
	var found []string
	for i, r := range runs {
		for j, other := range runs {
			if r.RescaleAuto == "" || other.RescaleAuto != "" || r.Rescale != other.Rescale {
				continue
			}
			fixed := configs[i]
			fixed.Model.Rescale = configs[j].Model.Rescale
			if !slices.ContainsFunc(sweeps.Diff(fixed, configs[j]), func(c sweeps.Change) bool { return c.Semantic }) {
				found = append(found, fmt.Sprintf("%s of %q came to k = %g: it is the same training as %q, not a second answer", r.RescaleAuto, r.Label, r.Rescale, other.Label))
			}
		}
	}
	return found, nil
}

// printSummary prints nDCG@10, or else the first measure, of each run and baseline on
// each collection.
func (a *app) printSummary(ctx context.Context, s *store.Store, sweep string, runs []statusRun) error {
	t := scoreTable{values: map[[2]string]string{}}
	scope := store.Scope{Sweep: sweep}
	for _, r := range runs {
		evaluations, err := s.Evaluations(ctx, r.ID, scope)
		if err != nil {
			return err
		}
		for _, e := range evaluations {
			t.put(r.ID, e)
		}
	}
	baselines, err := s.Baselines(ctx, scope)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range baselines {
		name := baselineName(e, baselines)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		t.put(name, e)
	}
	rows := [][]string{append([]string{"run", "state", "verdict"}, t.columns...)}
	varied := slices.ContainsFunc(runs, func(r statusRun) bool { return r.settings != "" })
	if varied {
		rows[0] = append(rows[0], "settings")
	}
	for _, r := range runs {
		verdict := "-"
		if r.Verdict != nil {
			verdict = stability.MarkedVerdict(*r.Verdict, r.Recovered)
		}
		row := t.row(r.ID, r.Label, r.State, verdict)
		if varied {
			row = append(row, r.settings)
		}
		rows = append(rows, row)
	}
	for _, name := range names {
		rows = append(rows, t.row(name, name, "baseline", "-"))
	}
	return a.table(rows)
}

// baselineName gives the baselines of a sweep names that differ: by backbone, form and, if
// necessary, lengths.
func baselineName(e store.Evaluation, all []store.Evaluation) string {
	name := e.Name
	if e.Backbone != "" {
		var backbones []string
		for _, other := range all {
			backbones = append(backbones, other.Backbone)
		}
		name += " " + names.DistinctNames(backbones, sweeps.BackboneName)[e.Backbone]
	}
	if e.Encoding == nil {
		return name
	}
	if form := e.Encoding.Form(); form != "" {
		name += " (" + form + ")"
	}
	if slices.ContainsFunc(all, func(o store.Evaluation) bool {
		return o.Name == e.Name && o.Encoding != nil && (o.Encoding.MaxQuery != e.Encoding.MaxQuery || o.Encoding.MaxDocument != e.Encoding.MaxDocument)
	}) {
		name += fmt.Sprintf(" %d/%d tokens", e.Encoding.MaxQuery, e.Encoding.MaxDocument)
	}
	return name
}

// scoreTable gathers one measure per collection.
type scoreTable struct {
	columns []string // "nDCG@10 builtin:demo"
	values  map[[2]string]string
}

func (t *scoreTable) put(who string, e store.Evaluation) {
	measure := "nDCG@10"
	if _, ok := e.Measures[measure]; !ok {
		names := slices.Sorted(maps.Keys(e.Measures))
		if len(names) == 0 {
			return
		}
		measure = names[0]
	}
	column := measure + " " + e.Dataset
	if e.Split != "" && e.Split != plan.FinalSplit {
		column += "/" + e.Split
	}
	if !slices.Contains(t.columns, column) {
		t.columns = append(t.columns, column)
	}
	t.values[[2]string{who, column}] = fmt.Sprintf("%.4f", e.Measures[measure])
}

func (t *scoreTable) row(who string, first ...string) []string {
	for _, column := range t.columns {
		first = append(first, orDash(t.values[[2]string{who, column}]))
	}
	return first
}
