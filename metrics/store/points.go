package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"headroom/metrics/event"
)

// points writes the points of one attempt, many per statement: a fold has little else to
// write.
type points struct {
	ctx   context.Context
	tx    *sql.Tx
	run   int64
	n     int
	names map[string]int64
	full  *sql.Stmt
	args  []any
}

const (
	pointsPerStatement = 100
	pointColumns       = 6
)

func newPoints(ctx context.Context, tx *sql.Tx, run int64, n int) (*points, error) {
	p := &points{ctx: ctx, tx: tx, run: run, n: n, names: map[string]int64{}}
	rows, err := tx.QueryContext(ctx, "SELECT id, name FROM series_name")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		p.names[name] = id
	}
	return p, rows.Err()
}

// name is the row of a series' name, made where it is missing.
func (p *points) name(name string, ofState bool) (int64, error) {
	if id, ok := p.names[name]; ok {
		return id, nil
	}
	result, err := p.tx.ExecContext(p.ctx, "INSERT INTO series_name (name, of_state) VALUES (?, ?)", name, ofState)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	p.names[name] = id
	return id, err
}

// insertPoints keeps the later attempt's point whichever is folded last.
func insertPoints(rows int) string {
	return "INSERT INTO point (run_id, name_id, step, attempt, value, nonfinite) VALUES (?,?,?,?,?,?)" +
		strings.Repeat(",(?,?,?,?,?,?)", rows-1) + ` ON CONFLICT DO UPDATE
		SET attempt = excluded.attempt, value = excluded.value, nonfinite = excluded.nonfinite WHERE excluded.attempt >= attempt`
}

// add takes the values of one step; ofState says what its series are points of.
func (p *points) add(step int, values map[string]event.Value, ofState bool) error {
	for name, v := range values {
		id, err := p.name(name, ofState)
		if err != nil {
			return err
		}
		value := sql.NullFloat64{Float64: float64(v), Valid: true}
		word := sql.NullString{String: v.NonFinite()}
		if word.String != "" {
			value.Valid, word.Valid = false, true
		}
		p.args = append(p.args, p.run, id, step, p.n, value, word)
		if len(p.args) == pointsPerStatement*pointColumns {
			if err := p.flushFull(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *points) flushFull() error {
	if p.full == nil {
		var err error
		if p.full, err = p.tx.PrepareContext(p.ctx, insertPoints(pointsPerStatement)); err != nil {
			return err
		}
	}
	_, err := p.full.ExecContext(p.ctx, p.args...)
	p.args = p.args[:0]
	return err
}

// flush writes what is left; nothing is added afterwards.
func (p *points) flush() error {
	var err error
	if len(p.args) > 0 {
		_, err = p.tx.ExecContext(p.ctx, insertPoints(len(p.args)/pointColumns), p.args...)
	}
	if p.full != nil {
		err = errors.Join(err, p.full.Close())
	}
	return err
}
