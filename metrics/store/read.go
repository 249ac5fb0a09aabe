package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"headroom/metrics/event"
)

// Sweep is the last revision of a sweep.
type Sweep struct {
	Name, Revision, Question string
	Runs                     int
}

// Run is a run with the results of its last attempt and its line in the sweep's manifest.
type Run struct {
	Run, Label, Sweep string
	// Standing is FromFile, Added or Former in Sweep; "" for a run of no sweep.
	Standing string
	// AddedBy are the words of the command line that added it; "" for a point of the file.
	AddedBy string
	// State is a state of record. A killed attempt counts as running here: only its lease shows that it ended.
	State string
	// Verdict is "" until the run is judged, then stability.Healthy or a kind of collapse.
	Verdict string
	// Recovered says from which collapses a healthy run came back and when, such as "empty
	// at 110–115"; "" if there was none.
	Recovered string
	// Chain lists the kinds of collapse in the order of their first steps.
	Chain    []string
	Backbone string
	// Rescale is k, NaN if RescaleAuto names an automatic choice or the run is of no
	// sweep.
	Rescale     float64
	RescaleAuto string
	Seed        int64
	// Step is the last step seen, -1 before the first.
	Step int
	// Steps is how many the run has, 0 before it began.
	Steps int
	// Seconds is the wall time of all attempts.
	Seconds  float64
	Attempts int
	Host     string
	// Error is the cause if State is record.StateFailed.
	Error string
	// Weights is the digest of the final weights if State is record.StateDone.
	Weights string
	// Selected is what dev data chose, nil if it was not asked or not yet.
	Selected *event.Selected
	Facts    event.Facts
	// Config is the effective configuration as nested JSON.
	Config json.RawMessage
}

// How a run belongs to a sweep.
const (
	FromFile = "file"   // a point of the sweep's file
	Added    = "added"  // beside the file, by a command line
	Former   = "former" // of an earlier revision only
)

// Sweeps lists the sweeps by name.
func (s *Store) Sweeps(ctx context.Context) ([]Sweep, error) {
	return read(ctx, s, "read sweeps", func(rows *sql.Rows) (Sweep, error) {
		var w Sweep
		return w, rows.Scan(&w.Name, &w.Revision, &w.Question, &w.Runs)
	}, `SELECT s.sweep, s.revision, s.question,
		(SELECT count(*) FROM member m WHERE m.sweep = s.sweep AND m.revision = s.revision)
		FROM sweep s ORDER BY s.sweep`)
}

// Runs lists the members of a sweep in its manifest's order.
func (s *Store) Runs(ctx context.Context, sweep string) ([]Run, error) {
	return s.runs(ctx, fmt.Sprintf("read runs of sweep %q", sweep), "membership p", "p.sweep = ?1 AND p.standing <> ?2", sweep, Former)
}

// FormerRuns lists the runs that only earlier revisions of a sweep have.
func (s *Store) FormerRuns(ctx context.Context, sweep string) ([]Run, error) {
	return s.runs(ctx, fmt.Sprintf("read former runs of sweep %q", sweep), "membership p", "p.sweep = ?1 AND p.standing = ?2", sweep, Former)
}

// AllRuns lists every run once: those of a sweep first, by its name.
func (s *Store) AllRuns(ctx context.Context) ([]Run, error) {
	return s.runs(ctx, "read all runs", "placed_run p", "true")
}

func (s *Store) runs(ctx context.Context, what, from, where string, args ...any) ([]Run, error) {
	return read(ctx, s, what, scanRun, `
		SELECT r.run, coalesce(p.label, ''), coalesce(p.sweep, ''), coalesce(p.standing, ''), coalesce(p.added, ''),
		       r.state, r.verdict, coalesce(r.recovered, ''), r.chain, coalesce(p.backbone, ''), p.rescale,
		       coalesce(p.seed, 0), r.step, r.steps, r.seconds, r.attempts,
		       coalesce(r.host, ''), coalesce(r.error, ''), coalesce(r.weights, ''), r.facts, p.config,
		       c.step, c.measure, c.value, c.weights
		FROM `+from+` JOIN logged_run r ON r.run_id = p.run_id
		LEFT JOIN last_selection c ON c.run_id = p.run_id
		WHERE `+where+`
		ORDER BY p.sweep IS NULL, p.sweep, p.position, r.run`, args...)
}

