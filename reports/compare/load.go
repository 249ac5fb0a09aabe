package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"headroom/internal/parallel"
	"headroom/metrics/event"
	"headroom/metrics/outline"
	"headroom/metrics/store"
)

// ErrNoSweep is returned when the store has no sweep of a name.
var ErrNoSweep = errors.New("no such sweep in this workspace")

// LoadScores reads a sweep from the store: its members and its baselines, without the curves, which only figures need.
// They are most of what there is to read.
func LoadScores(ctx context.Context, st *store.Store, sweep string) (*Input, error) {
	if _, err := find(ctx, st, sweep); err != nil {
		return nil, err
	}
	runs, err := st.Runs(ctx, sweep)
	if err != nil {
		return nil, err
	}
	return loadRuns(ctx, st, store.Scope{Sweep: sweep}, runs, false)
}

// LoadRuns reads some of a sweep's runs with their curves, and the baselines BM25 and the untrained models with
// the backbones and forms of these runs. It includes superseded results if scope asks for them.
func LoadRuns(ctx context.Context, st *store.Store, scope store.Scope, runs []store.Run) (*Input, error) {
	return loadRuns(ctx, st, scope, runs, true)
}

func loadRuns(ctx context.Context, st *store.Store, scope store.Scope, runs []store.Run, withCurves bool) (*Input, error) {
	in, err := find(ctx, st, scope.Sweep)
	if err != nil {
		return nil, err
	}
	in.Superseded = scope.Superseded
	asked, err := st.Collections(ctx, scope.Sweep)
	if err != nil {
		return nil, err
	}
	in.Runs = make([]Run, len(runs))
	faults := make([]error, len(runs))
	parallel.For(len(runs), runtime.GOMAXPROCS(0), func(i int) {
		if in.Runs[i], faults[i] = loadRun(ctx, st, scope, asked, runs[i], withCurves); faults[i] != nil {
			faults[i] = fmt.Errorf("load run %q: %w", runs[i].Label, faults[i])
		}
	})
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	baselines, err := st.Baselines(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, b := range baselines {
		if b.Backbone != "" && len(runs) > 0 && !slices.ContainsFunc(in.Runs, func(r Run) bool {
			return r.Backbone == b.Backbone && (b.Encoding == nil || *b.Encoding == r.Encoding)
		}) {
			continue
		}
		e, err := loadEvaluation(ctx, st, b)
		if err != nil {
			return nil, fmt.Errorf("load baseline %q on %q: %w", b.Name, b.Dataset, err)
		}
		in.Baselines = append(in.Baselines, Baseline{Name: b.Name, Backbone: b.Backbone, Encoding: b.Encoding, Evaluation: e})
	}
	return in, nil
}

// testedSeries is the series with the number of dev queries that are test queries.
func testedSeries() string { return event.DevSeries("", "tested") }

func find(ctx context.Context, st *store.Store, sweep string) (*Input, error) {
	all, err := st.Sweeps(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all {
		if s.Name == sweep {
			return &Input{Sweep: s.Name, Question: s.Question, Revision: s.Revision}, nil
		}
		names = append(names, s.Name)
	}
	known := "it has none"
	if len(names) > 0 {
		known = "it has " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("load sweep %q: %w (%s)", sweep, ErrNoSweep, known)
}

func loadRun(ctx context.Context, st *store.Store, scope store.Scope, asked []store.Collection, r store.Run, withCurves bool) (Run, error) {
	run := Run{ID: r.Run, Label: r.Label, Backbone: r.Backbone, Rescale: r.Rescale, Seed: r.Seed, State: r.State,
		Verdict: r.Verdict, Recovered: r.Recovered, Step: r.Step, Error: r.Error, Series: map[string]outline.Curve{}}
	if r.Selected != nil {
		run.Selected = r.Selected.Step
	}
	if r.Standing != store.FromFile {
		run.Beside = r.Standing
		if r.AddedBy != "" {
			run.Beside += ": " + r.AddedBy
		}
	}
	run.Label = cmp.Or(run.Label, run.Short())
	if r.Facts.Loss == "infonce" {
		run.Candidates = r.Facts.Candidates
	}
	if len(r.Config) > 0 {
		settings, err := ParseSettings(r.Config)
		if err != nil {
			return run, err
		}
		run.Config = settings
		if err := nameCollections(run.Config, asked); err != nil {
			return run, err
		}
		if run.Encoding, err = encodingOf(r.Config); err != nil {
			return run, err
		}
	}
	if measures := listed(run.Setting("evaluate.measures")); len(measures) > 0 {
		dev := event.DevSeries("", measures[0])
		series, err := st.Series(ctx, r.Run, dev, testedSeries())
		if err != nil {
			return run, err
		}
		if s, ok := series[testedSeries()]; ok {
			run.DevTested = int(s.Values[len(s.Values)-1])
		}
		if s, ok := series[dev]; ok {
			run.Dev, run.DevMeasure = s, measures[0]
		}
	}
	if withCurves {
		var err error
		if run.Series, err = st.Outlines(ctx, r.Run); err != nil {
			return run, err
		}
	}
	norms, err := st.HeadNorms(ctx, r.Run)
	if err != nil {
		return run, err
	}
	for _, n := range norms {
		run.HeadNorms = append(run.HeadNorms, HeadNorm{Step: n.Step, Mean: float64(n.Mean), P05: float64(n.P05), P50: float64(n.P50), P95: float64(n.P95), Max: float64(n.Max)})
	}
	episodes, err := st.Episodes(ctx, r.Run)
	if err != nil {
		return run, err
	}
	for _, e := range episodes {
		episode := Episode{Kind: e.Verdict, Severity: e.Severity, Series: e.Evidence.Series, Rule: e.Evidence.Rule,
			FirstStep: e.FirstStep, LastStep: e.LastStep, Stands: e.Stands, Loss: math.NaN()}
		if withCurves && e.Severity == event.SeverityCollapse {
			if episode.Loss, err = st.ValueAt(ctx, r.Run, "loss", e.FirstStep); err != nil {
				return run, err
			}
		}
		for _, o := range e.Evidence.Observed {
			episode.Observed.Steps = append(episode.Observed.Steps, o.Step)
			episode.Observed.Values = append(episode.Observed.Values, float64(o.Value))
		}
		run.Episodes = append(run.Episodes, episode)
	}
	evaluations, err := st.Evaluations(ctx, r.Run, scope)
	if err != nil {
		return run, err
	}
	for _, e := range evaluations {
		loaded, err := loadEvaluation(ctx, st, e)
		if err != nil {
			return run, err
		}
		run.Evaluations = append(run.Evaluations, loaded)
	}
	return run, nil
}

func loadEvaluation(ctx context.Context, st *store.Store, e store.Evaluation) (Evaluation, error) {
	values, err := st.QueryScores(ctx, e.ID)
	if err != nil {
		return Evaluation{}, err
	}
	dropNonFinite(values)
	cuts, err := st.Curve(ctx, e.ID)
	if err != nil {
		return Evaluation{}, err
	}
	var curve []CurvePoint
	for _, c := range cuts {
		dropNonFinite(c.PerQuery)
		curve = append(curve, CurvePoint{Side: c.Side, Terms: c.Terms, Measures: c.Measures,
			ActiveQuery: c.ActiveQuery, ActiveDocument: c.ActiveDocument, Flops: c.Flops, PerQuery: c.PerQuery})
	}
	return Evaluation{ID: e.ID, Dataset: e.Dataset, Split: e.Split, QrelsDigest: e.Collection, Queries: e.Queries, Documents: e.Documents,
		Measures: e.Measures, ActiveQuery: e.ActiveQuery, ActiveDocument: e.ActiveDocument, Flops: e.Flops, TieShare: e.TieShare, PerQuery: values, Curve: curve}, nil
}

// dropNonFinite drops values that are not numbers and so cannot be paired: such a query counts
// as not answered.
func dropNonFinite(values map[string]map[string]float64) {
	for _, byQuery := range values {
		for q, v := range byQuery {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				delete(byQuery, q)
			}
		}
	}
}
