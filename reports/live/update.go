package live

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/lease"
)

// look is one pass of a Watcher over what its store holds.
type look struct {
	*opened
	ctx     context.Context
	now     time.Time
	version uint64
	is, was reading
}

// update makes the sweeps of a snapshot from those of the one before, and reports whether
// anything differs.
func (w *Watcher) update(ctx context.Context, before, after *Snapshot, now time.Time) (changed bool, err error) {
	is, err := w.reading(ctx)
	if err != nil {
		return false, err
	}
	l := &look{opened: w.open, ctx: ctx, now: now, version: before.Version + 1, is: is, was: w.read}
	after.Sweeps, after.runs, after.Alerts = nil, map[string]*Run{}, nil
	others := is.marks.Sweeps != w.read.marks.Sweeps
	changed = len(is.sweeps) != len(before.Sweeps) || others
	for _, s := range is.sweeps {
		old := before.Sweep(s.Name)
		if old == nil || others {
			old = &Sweep{}
		}
		sweep, news, err := l.sweep(s, old)
		if err != nil {
			return false, err
		}
		changed = changed || news
		after.Sweeps = append(after.Sweeps, sweep)
		for _, r := range sweep.Runs {
			if _, known := after.runs[r.Run.Run]; !known {
				after.runs[r.Run.Run] = r
			}
			after.Alerts = append(after.Alerts, alertsOf(sweep.Name, r, now)...)
		}
	}
	orderAlerts(after.Alerts)
	if len(after.Alerts) != len(before.Alerts) {
		changed = true // an alert that appears as time passes
	}
	w.read = is
	return changed, nil
}

// reading reads what there is, where it is not what was read before. The version is read
// first: what is written meanwhile is read again.
func (w *Watcher) reading(ctx context.Context) (r reading, err error) {
	if r.version, err = w.open.store.Version(ctx); err != nil || r.version == w.read.version {
		return w.read, err
	}
	if r.marks, err = w.open.store.Marks(ctx); err != nil {
		return r, err
	}
	r.sweeps, err = w.open.store.Sweeps(ctx)
	return r, err
}

// sweep makes a sweep from its last state. Unchanged runs are reused.
func (l *look) sweep(s store.Sweep, old *Sweep) (*Sweep, bool, error) {
	var rows []store.Run
	var err error
	if len(old.Runs) == 0 {
		current, fault := l.store.Runs(l.ctx, s.Name)
		former, err := l.store.FormerRuns(l.ctx, s.Name)
		if err := errors.Join(fault, err); err != nil {
			return nil, false, err
		}
		rows = append(current, former...)
	} else {
		var ids []string
		for _, r := range old.Runs {
			if l.is.marks.Runs[r.Run.Run] != l.was.marks.Runs[r.Run.Run] {
				ids = append(ids, r.Run.Run)
			}
		}
		if rows, err = l.store.RunsAmong(l.ctx, s.Name, ids); err != nil {
			return nil, false, err
		}
	}
	news := map[string]*store.Run{}
	for i := range rows {
		news[rows[i].Run] = &rows[i]
	}
	sweep := &Sweep{Name: s.Name, Revision: s.Revision, Question: s.Question, Changed: old.Changed}
	if len(old.Runs) == 0 {
		for i := range rows {
			made, err := l.run(s.Name, rows[i], pace{})
			if err != nil {
				return nil, false, err
			}
			sweep.Runs = append(sweep.Runs, made)
		}
		collections, err := l.store.Collections(l.ctx, s.Name)
		if err != nil {
			return nil, false, err
		}
		sweep.describe(collections)
		sweep.Changed = l.version
		return sweep, true, nil
	}
	changed, measured := false, false
	sweep.Keys, sweep.Figures, sweep.Seeds = old.Keys, old.Figures, old.Seeds
	for _, r := range old.Runs {
		next := r
		if row := news[r.Run.Run]; row != nil {
			if next, err = l.run(s.Name, *row, r.pace); err != nil {
				return nil, false, err
			}
			next.Values, next.Group = r.Values, r.Group
			measured = measured || len(next.Figures) != len(r.Figures)
			changed = true
		} else if !r.Over() && r.Attempts > 0 {
			again := *r
			l.lease(&again)
			if again.State != r.State || again.Holder != r.Holder {
				again.Changed, next, changed = l.version, &again, true
			}
		}
		sweep.Runs = append(sweep.Runs, next)
	}
	if changed {
		sweep.Changed = l.version
	}
	if measured {
		collections, err := l.store.Collections(l.ctx, s.Name)
		if err != nil {
			return nil, false, err
		}
		sweep.describeFigures(collections)
	}
	return sweep, changed, nil
}

