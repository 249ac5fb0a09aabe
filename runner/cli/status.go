package cli

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/metrics/store"
	"headroom/runner/workspace"
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
	_, _, manifest, err := w.Sweep(name)
	if err != nil {
		return nil, err
	}
	t, err := s.Query(ctx, "SELECT run, label, state, verdict, step, seconds, json_extract(config, '$.train.steps') FROM runs WHERE sweep = '"+strings.ReplaceAll(name, "'", "''")+"'")
	if err != nil {
		return nil, err
	}
	known := map[string]statusRun{}
	for _, row := range t.Rows {
		run := statusRun{ID: text(row[0]), Label: text(row[1]), Sweep: name, State: text(row[2]), Step: int(number(row[4])), Seconds: number(row[5]), Steps: int(number(row[6]))}
		if row[3] != nil {
			verdict := text(row[3])
			run.Verdict = &verdict
		}
		known[run.ID] = run
	}
	var runs []statusRun
	for _, m := range manifest.Runs {
		run, ok := known[m.Run]
		if !ok {
			run = statusRun{ID: m.Run, Label: m.Label, Sweep: name, State: "queued"}
		}
		if run.State != "done" {
			switch holder := a.holder(w.Run(m.Run)); {
			case holder != "":
				run.State = "running"
				run.ETA = eta(run)
			case run.State == "running":
				run.State = "resume" // its process is gone
			}
		}
		runs = append(runs, run)
	}
	return runs, nil
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
		if again || d.Runs == nil {
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
	rows := [][]string{{"run", "id", "step", "seconds", "ETA", "state", "verdict"}}
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
		rows = append(rows, []string{r.Label, r.ID[:min(8, len(r.ID))], strconv.Itoa(r.Step) + "/" + strconv.Itoa(r.Steps), fmt.Sprintf("%.0f", r.Seconds), left, state, verdict})
	}
	var parts []string
	for _, state := range []string{"done", "running", "resume", "queued", "failed"} {
		if counts[state] > 0 {
			parts = append(parts, strconv.Itoa(counts[state])+" "+state)
			delete(counts, state)
		}
	}
	for state, n := range counts {
		parts = append(parts, strconv.Itoa(n)+" "+state)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", plural(len(d.Runs), "run"), strings.Join(parts, ", "))
	return a.table(rows)
}

func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

func number(value any) float64 {
	switch v := value.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	default:
		return 0
	}
}
