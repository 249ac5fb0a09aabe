package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"headroom/metrics/event"
)

// packSize is how many series share a row of the table step_value.
const packSize = 32

// place is the column in which a series has its values, in the rows of its pack.
type place struct {
	pack   int64
	column int
}

func (p place) name() string { return fmt.Sprintf("v%d", p.column) }

// values are those of one step in one pack.
type values struct {
	there uint32 // a bit for each column that has a value
	of    [packSize]any
}

// points writes the points of one attempt, a row for each step and pack. They are nearly
// all that a fold writes.
type points struct {
	ctx    context.Context
	tx     *sql.Tx
	run    int64
	n      int
	places map[string]place
	taken  [2]int // places of series of steps and of states
	// packs are of the step that is being added.
	packs   map[int64]*values
	inserts map[uint32]*sql.Stmt
	args    []any
}

func newPoints(ctx context.Context, tx *sql.Tx, run int64, n int) (*points, error) {
	p := &points{ctx: ctx, tx: tx, run: run, n: n, places: map[string]place{}, packs: map[int64]*values{}, inserts: map[uint32]*sql.Stmt{}}
	rows, err := tx.QueryContext(ctx, "SELECT name, of_state, pack, place FROM series_name")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var ofState int
		var at place
		if err := rows.Scan(&name, &ofState, &at.pack, &at.column); err != nil {
			return nil, err
		}
		p.places[name] = at
		p.taken[ofState]++
	}
	return p, rows.Err()
}

// place returns a series' place; a new series gets the next free one.
func (p *points) place(name string, ofState bool) (place, error) {
	if at, ok := p.places[name]; ok {
		return at, nil
	}
	kind := 0
	if ofState {
		kind = 1
	}
	taken := p.taken[kind]
	at := place{pack: int64(taken/packSize*2 + kind), column: taken % packSize}
	_, err := p.tx.ExecContext(p.ctx, "INSERT INTO series_name (name, of_state, pack, place) VALUES (?, ?, ?, ?)", name, kind, at.pack, at.column)
	if err == nil {
		p.places[name], p.taken[kind] = at, taken+1
	}
	return at, err
}

// add takes the values of one step; ofState says what its series are points of.
func (p *points) add(step int, named map[string]event.Value, ofState bool) error {
	for name, v := range named {
		at, err := p.place(name, ofState)
		if err != nil {
			return err
		}
		pack := p.packs[at.pack]
		if pack == nil {
			pack = &values{}
			p.packs[at.pack] = pack
		}
		pack.there |= 1 << at.column
		pack.of[at.column] = untyped(v)
	}
	for n, pack := range p.packs {
		if pack.there == 0 {
			continue
		}
		if err := p.write(n, step, pack); err != nil {
			return err
		}
		pack.there = 0
	}
	return nil
}

func (p *points) write(pack int64, step int, v *values) error {
	insert := p.inserts[v.there]
	if insert == nil {
		var err error
		if insert, err = p.tx.PrepareContext(p.ctx, insertValues(v.there)); err != nil {
			return err
		}
		p.inserts[v.there] = insert
	}
	p.args = append(p.args[:0], p.run, pack, step, p.n)
	for i, value := range v.of {
		if v.there&(1<<i) != 0 {
			p.args = append(p.args, value)
		}
	}
	_, err := insert.ExecContext(p.ctx, p.args...)
	return err
}

// insertValues returns the statement that inserts the values of some columns. The row of
// the later attempt stays, whichever is folded last; an attempt's second row for a step
// adds to its first.
func insertValues(there uint32) string {
	var columns, marks, updates strings.Builder
	for i := range packSize {
		if there&(1<<i) != 0 {
			fmt.Fprintf(&columns, ", v%d", i)
			marks.WriteString(", ?")
			fmt.Fprintf(&updates, ", v%d = excluded.v%d", i, i)
		} else {
			fmt.Fprintf(&updates, ", v%d = CASE WHEN excluded.attempt = attempt THEN v%d END", i, i)
		}
	}
	return "INSERT INTO step_value (run_id, pack, step, attempt" + columns.String() + ") VALUES (?, ?, ?, ?" + marks.String() + `)
		ON CONFLICT DO UPDATE SET attempt = excluded.attempt` + updates.String() + " WHERE excluded.attempt >= attempt"
}

// flush writes the rest; nothing may be added afterwards.
func (p *points) flush() error {
	var err error
	for _, insert := range p.inserts {
		err = errors.Join(err, insert.Close())
	}
	return err
}
