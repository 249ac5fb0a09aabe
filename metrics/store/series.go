package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"headroom/metrics/outline"
)

// Series returns curves of a run by name; all of them if no name is given. A name that the
// run lacks is absent from the answer.
func (s *Store) Series(ctx context.Context, run string, names ...string) (map[string]outline.Series, error) {
	all := map[string]outline.Series{}
	var id int64
	err := s.db.QueryRowContext(ctx, "SELECT id FROM run WHERE run = ?", run).Scan(&id)
	if err == nil {
		all, err = readSeries(ctx, s.db, id, names...)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read series of run %q: %w", run, withSentinel(err))
	}
	return all, nil
}

// ValueAt returns the value of a run's series at a step, or at the last step with a value before
// it; NaN if there is none.
func (s *Store) ValueAt(ctx context.Context, run, name string, step int) (float64, error) {
	fail := func(err error) (float64, error) {
		return math.NaN(), fmt.Errorf("read series %q of run %q: %w", name, run, withSentinel(err))
	}
	packs, err := packsOf(ctx, s.db, []string{name})
	if err != nil {
		return fail(err)
	}
	for pack, series := range packs {
		var value any
		err := s.db.QueryRowContext(ctx, fmt.Sprintf(`SELECT %[1]s FROM step_value
			WHERE run_id = (SELECT id FROM run WHERE run = ?) AND pack = ? AND step <= ? AND %[1]s IS NOT NULL ORDER BY step DESC LIMIT 1`, series[0].name()), run, pack, step).Scan(&value)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fail(err)
		default:
			return number(value), nil
		}
	}
	return math.NaN(), nil
}

// readSeries reads curves of a run, all of them if no name is given.
func readSeries(ctx context.Context, db querier, run int64, names ...string) (map[string]outline.Series, error) {
	packs, err := packsOf(ctx, db, names)
	if err != nil {
		return nil, err
	}
	all := map[string]outline.Series{}
	for pack, series := range packs {
		columns := make([]string, len(series))
		for i, p := range series {
			columns[i] = p.name()
		}
		rows, err := db.QueryContext(ctx, "SELECT step, "+strings.Join(columns, ", ")+" FROM step_value WHERE run_id = ? AND pack = ? ORDER BY step", run, pack)
		if err != nil {
			return nil, err
		}
		curves := make([]outline.Series, len(series))
		var step int
		row, into := make([]any, len(series)), []any{&step}
		for i := range row {
			into = append(into, &row[i])
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			for i, value := range row {
				if value != nil {
					curves[i].Steps, curves[i].Values = append(curves[i].Steps, step), append(curves[i].Values, number(value))
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
		for i, p := range series {
			if len(curves[i].Steps) > 0 {
				all[p.series] = curves[i]
			}
		}
	}
	return all, nil
}

// placed is a series and where it has its values.
type placed struct {
	series string
	place
}

// packsOf returns the places of the named series by pack; of all series if no name is given.
func packsOf(ctx context.Context, db querier, names []string) (map[int64][]placed, error) {
	query, args := "SELECT name, pack, place FROM series_name", []any{}
	if len(names) > 0 {
		query += " WHERE name IN (?" + strings.Repeat(",?", len(names)-1) + ")"
		for _, name := range names {
			args = append(args, name)
		}
	}
	packs := map[int64][]placed{}
	list, err := collect(ctx, db, func(rows *sql.Rows) (placed, error) {
		var p placed
		return p, rows.Scan(&p.series, &p.pack, &p.column)
	}, query+" ORDER BY name", args...)
	for _, p := range list {
		packs[p.pack] = append(packs[p.pack], p)
	}
	return packs, err
}

// number returns the value that untyped stored.
func number(value any) float64 {
	switch v := value.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case string:
		return wordValue(v)
	case []byte:
		return wordValue(string(v))
	}
	return math.NaN()
}

// pointValue returns the value of a point from its two columns.
func pointValue(value sql.NullFloat64, word sql.NullString) float64 {
	if value.Valid {
		return value.Float64
	}
	return wordValue(word.String)
}

func wordValue(word string) float64 {
	switch word {
	case "+inf":
		return math.Inf(1)
	case "-inf":
		return math.Inf(-1)
	}
	return math.NaN()
}
