package cli

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
		return nil, noSweepError{name, all}
	}
	return []string{name}, nil
}

// noSweepError says that no sweep of the workspace has a name.
type noSweepError struct {
	name  string
	known []string
}

func (e noSweepError) Error() string {
	known := "it has none"
	if len(e.known) > 0 {
		known = "there are: " + strings.Join(e.known, ", ")
	}
	return fmt.Sprintf("find sweep %q: the workspace has no sweep of this name; %s", e.name, known)
}

func (e noSweepError) Is(target error) bool { return target == fs.ErrNotExist }
