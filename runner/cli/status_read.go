package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"headroom/internal/alike"
	"headroom/internal/parallel"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

func (a *app) readStatus(ctx context.Context, w workspace.Workspace, names []string, shown members, withSuperseded bool, curves *statusCurves) (statusDocument, error) {
	document := statusDocument{Schema: schema, Runs: []statusRun{}, Lacking: []lackingRuns{}, withSuperseded: withSuperseded}
	s, err := a.openStore(ctx, w)
	if err != nil {
		return document, err
	}
	defer s.Close()
	found := 0
	for _, name := range names {
		chosen, err := chooseRuns(ctx, s, name, shown)
		if err != nil {
			return document, err
		}
		found += chosen.of
		document.Former += chosen.former
		rows, err := a.statusRuns(ctx, w, s, name, chosen.runs)
		if err != nil {
			return document, err
		}
		document.Runs = append(document.Runs, rows...)
		missing, err := runsWithGaps(ctx, s, name, chosen.runs)
		if err != nil {
			return document, err
		}
		document.Lacking = append(document.Lacking, missing...)
		if withSuperseded {
			old, err := supersededOf(ctx, s, name, chosen.runs)
			if err != nil {
				return document, err
			}
			document.Superseded = append(document.Superseded, old...)
		}
	}
	if err := curves.add(ctx, s, document.Runs); err != nil {
		return document, err
	}
	if err := a.onCluster(ctx, w, names, &document); err != nil {
		return document, err
	}
	if found > 0 && len(document.Runs) == 0 && len(shown.words) > 0 {
		return document, shown.errNoneShown(strings.Join(names, ", "), found)
	}
	return document, nil
}

// statusRuns adds to runs of the store what the store does not know. A run's lease shows
// whether a process works on it.
func (a *app) statusRuns(ctx context.Context, w workspace.Workspace, s *store.Store, name string, stored []store.Run) ([]statusRun, error) {
	runs := make([]statusRun, 0, len(stored))
	var damaged []string
	configs, err := configsOf(stored)
	if err != nil {
		return nil, err
	}
	settings := sweeps.Variations(configs)
	collections, err := s.Collections(ctx, name)
	if err != nil {
		return nil, err
	}
	resolver, err := a.resolver("")
	if err != nil {
		return nil, err
	}
	evaluations, err := s.EvaluationsOfRuns(ctx, store.Scope{Sweep: name})
	if err != nil {
		return nil, err
	}
	faults := make([]error, len(stored))
	parallel.For(len(stored), runtime.GOMAXPROCS(0), func(i int) {
		if stored[i].State == record.StateDone {
			faults[i] = runDamage(resolver, w, stored[i].Run)
		}
	})
	for i, r := range stored {
		run := statusRun{ID: r.Run, Label: r.Label, Sweep: name, Standing: r.Standing, Added: r.AddedBy,
			State: r.State, Recovered: r.Recovered, Step: r.Step + 1, Steps: r.Steps, Seconds: r.Seconds, settings: settings[i]}
		if run.Steps == 0 {
			run.Steps = stepsOf(r.Config)
		}
		if r.Verdict != "" {
			run.Verdict = &r.Verdict
		}
		if r.Selected != nil {
			run.Selected = &r.Selected.Step
		}
		if run.Dev, err = readDev(ctx, s, r); err != nil {
			return nil, err
		}
		if run.Score, err = mainScore(evaluations[r.Run], collections, configs[i]); err != nil {
			return nil, fmt.Errorf("run %q: %w", r.Run, err)
		}
		if run.State == record.StateDone {
			if err := faults[i]; err != nil {
				run.State, run.Why = string(plan.Damaged), err.Error()
				damaged = append(damaged, fmt.Sprintf("%q is damaged: %v; `headroom run` of its sweep makes it again", run.Label, err))
			}
		}
		if run.State != record.StateDone && run.State != string(plan.Damaged) {
			switch holder := a.holder(w.Run(r.Run)); {
			case holder != "":
				run.State = record.StateRunning
				run.ETA = eta(run)
			case run.State == record.StateRunning:
				run.State = record.StateInterrupted // its process has ended
			}
		}
		runs = append(runs, run)
	}
	a.notes(alike.Lines(damaged))
	return runs, nil
}

// mainScore reads a run's main measure on the first collection of its sweep, nil if it
// is not measured there.
func mainScore(evaluations []store.Evaluation, collections []store.Collection, c sweeps.RunConfig) (*runScore, error) {
	measures, err := measure.ParseAll(c.Evaluate.Measures)
	if err != nil {
		return nil, fmt.Errorf("read measures: %w", err)
	}
	main, ok := measure.Main(measures)
	first := slices.IndexFunc(collections, func(c store.Collection) bool { return c.Split == record.FinalSplit })
	if !ok || first < 0 {
		return nil, nil
	}
	for _, e := range evaluations {
		value, measured := e.Measures[main.String()]
		if e.Collection == collections[first].Digest && e.Split == record.FinalSplit && measured && !math.IsNaN(value) {
			return &runScore{main.String(), e.Dataset, value}, nil
		}
	}
	return nil, nil
}

// configsOf reads the configurations of runs.
func configsOf(stored []store.Run) ([]sweeps.RunConfig, error) {
	configs := make([]sweeps.RunConfig, len(stored))
	for i, r := range stored {
		if err := json.Unmarshal(r.Config, &configs[i]); err != nil {
			return nil, fmt.Errorf("read run %q: %w", r.Run, err)
		}
	}
	return configs, nil
}

// stepsOf reads a run's number of steps from its configuration, 0 if that has none.
func stepsOf(config json.RawMessage) int {
	var c struct {
		Train struct {
			Steps int `json:"steps"`
		} `json:"train"`
	}
	if json.Unmarshal(config, &c) != nil {
		return 0
	}
	return c.Train.Steps
}

// eta extrapolates the run's own time.
func eta(run statusRun) *float64 {
	if run.Step == 0 || run.Seconds <= 0 {
		return nil
	}
	left := run.Seconds * float64(run.Steps-run.Step) / float64(run.Step)
	return &left
}

func settled(d statusDocument) bool {
	over := []string{record.StateDone, record.StateFailed, string(plan.Damaged)}
	return !slices.ContainsFunc(d.Runs, func(r statusRun) bool { return !slices.Contains(over, r.State) })
}
