package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/runner/alert"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// The times that a command waits at its end for the delivery of alerts: usually, and where
// somebody or Slurm wants it to end.
const (
	alertPatience = 30 * time.Second
	alertHurry    = 3 * time.Second
)

func newAlert(a *app) *cobra.Command {
	dry := false
	cmd := &cobra.Command{
		Use:   "alert [SWEEP]",
		Short: "try the alerts of headroom.toml: send one, and show who got it",
		Long: `Sends a trial message to the webhook and the command of [alerts] in headroom.toml. The
file is the one in the sweep's folder (without SWEEP, in this folder), else the one in the
workspace. "headroom help alerts" lists the settings.`,
		Example: `  headroom alert
  headroom alert sweep.toml --dry-run`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.tryAlert(cmd.Context(), args, dry) },
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would be sent, and send nothing")
	return cmd
}

// alertDocument is what alert prints with --json.
type alertDocument struct {
	Schema int             `json:"schema"`
	To     []alert.Attempt `json:"to"`
}

func (a *app) tryAlert(ctx context.Context, args []string, dry bool) error {
	base, err := filepath.Abs(".")
	if err != nil {
		return fmt.Errorf("find this folder: %w", err)
	}
	if len(args) == 1 {
		s, err := a.openSweep(args[0], nil)
		if err != nil {
			return err
		}
		base = s.base
	}
	settings, err := a.alerts(base)
	if err != nil {
		return err
	}
	if settings == nil {
		where := filepath.Join(a.workspaceRoot(), sweeps.SiteFile)
		if base != "" {
			where = filepath.Join(base, sweeps.SiteFile) + " and " + where
		}
		return fmt.Errorf("find [alerts]: there is no such table in %s; `headroom help alerts` says how one is written", where)
	}
	to, err := alert.TryAll(ctx, *settings, a.env.Getenv, alert.Try(a.node(), a.env.Now()), dry)
	if err != nil {
		return err
	}
	if a.global.json {
		err = a.printJSON(alertDocument{schema, to})
	} else {
		err = a.printAttempts(to, dry)
	}
	for _, one := range to {
		if one.Fault != "" {
			err = errors.Join(err, fmt.Errorf("%s: %s", one.To, one.Fault))
		}
	}
	return failedError(err)
}

func (a *app) printAttempts(to []alert.Attempt, dry bool) error {
	for _, one := range to {
		text := one.To + ": delivered"
		switch {
		case dry:
			text = one.To + " would get:\n" + one.Body
		case one.Fault != "":
			continue // the command returns it as its error
		}
		if _, err := fmt.Fprintln(a.stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// alerts returns the checked settings of the first site's file that has any: the file in the
// sweep's folder comes before that of the workspace. nil if none has any.
func (a *app) alerts(base string) (*sweeps.Alerts, error) {
	sites, err := a.sites(base)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sites, func(s *sweeps.Site) bool { return s.Alerts != nil })
	if i < 0 {
		return nil, nil
	}
	return sites[i].Alerts, alert.Check(*sites[i].Alerts, a.env.Getenv)
}

// alerter sends alerts about a sweep's runs; a nil alerter sends none.
type alerter struct {
	sender *alert.Sender
	sweep  string
	host   string
	now    func() time.Time
}

// newAlerter makes an alerter by settings, which are nil if no alerts are wanted.
func (a *app) newAlerter(settings *sweeps.Alerts, w workspace.Workspace, sweep string, note func(string)) (*alerter, error) {
	if settings == nil {
		return nil, nil
	}
	sender, err := alert.New(alert.Options{Alerts: *settings, Workspace: w.Root, Sweep: sweep, Getenv: a.env.Getenv, Now: a.env.Now, Note: note})
	if err != nil {
		return nil, err
	}
	return &alerter{sender, sweep, a.node(), a.env.Now}, nil
}

// watch returns a renderer that also sends alerts.
func (t *alerter) watch(next pool.Renderer) pool.Renderer {
	if t == nil {
		return next
	}
	return alert.NewWatch(t.sender, t.sweep, t.host, next)
}

// tellOver sends the alert that the sweep is over. jobs, the error of its jobs, also has
// failures that no run's log has, such as that of a worker that did not begin a log.
func (t *alerter) sendOver(runs []statusRun, jobs error) {
	if t == nil {
		return
	}
	bad, left := 0, 0
	for _, r := range runs {
		switch r.State {
		case record.StateDone:
		case record.StateFailed:
			bad++
		default:
			left++
		}
	}
	var failed *pool.FailedError
	if errors.As(jobs, &failed) {
		left -= max(0, failed.Failed+failed.Blocked-bad) // which came to no log
		bad = max(bad, failed.Failed)
	}
	t.sender.Send(alert.End(t.sweep, t.host, outcomeWords(runs), bad, left, t.now()))
}

// close waits until every alert is delivered or has failed.
func (t *alerter) close(hurry bool) {
	switch {
	case t == nil:
	case hurry:
		t.sender.Close(alertHurry)
	default:
		t.sender.Close(alertPatience)
	}
}

// outcomeWords counts runs by state and verdict: "24 runs: 24 done; verdicts: 4 empty, 20 healthy".
func outcomeWords(runs []statusRun) string {
	text := nouns.Count(len(runs), "run") + ": " + countStates(runs)
	counts := map[string]int{}
	var kinds []string
	for _, r := range runs {
		if r.Verdict == nil {
			continue
		}
		if counts[*r.Verdict] == 0 {
			kinds = append(kinds, *r.Verdict)
		}
		counts[*r.Verdict]++
	}
	slices.Sort(kinds)
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", counts[kind], kind)
	}
	if len(kinds) > 0 {
		text += "; verdicts: " + strings.Join(kinds, ", ")
	}
	return text
}