func scanRun(rows *sql.Rows) (Run, error) {
	r := Run{Rescale: math.NaN(), Step: -1}
	var verdict, chain, facts, config, measure, weights sql.NullString
	var rescale any
	var step, steps, selected sql.NullInt64
	var seconds, value sql.NullFloat64
	err := rows.Scan(&r.Run, &r.Label, &r.Sweep, &r.Standing, &r.AddedBy, &r.State, &verdict, &r.Recovered, &chain, &r.Backbone, &rescale,
		&r.Seed, &step, &steps, &seconds, &r.Attempts, &r.Host, &r.Error, &r.Weights, &facts, &config,
		&selected, &measure, &value, &weights)
	if err != nil {
		return r, err
	}
	r.Verdict, r.Seconds, r.Steps = verdict.String, seconds.Float64, int(steps.Int64)
	if step.Valid {
		r.Step = int(step.Int64)
	}
	if selected.Valid {
		r.Selected = &event.Selected{Step: int(selected.Int64), Measure: measure.String, Value: event.Value(pointValue(value, sql.NullString{})), Weights: weights.String}
	}
	switch k := rescale.(type) {
	case float64:
		r.Rescale = k
	case int64:
		r.Rescale = float64(k)
	case string:
		r.RescaleAuto = k
	}
	if config.Valid {
		r.Config = json.RawMessage(config.String)
	}
	for text, into := range map[*sql.NullString]any{&chain: &r.Chain, &facts: &r.Facts} {
		if text.Valid {
			if err := json.Unmarshal([]byte(text.String), into); err != nil {
				return r, fmt.Errorf("run %q: %w", r.Run, err)
			}
		}
	}
	if r.RescaleAuto != "" && r.Facts.Rescale > 0 {
		r.Rescale = r.Facts.Rescale
	}
	return r, nil
}

// HeadNorms returns the summaries of a run's head, steps ascending.
func (s *Store) HeadNorms(ctx context.Context, run string) ([]event.HeadNorms, error) {
	return read(ctx, s, fmt.Sprintf("read head norms of run %q", run), func(rows *sql.Rows) (event.HeadNorms, error) {
		var h event.HeadNorms
		var values [5]any
		err := rows.Scan(&h.Step, &values[0], &values[1], &values[2], &values[3], &values[4])
		for i, into := range []*event.Value{&h.Mean, &h.P05, &h.P50, &h.P95, &h.Max} {
			*into = event.Value(number(values[i]))
		}
		return h, err
	}, `SELECT step, mean, p05, p50, p95, max FROM head_norm
		WHERE run_id = (SELECT id FROM run WHERE run = ?) ORDER BY step`, run)
}

// Episodes returns a run's episodes as last reported, by first step.
func (s *Store) Episodes(ctx context.Context, run string) ([]event.Episode, error) {
	return read(ctx, s, fmt.Sprintf("read episodes of run %q", run), func(rows *sql.Rows) (event.Episode, error) {
		var e event.Episode
		var evidence string
		var healthy sql.NullInt64
		if err := rows.Scan(&e.Detector, &e.Version, &e.Verdict, &e.Severity, &e.FirstStep, &e.LastStep, &healthy, &e.Stands, &evidence); err != nil {
			return e, err
		}
		if healthy.Valid {
			e.LastHealthy = event.Some(int(healthy.Int64))
		}
		return e, json.Unmarshal([]byte(evidence), &e.Evidence)
	}, `SELECT detector, version, kind, severity, first_step, last_step, last_healthy, stands, evidence FROM last_episode
		WHERE run_id = (SELECT id FROM run WHERE run = ?) ORDER BY first_step, kind, series`, run)
}

// read collects the rows of a query on the store.
func read[T any](ctx context.Context, s *Store, what string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	all, err := collect(ctx, s.db, scan, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, withSentinel(err))
	}
	return all, nil
}

// collect collects the rows of a query.
func collect[T any](ctx context.Context, db querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