// run reads what belongs to a run of the store.
func (l *look) run(sweep string, row store.Run, before pace) (*Run, error) {
	r := &Run{Run: row, State: row.State, Total: row.Steps, Done: row.Step + 1, Changed: l.version, pace: before, Figures: map[Figure]float64{}}
	if err := json.Unmarshal(row.Config, &r.Config); err != nil && len(row.Config) > 0 {
		r.Error = "its configuration cannot be read: " + err.Error()
	}
	if r.Total == 0 {
		r.Total = r.Config.Train.Steps
	}
	evaluations, err := l.store.Evaluations(l.ctx, row.Run, store.Scope{Sweep: sweep})
	if err != nil {
		return nil, err
	}
	for _, e := range evaluations {
		name := e.Dataset
		if e.Split != record.FinalSplit && e.Split != "" {
			name += "/" + e.Split
		}
		for m, v := range e.Measures {
			r.Figures[Figure{m, name}] = v
		}
		r.Figures[Figure{Flops, name}], r.Figures[Figure{ActiveDocument, name}], r.Figures[Figure{ActiveQuery, name}] = e.Flops, e.ActiveDocument, e.ActiveQuery
	}
	maps.DeleteFunc(r.Figures, func(_ Figure, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if r.Attempts == 0 {
		return r, nil
	}
	if r.Episodes, err = l.store.Episodes(l.ctx, row.Run); err != nil {
		return nil, err
	}
	folder := l.Workspace.Run(row.Run)
	if attempts, err := event.Attempts(folder); err == nil && len(attempts) > 0 {
		if info, err := os.Stat(event.Path(folder, attempts[len(attempts)-1])); err == nil {
			r.Heard = info.ModTime()
		}
	}
	l.lease(r)
	return r, l.measurePace(r)
}

// lease finds out whether a process works on a run, which the log does not show.
func (l *look) lease(r *Run) {
	r.ETA, r.Holder = 0, ""
	if r.Run.State == record.StateDone {
		return
	}
	r.State = r.Run.State
	info, err := lease.Inspect(l.Workspace.Run(r.Run.Run), lease.Options{Now: func() time.Time { return l.now }})
	switch {
	case err == nil && info.State == lease.Held:
		r.State, r.Holder = record.StateRunning, info.Host
		if r.Done > 0 && r.Seconds > 0 {
			r.ETA = time.Duration(r.Seconds * float64(r.Total-r.Done) / float64(r.Done) * float64(time.Second))
		}
	case r.State == record.StateRunning:
		r.State = record.StateInterrupted // its process is gone
	}
}

// The number of steps over which the pace is measured, and how often it is measured.
const (
	paceRecent = 20
	paceEarly  = 180
	paceEvery  = 10 * time.Second
)

func (l *look) measurePace(r *Run) error {
	if r.State != record.StateRunning || l.now.Sub(r.pace.looked) < paceEvery {
		return nil
	}
	r.pace = pace{looked: l.now}
	curve, err := l.store.Thin(l.ctx, r.Run.Run, "seconds", store.Span{From: max(0, r.Done-paceRecent-paceEarly), To: r.Done}, 1)
	if err != nil || len(curve.Values) < 2*paceRecent {
		return err
	}
	cut := len(curve.Values) - paceRecent
	r.pace.early, r.pace.recent = median(curve.Values[:cut]), median(curve.Values[cut:])
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
