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

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// planFile plans what a sweep's file says by itself. It returns nil where there are
// overrides without which the file is no sweep, such as for a key that it lacks.
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

// newManifest lists what a sweep consists of: the points of its file, then what
// overrides added, earlier and now. What the file has no longer is left out, and is a
// former run by that. file is nil where the file alone is no sweep.
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
	// A file that says what it said has the points that it had, also those that cannot
	// be identified just now.
	if bytes.Equal(text, s.spec.Text) && last.Base == s.base && (file == nil || hasUnknown(file)) {
		m.addLast(last, false)
	}
	m.addLast(last, true)
	err = m.addPlan(todo, s.spec.Overridden())
	return m.Manifest, err
}

// gathered is a manifest in the making; known has the ids that are in it.
type gathered struct {
	record.Manifest
	known map[string]bool
}

// addLast adds the runs and baselines of the last revision that are not there yet: those
// that overrides had added, or those of the text.
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

// hasUnknown tells whether some point of a plan has no identity yet.
func hasUnknown(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Runs, func(r plan.Run) bool { return r.ID == "" })
}

// memberOptions say which runs of a sweep a command shows.
type memberOptions struct {
	only []string
	all  bool
}

func (o *memberOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "show the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.all, "all", false, "show former runs too: those that only earlier revisions of the sweep have")
}

// members are the options with KEY=VALUE arguments, which restrict as --only does.
func (o memberOptions) members(conditions []string) (members, error) {
	words := append(slices.Clone(conditions), o.only...)
	filters, err := parseOnly(words)
	return members{words: words, filters: filters, all: o.all}, err
}

// members are the runs of a sweep that a command shows.
type members struct {
	words   []string // of the command line, as given
	filters []sweeps.Filter
	all     bool // former runs too
}

// errNoneShown is returned when a sweep has runs and none is what was asked for.
func (m members) errNoneShown(sweep string, runs int) error {
	return fmt.Errorf("show sweep %q: none of its %s matches %s", sweep, plural(runs, "run"), strings.Join(m.words, ", "))
}

// keeps tells whether a run is shown, by the configuration that its manifest has.
func (m members) keeps(config json.RawMessage) (bool, error) {
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

// chosenRuns are the runs of a sweep that are shown, in its order, former ones last.
type chosenRuns struct {
	runs []store.Run
	// former counts the former ones that are not shown, of all that were looked at.
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
		kept, err := shown.keeps(r.Config)
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
