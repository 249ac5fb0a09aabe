package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Attempt is one process that worked on a run.
type Attempt struct {
	N    int
	Host string
	PID  int
	// FromStep is its first step, -1 if it never started; LastStep its last, -1 before the
	// first.
	FromStep, LastStep int
	// Started and Heard are when its first and last event were written; zero if there is none.
	Started, Heard time.Time
	// State is "" if it was killed or still works.
	State   string
	Seconds float64
	Error   string
}

// Attempts returns the attempts of a run, the oldest first.
func (s *Store) Attempts(ctx context.Context, run string) ([]Attempt, error) {
	moment := func(ms sql.NullInt64) time.Time {
		if !ms.Valid {
			return time.Time{}
		}
		return time.UnixMilli(ms.Int64).UTC()
	}
	return read(ctx, s, fmt.Sprintf("read attempts of run %q", run), func(rows *sql.Rows) (Attempt, error) {
		a := Attempt{FromStep: -1, LastStep: -1}
		var from, last, started, heard sql.NullInt64
		err := rows.Scan(&a.N, &a.Host, &a.PID, &from, &last, &started, &heard, &a.State, &a.Seconds, &a.Error)
		if from.Valid {
			a.FromStep = int(from.Int64)
		}
		if last.Valid {
			a.LastStep = int(last.Int64)
		}
		a.Started, a.Heard = moment(started), moment(heard)
		return a, err
	}, `SELECT n, coalesce(host, ''), coalesce(pid, 0), from_step, last_step, started_ms, last_ms, coalesce(state, ''),
		coalesce(seconds, (last_ms - started_ms) / 1000.0, 0), coalesce(error, '')
		FROM attempt WHERE run_id = (SELECT id FROM run WHERE run = ?) ORDER BY n`, run)
}

// CutMean is a point of a cost curve: a measure with documents cut to their greatest terms.
type CutMean struct {
	Terms        int
	Value, Flops float64
}

// CutMeans returns the current points of a run's cost curve on a collection, by terms. It leaves out points without a
// cost or a value.
func (s *Store) CutMeans(ctx context.Context, run, dataset, measure string) ([]CutMean, error) {
	return read(ctx, s, fmt.Sprintf("read cost curve of run %q", run), func(rows *sql.Rows) (CutMean, error) {
		var c CutMean
		return c, rows.Scan(&c.Terms, &c.Value, &c.Flops)
	}, `SELECT terms, value, flops FROM curves WHERE run = ? AND dataset = ? AND measure = ? AND side = 'document' AND current
		AND value IS NOT NULL AND flops IS NOT NULL ORDER BY terms`, run, dataset, measure)
}
