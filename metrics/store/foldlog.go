package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"headroom/metrics/event"
)

// logFold folds one attempt's records.
type logFold struct {
	ctx  context.Context
	tx   *sql.Tx
	run  int64
	n    int
	from int
	// step is the last step seen.
	step sql.NullInt64
	// claimed is the first step that a later attempt owns.
	claimed int
	last    sql.NullInt64 // time of the last record, in ms
	points  *points
	seen    *drawn
}

// belowAnyStep is the first step that an attempt from step 0 owns: it also owns the states before the first step.
const belowAnyStep = math.MinInt32

func firstOwnStep(fromStep int) int {
	if fromStep <= 0 {
		return belowAnyStep
	}
	return fromStep
}

func openLog(ctx context.Context, tx *sql.Tx, run int64, n int) (*logFold, error) {
	l := &logFold{ctx: ctx, tx: tx, run: run, n: n, claimed: math.MaxInt32}
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO attempt (run_id, n, byte_offset, seq) VALUES (?, ?, 0, 0)", run, n); err != nil {
		return nil, err
	}
	var from sql.NullInt64
	err := tx.QueryRowContext(ctx, "SELECT from_step, last_step, last_ms FROM attempt WHERE run_id = ? AND n = ?", run, n).Scan(&from, &l.step, &l.last)
	if err != nil {
		return nil, err
	}
	l.from = int(from.Int64)
	var later sql.NullInt64
	err = tx.QueryRowContext(ctx, "SELECT min(from_step) FROM attempt WHERE run_id = ? AND n > ?", run, n).Scan(&later)
	if err != nil {
		return nil, err
	}
	if later.Valid {
		l.claimed = firstOwnStep(int(later.Int64))
	}
	l.points, err = newPoints(ctx, tx, run, n)
	return l, err
}

// stepOf returns the step of an event that names none.
func (l *logFold) stepOf() int {
	if l.step.Valid {
		return int(l.step.Int64)
	}
	return l.from - 1
}

func (l *logFold) record(r event.Record) error {
	l.last = sql.NullInt64{Int64: r.Time.UnixMilli(), Valid: true}
	switch e := r.Event.(type) {
	case event.Started:
		return l.started(e, r)
	case event.Step:
		l.step = sql.NullInt64{Int64: int64(e.Step), Valid: true}
		if e.Step >= l.claimed {
			return nil
		}
		l.seen.add(e.Step, e.Values)
		return l.points.add(e.Step, e.Values, false)
	case event.Measured:
		if e.Step > l.claimed {
			return nil
		}
		return l.points.add(e.Step, e.Values(), true)
	case event.HeadNorms:
		if e.Step >= l.claimed {
			return nil
		}
		return l.exec(`INSERT INTO head_norm (run_id, step, attempt, mean, p05, p50, p95, max) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE
			SET attempt = excluded.attempt, mean = excluded.mean, p05 = excluded.p05, p50 = excluded.p50, p95 = excluded.p95, max = excluded.max
			WHERE excluded.attempt >= attempt`,
			l.run, e.Step, l.n, untyped(e.Mean), untyped(e.P05), untyped(e.P50), untyped(e.P95), untyped(e.Max))
	case event.Episode:
		if l.stepOf() >= l.claimed {
			return nil
		}
		evidence, err := json.Marshal(e.Evidence)
		if err != nil {
			return err
		}
		return l.exec(`INSERT INTO episode (run_id, attempt, seq, at_step, detector, version, kind, severity, series, first_step, last_step, last_healthy, stands, evidence)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			l.run, l.n, r.Seq, l.stepOf(), e.Detector, e.Version, e.Verdict, e.Severity, e.Evidence.Series, e.FirstStep, e.LastStep, sql.NullInt64{Int64: int64(e.LastHealthy.Step), Valid: e.LastHealthy.Known}, e.Stands, string(evidence))
	case event.Judged:
		if l.stepOf() >= l.claimed {
			return nil
		}
		chain, err := json.Marshal(append([]string{}, e.Chain...))
		if err != nil {
			return err
		}
		return l.exec("INSERT INTO judgement (run_id, attempt, seq, at_step, verdict, chain) VALUES (?,?,?,?,?,?)",
			l.run, l.n, r.Seq, l.stepOf(), e.Verdict, string(chain))
	case event.Selected:
		if l.stepOf() >= l.claimed {
			return nil
		}
		return l.exec("INSERT INTO selection (run_id, attempt, seq, at_step, step, measure, value, weights) VALUES (?,?,?,?,?,?,?,?)",
			l.run, l.n, r.Seq, l.stepOf(), e.Step, e.Measure, float64(e.Value), e.Weights)
	case event.Ended:
		return l.exec("UPDATE attempt SET state = ?, seconds = ?, error = ?, weights = ? WHERE run_id = ? AND n = ?",
			e.State, e.Seconds, e.Error, e.Weights, l.run, l.n)
	case event.Checkpoint, event.Notice, event.Evaluated, event.Probed:
		return nil // a resumed run reads these from the log; an evaluation has its own folder
	}
	return fmt.Errorf("fold event %q: not known here", r.Event.Kind())
}

// started deletes what earlier attempts recorded of the steps that this attempt owns.
func (l *logFold) started(e event.Started, r event.Record) error {
	l.from = e.FromStep
	facts, err := json.Marshal(e.Facts)
	if err != nil {
		return err
	}
	if err := l.exec("UPDATE attempt SET from_step = ?, steps = ?, host = ?, pid = ?, facts = ?, started_ms = ? WHERE run_id = ? AND n = ?",
		e.FromStep, e.Steps, e.Host, e.PID, string(facts), r.Time.UnixMilli(), l.run, l.n); err != nil {
		return err
	}
	for _, t := range []struct{ table, column string }{{"step_value", "step"}, {"head_norm", "step"}, {"episode", "at_step"}, {"judgement", "at_step"}, {"selection", "at_step"}} {
		query := "DELETE FROM " + t.table + " WHERE run_id = ? AND attempt < ? AND " + t.column + " >= ?"
		args := []any{l.run, l.n, firstOwnStep(e.FromStep)}
		if t.table == "step_value" { // the evaluation of the state from which it resumed is kept
			query += " AND (step > ? OR pack % 2 = 0)"
			args = append(args, firstOwnStep(e.FromStep))
		}
		if err := l.exec(query, args...); err != nil {
			return err
		}
	}
	return nil
}

// close writes the rest, and how far the log is folded.
func (l *logFold) close(at folded) error {
	if err := l.points.flush(); err != nil {
		return err
	}
	return l.exec("UPDATE attempt SET byte_offset = ?, seq = ?, modified = ?, tail = ?, last_ms = ?, last_step = ? WHERE run_id = ? AND n = ?",
		at.offset, at.seq, at.modified, at.tail, l.last, l.step, l.run, l.n)
}

func (l *logFold) exec(query string, args ...any) error {
	_, err := l.tx.ExecContext(l.ctx, query, args...)
	return err
}

// untyped returns a value for a column without a type: a number, or a word.
func untyped(v event.Value) any {
	if word := v.NonFinite(); word != "" {
		return word
	}
	return float64(v)
}
