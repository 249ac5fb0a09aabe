package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/internal/alike"
	"headroom/internal/parallel"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type statusOptions struct {
	memberOptions
	watch      bool
	every      time.Duration
	superseded bool
}

func newStatus(a *app) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [SWEEP] [KEY=VALUE…]",
		Short: "show runs, progress, verdicts, ETA",
		Long: `Shows the runs of a sweep, or of all sweeps: the points of the file and those that
overrides have added. KEY=VALUE and --only show a part of them. Runs that are no longer
in the file are counted and, with --all, shown.`,
		Example: `  headroom status demo
  headroom status demo seed=1 --only 'model.backbone=~bert'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.status(cmd, args, o)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.superseded, "superseded", false, "also show results on former contents of collections")
	cmd.Flags().BoolVar(&o.watch, "watch", false, "show it again and again until everything is over, or until Ctrl-C; on a terminal with curves, in one window")
	cmd.Flags().DurationVar(&o.every, "every", 2*time.Second, "interval of --watch")
	return cmd
}

// statusRun is one run in the output of status.
type statusRun struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Sweep string `json:"sweep"`
	// Standing is "file" (a point of the sweep's file), "added" (by the overrides in Added)
	// or "former" (only earlier revisions have it).
	Standing string `json:"standing"`
	Added    string `json:"added"`
	State    string `json:"state"`
	// Why describes the damage; "" if there is none.
	Why     string  `json:"why,omitempty"`
	Verdict *string `json:"verdict"` // null until judged
	// Recovered names the collapses from which a healthy run recovered, and when, such as
	// "empty at 110–115"; "" for none.
	Recovered string   `json:"recovered"`
	Step      int      `json:"step"`
	Steps     int      `json:"steps"`
	Seconds   float64  `json:"seconds"`
	ETA       *float64 `json:"eta_seconds"` // of a running run; null if unknown
	// Dev is the result of evaluations during training; null if there are none yet.
	Dev *devStatus `json:"dev"`
	// Score is the main measure on the sweep's first collection; null if it is not measured.
	Score *runScore `json:"score"`
	// Selected is the step whose weights are the result, if dev data chose it; null otherwise.
	Selected *int `json:"selected_step"`

	// Cluster is its state in a cluster's queue; left out if it was never submitted.
	Cluster *clusterRun `json:"cluster,omitempty"`

	settings string    // the settings in which it differs from the sweep's other runs, for people
	curves   [2]string // those of watchedSeries, drawn if a terminal is watched
}

// runScore is one figure of a run.
type runScore struct {
	Measure string  `json:"measure"`
	Dataset string  `json:"dataset"`
	Value   float64 `json:"value"`
}

type statusDocument struct {
	Schema int         `json:"schema"`
	Runs   []statusRun `json:"runs"`
	// Former counts the former runs that are not among Runs.
	Former int `json:"former"`
	// Lacking lists collections on whose present content finished runs were not measured.
	Lacking []lackingRuns `json:"lacking"`
	// Cluster is the time that tasks of a cluster have used; left out if nothing was submitted.
	Cluster *clusterUse `json:"cluster,omitempty"`
	// Superseded is present only with --superseded.
	Superseded []supersededRow `json:"superseded,omitempty"`

	withSuperseded bool
}

func (a *app) status(cmd *cobra.Command, args []string, o statusOptions) error {
	if o.every < 100*time.Millisecond {
		return usage(cmd, fmt.Errorf("--every is %v; allowed: 100ms or more", o.every))
	}
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	var sweep []string
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		sweep, args = args[:1], args[1:]
	}
	shown, err := o.members(args)
	if err != nil {
		return err
	}
	names, err := a.sweepNames(w, sweep)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	var curves *statusCurves
	if o.watch && !a.global.json && a.env.Columns(a.stdout) > 0 {
		curves = &statusCurves{drawn: map[string]drawnCurves{}}
	}
	for first := true; ; first = false {
		if curves != nil { // the window may have changed
			curves.rows = a.env.Lines(a.stdout)
		}
		document, err := a.readStatus(ctx, w, names, shown, o.superseded, curves)
		if err != nil && !first {
			return failedError(err)
		}
		if err != nil {
			return err
		}
		if err := a.showStatus(document, o.watch, first); err != nil {
			return failedError(err)
		}
		if !o.watch || settled(document) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is the normal end of a watch
		case <-time.After(o.every):
		}
	}
}

// sweepNames returns the sweep of the arguments, given by its name or its file, or all sweeps.
func (a *app) sweepNames(w workspace.Workspace, args []string) ([]string, error) {
	all, err := w.Sweeps()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return all, nil
	}
	name := args[0]
	if info, err := os.Stat(name); !slices.Contains(all, name) && err == nil && info.Mode().IsRegular() {
		spec, err := sweeps.Load(name)
		if err != nil {
			return nil, err
		}
		name = spec.Name
	}
	if !slices.Contains(all, name) {
		known := "there is none"
		if len(all) > 0 {
			known = "there are: " + strings.Join(all, ", ")
		}
		return nil, fmt.Errorf("find sweep %q in the workspace: %w; %s", name, fs.ErrNotExist, known)
	}
	return []string{name}, nil
}

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
