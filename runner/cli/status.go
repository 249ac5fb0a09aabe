package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/metrics/store"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type statusOptions struct {
	watch bool
	every time.Duration
}

func newStatus(a *app) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [SWEEP]",
		Short: "runs, progress, verdicts, ETA",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.status(cmd, args, o)
		},
	}
	cmd.Flags().BoolVar(&o.watch, "watch", false, "show it again and again until all is over or Ctrl-C")
	cmd.Flags().DurationVar(&o.every, "every", 2*time.Second, "how often --watch looks")
	return cmd
}

// statusRun is one run as status shows it.
type statusRun struct {
	ID      string   `json:"id"`
	Label   string   `json:"label"`
	Sweep   string   `json:"sweep"`
	State   string   `json:"state"`
	Verdict *string  `json:"verdict"` // null until judged
	Step    int      `json:"step"`
	Steps   int      `json:"steps"`
	Seconds float64  `json:"seconds"`
	ETA     *float64 `json:"eta_seconds"` // of a running run; null where unknown
	// Dev is what evaluations during training say; null where there are none yet.
	Dev *devStatus `json:"dev"`
	// Selected is the step whose weights are the result, where dev data chose it; null otherwise.
	Selected *int `json:"selected_step"`

	settings string // what sets it apart from the sweep's other runs, for people
}

type statusDocument struct {
	Schema int         `json:"schema"`
	Runs   []statusRun `json:"runs"`
}

func (a *app) status(cmd *cobra.Command, args []string, o statusOptions) error {
	if o.every < 100*time.Millisecond {
		return usage(cmd, fmt.Errorf("--every is %v; allowed: 100ms or more", o.every))
	}
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	names, err := sweepNames(w, args)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	for first := true; ; first = false {
		document, err := a.readStatus(ctx, w, names)
		if err != nil {
			return err
		}
		a.begin()
		if err := a.showStatus(document, o.watch && !first); err != nil {
			return err
		}
		if !o.watch || settled(document) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how a watch ends
		case <-time.After(o.every):
		}
	}
}

// sweepNames is the sweep that was named, or all.
func sweepNames(w workspace.Workspace, args []string) ([]string, error) {
	all, err := w.Sweeps()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return all, nil
	}
	if !slices.Contains(all, args[0]) {
		return nil, fmt.Errorf("find sweep %q in the workspace: %w; there are: %s", args[0], fs.ErrNotExist, strings.Join(all, ", "))
	}
	return args, nil
}

func (a *app) readStatus(ctx context.Context, w workspace.Workspace, names []string) (statusDocument, error) {
	document := statusDocument{Schema: schema, Runs: []statusRun{}}
	s, err := a.openStore(ctx, w)
	if err != nil {
		return document, err
	}
	defer s.Close()
	for _, name := range names {
		runs, err := a.sweepStatus(ctx, w, s, name)
		if err != nil {
			return document, err
		}
		document.Runs = append(document.Runs, runs...)
	}
	return document, nil
}

// sweepStatus reads the runs of a sweep, in its order. Whether a run is being
// worked on is seen from its lease, which no store knows.
func (a *app) sweepStatus(ctx context.Context, w workspace.Workspace, s *store.Store, name string) ([]statusRun, error) {
	stored, err := s.Runs(ctx, name)
	if err != nil {
		return nil, err
	}
	runs := make([]statusRun, 0, len(stored))
	settings := settingsOf(w, stored)
	for _, r := range stored {
		run := statusRun{ID: r.Run, Label: r.Label, Sweep: name, State: r.State, Step: r.Step + 1, Steps: r.Steps, Seconds: r.Seconds, settings: settings[r.Run]}
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
		if run.State != "done" {
			switch holder := a.holder(w.Run(r.Run)); {
			case holder != "":
				run.State = "running"
				run.ETA = eta(run)
			case run.State == "running":
				run.State = "interrupted" // its process is gone
			}
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// settingsOf says of each run what sets it apart from the others beyond its label.
// A run whose configuration cannot be read has none; show says why.
func settingsOf(w workspace.Workspace, stored []store.Run) map[string]string {
	var ids []string
	var configs []sweeps.RunConfig
	for _, r := range stored {
		if cfg, _, err := w.ReadRun(r.Run); err == nil {
			ids, configs = append(ids, r.Run), append(configs, cfg)
		}
	}
	settings := map[string]string{}
	for i, text := range sweeps.Variations(configs) {
		settings[ids[i]] = text
	}
	return settings
}

// stepsOf reads a run's length from its configuration, 0 where that has none.
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
	return !slices.ContainsFunc(d.Runs, func(r statusRun) bool { return r.State != "done" && r.State != "failed" })
}

func (a *app) showStatus(d statusDocument, again bool) error {
	if a.global.json {
		if again {
			return a.printLine(d)
		}
		return a.printJSON(d)
	}
	if again && a.env.Columns(a.stdout) > 0 {
		fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
	}
	if len(d.Runs) == 0 {
		fmt.Fprintln(a.stdout, "no sweep has been run in this workspace")
		return nil
	}
	counts := map[string]int{}
	head := []string{"run", "id", "step", "seconds", "ETA", "state", "verdict"}
	watched := slices.ContainsFunc(d.Runs, func(r statusRun) bool { return r.Dev != nil })
	if watched {
		head = append(head, "dev")
	}
	varied := slices.ContainsFunc(d.Runs, func(r statusRun) bool { return r.settings != "" })
	if varied {
		head = append(head, "settings")
	}
	rows := [][]string{head}
	for _, r := range d.Runs {
		state := r.State
		counts[state]++
		verdict, left := "-", "-"
		if r.Verdict != nil {
			verdict = *r.Verdict
		}
		if r.ETA != nil {
			left = seconds(r.ETA)
		}
		row := []string{r.Label, r.ID[:min(8, len(r.ID))], strconv.Itoa(r.Step) + "/" + strconv.Itoa(r.Steps), fmt.Sprintf("%.0f", r.Seconds), left, state, verdict}
		if watched {
			dev := r.Dev.String()
			if r.Selected != nil {
				dev += fmt.Sprintf(", selected @%d", *r.Selected)
			}
			row = append(row, dev)
		}
		if varied {
			row = append(row, r.settings)
		}
		rows = append(rows, row)
	}
	var parts []string
	for _, state := range []string{"done", "running", "interrupted", "queued", "new", "failed"} {
		if counts[state] > 0 {
			parts = append(parts, strconv.Itoa(counts[state])+" "+state)
		}
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", plural(len(d.Runs), "run"), strings.Join(parts, ", "))
	return a.table(rows)
}
