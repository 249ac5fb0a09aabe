package live

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/runner/pool"
)

// Kinds of alerts.
const (
	AlertCollapse = "collapse"
	AlertWarning  = "warning"
	AlertFailure  = "failure"
	AlertStall    = "stall"
	AlertSlow     = "slow-down"
)

// Alert is an event or state of a run that a user should see.
type Alert struct {
	Kind  string
	Sweep string
	Run   *Run
	// Text says what happened, as a sentence.
	Text string
	// Step is the step at which it began, -1 if it has none.
	Step int
	// At is when the run was last heard of.
	At time.Time
	// Stands reports whether it still holds.
	Stands bool
}

// slower is the factor over the time of its earlier steps from which on a run's last steps
// count as a slow-down.
const slower = 2.0

// pace is the time that the steps of a run take.
type pace struct {
	looked time.Time
	// early is the median of the steps before the recent ones, recent that of the last; in
	// seconds, 0 if there are too few.
	early, recent float64
}

// alertsOf returns a run's alerts at a moment.
func alertsOf(sweep string, r *Run, now time.Time) []Alert {
	var out []Alert
	add := func(kind string, step int, stands bool, format string, args ...any) {
		out = append(out, Alert{Kind: kind, Sweep: sweep, Run: r, Text: fmt.Sprintf(format, args...), Step: step, At: r.Heard, Stands: stands})
	}
	if r.State == record.StateFailed {
		text := r.Error
		if text == "" {
			text = "without a cause in its log"
		}
		add(AlertFailure, r.Step, true, "failed: %s", text)
	}
	for _, kind := range []struct{ severity, alert string }{{event.SeverityCollapse, AlertCollapse}, {event.SeverityWarning, AlertWarning}} {
		if text, first, stands := episodesText(r.Episodes, kind.severity); text != "" {
			add(kind.alert, first, stands, "%s", text)
		}
	}
	if r.State != record.StateRunning || r.Heard.IsZero() || r.Done >= r.Total {
		return out
	}
	if silent := now.Sub(r.Heard); silent > pool.StallAfter(time.Duration(max(r.pace.recent, r.pace.early)*float64(time.Second)), pool.StallLeast) {
		add(AlertStall, r.Step, true, "no step for %s at step %d of %d", silent.Round(time.Second), r.Done, r.Total)
	}
	if r.pace.early > 0 && r.pace.recent > slower*r.pace.early {
		add(AlertSlow, r.Step, true, "a step takes %.3g s now, %.1f times as long as before (%.3g s)", r.pace.recent, r.pace.recent/r.pace.early, r.pace.early)
	}
	return out
}

// episodesText returns, for each kind of episode of a severity, since when it holds or when
// it passed, in the order of their first steps: "identical since step 15, empty at 123–130".
func episodesText(episodes []event.Episode, severity string) (text string, first int, stands bool) {
	type span struct {
		first, last int
		stands      bool
	}
	spans := map[string]span{}
	var order []string
	for _, e := range episodes { // by first step
		if e.Severity != severity {
			continue
		}
		s, known := spans[e.Verdict]
		if !known {
			s.first = e.FirstStep
			order = append(order, e.Verdict)
		}
		spans[e.Verdict] = span{s.first, max(s.last, e.LastStep), s.stands || e.Stands}
	}
	for i, kind := range order {
		s := spans[kind]
		if i == 0 {
			first = s.first
		} else {
			text += ", "
		}
		if s.stands {
			text, stands = text+fmt.Sprintf("%s since step %d", kind, s.first), true
		} else {
			text += fmt.Sprintf("%s at steps %d–%d, passed", kind, s.first, s.last)
		}
	}
	return text, first, stands
}

// orderAlerts puts standing alerts first, collapses and failures before warnings, newest
// first.
func orderAlerts(alerts []Alert) {
	rank := map[string]int{AlertFailure: 0, AlertCollapse: 0, AlertStall: 1, AlertSlow: 2, AlertWarning: 3}
	slices.SortStableFunc(alerts, func(a, b Alert) int {
		if a.Stands != b.Stands {
			if a.Stands {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), b.At.Compare(a.At), cmp.Compare(a.Run.Label, b.Run.Label), cmp.Compare(a.Step, b.Step))
	})
}
