package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// planFile plans a sweep's file without overrides. It returns nil if the file is not
// valid without them, because it lacks a key for example.
func (a *app) planFile(ctx context.Context, text string, s sweepRef) (*plan.Plan, error) {
	if len(s.spec.Overridden()) == 0 {
		return a.planSweep(ctx, s, nil)
	}
	bare, err := a.openSweep(text, nil)
	if err == nil {
		var p *plan.Plan
		if p, err = a.planSweep(ctx, bare, nil); err == nil {
			return p, nil
		}
	}
	if ctx.Err() != nil {
		return nil, err
	}
	return nil, nil
}

// newManifest lists the runs of a sweep: the points of its file, then those that overrides
// have added, earlier and now. Points that are no longer in the file are left out; their runs
// are former runs. file is nil if the file alone is no sweep.
func (a *app) newManifest(s sweepRef, file, todo *plan.Plan) (record.Manifest, error) {
	var text []byte
	var last record.Manifest
	w, err := a.openWorkspace()
	if err == nil {
		_, text, last, err = w.Sweep(s.spec.Name)
	}
	if err != nil && !errors.Is(err, workspace.ErrNone) && !errors.Is(err, fs.ErrNotExist) {
		return last, err
	}
	m := gathered{known: map[string]bool{}, Manifest: record.Manifest{
		Sweep: s.spec.Name, Question: s.spec.Question, Base: s.base,
		Runs: []record.ManifestRun{}, Baselines: []record.ManifestBaseline{},
	}}
	if file != nil {
		if err := m.addPlan(file, nil); err != nil {
			return m.Manifest, err
		}
	}
	// An unchanged file has the same points as before, also those that cannot be identified
	// just now.
	if bytes.Equal(text, s.spec.Text) && last.Base == s.base && (file == nil || hasUnknown(file)) {
		m.addLast(last, false)
	}
	m.addLast(last, true)
	err = m.addPlan(todo, s.spec.Overridden())
	return m.Manifest, err
}

// gathered is an unfinished manifest; known has the ids that are in it.
type gathered struct {
	record.Manifest
	known map[string]bool
}

// addLast adds runs and baselines of the last revision that are missing: those that overrides
// had added, or those of the file.
func (m *gathered) addLast(last record.Manifest, added bool) {
	for _, run := range last.Runs {
		if len(run.Added) == 0 && len(last.Overrides) > 0 {
			run.Added = last.Overrides
		}
		if (len(run.Added) > 0) == added {
			m.addRun(run)
		}
	}
	for _, b := range last.Baselines {
		b.Added = b.Added || len(last.Overrides) > 0
		if b.Added == added {
			m.addBaseline(b)
		}
	}
}

// addPlan adds the runs and baselines of a plan whose identity is known.
func (m *gathered) addPlan(p *plan.Plan, overrides []string) error {
	for _, run := range p.Runs {
		if run.ID == "" {
			continue
		}
		config, err := run.Config.JSON()
		if err != nil {
			return err
		}
		var rescale any = run.Config.Model.Rescale.K
		if auto := run.Config.Model.Rescale.Auto; auto != "" {
			rescale = auto
		}
		k, err := json.Marshal(rescale)
		if err != nil {
			return err
		}
		m.addRun(record.ManifestRun{
			Run: string(run.ID), Label: run.Label, Backbone: run.Config.Model.Backbone,
			Rescale: k, Seed: run.Config.Seed, Config: config, Added: overrides,
		})
	}
	for _, e := range p.Evaluations {
		if e.Name != "" && e.ID != "" {
			m.addBaseline(record.ManifestBaseline{ID: e.ID, Encoder: e.Encoder, Dataset: e.Dataset, Name: e.Name, Backbone: e.Backbone, Added: len(overrides) > 0})
		}
	}
	return nil
}

func (m *gathered) addRun(run record.ManifestRun) {
	if !m.known[run.Run] {
		m.known[run.Run] = true
		m.Runs = append(m.Runs, run)
	}
}

func (m *gathered) addBaseline(baseline record.ManifestBaseline) {
	if !m.known[baseline.ID] {
		m.known[baseline.ID] = true
		m.Baselines = append(m.Baselines, baseline)
	}
}

// hasUnknown reports whether some point of a plan has no identity yet.
func hasUnknown(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Runs, func(r plan.Run) bool { return r.ID == "" })
}

// memberOptions choose the runs of a sweep that a command shows.
type memberOptions struct {
	only []string
	all  bool
}

func (o *memberOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "show the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.all, "all", false, "show former runs too: those that only earlier revisions of the sweep have")
}

// members returns the choice of these options and of KEY=VALUE arguments, which restrict it like --only.
func (o memberOptions) members(conditions []string) (members, error) {
	words := append(slices.Clone(conditions), o.only...)
	filters, err := parseOnly(words)
	return members{words: words, filters: filters, all: o.all}, err
}

// members chooses the runs of a sweep that a command shows.
type members struct {
	words   []string // of the command line, as given
	filters []sweeps.Filter
	all     bool // former runs too
}

// errNoneShown is returned when a sweep has runs but none matches.
func (m members) errNoneShown(sweep string, runs int) error {
	return fmt.Errorf("show sweep %q: none of its %s matches %s", sweep, nouns.Count(runs, "run"), strings.Join(m.words, ", "))
}

// keepsRun reports whether a run is shown, by its configuration in the manifest.
func (m members) keepsRun(config json.RawMessage) (bool, error) {
	if len(m.filters) == 0 {
		return true, nil
	}
	var c sweeps.RunConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return false, err
	}
	for _, f := range m.filters {
		if !f.Match(c) {
			return false, nil
		}
	}
	return true, nil
}

// chosenRuns holds the runs of a sweep that are shown, in its order, former runs last.
type chosenRuns struct {
	runs []store.Run
	// former counts the former runs that are not shown.
	former, of int
}

func chooseRuns(ctx context.Context, s *store.Store, sweep string, shown members) (chosenRuns, error) {
	var c chosenRuns
	current, err := s.Runs(ctx, sweep)
	if err != nil {
		return c, err
	}
	former, err := s.FormerRuns(ctx, sweep)
	if err != nil {
		return c, err
	}
	c.of = len(current) + len(former)
	for _, r := range append(current, former...) {
		kept, err := shown.keepsRun(r.Config)
		switch {
		case err != nil:
			return c, fmt.Errorf("read run %q: %w", r.Run, err)
		case !kept:
		case r.Standing == store.Former && !shown.all:
			c.former++
		default:
			c.runs = append(c.runs, r)
		}
	}
	return c, nil
}
