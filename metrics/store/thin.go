package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Span is a stretch of steps, From included and To excluded.
type Span struct{ From, To int }

// Thin is a curve with fewer points that still has every spike: the least and the greatest
// finite value of each bucket of consecutive steps, each at its own step.
type Thin struct {
	// Bucket is the number of steps of a bucket; with 1 the curve is whole.
	Bucket int
	// Steps ascend; Values are finite.
	Steps  []int
	Values []float64
	// Mean has the mean of each bucket with a finite value, and At a step of that bucket.
	At   []int
	Mean []float64
	// NonFinite has the first NaN or infinity of each bucket that has one.
	NonFinite []NonFinite
	// Last is the greatest step of the whole curve, -1 of an empty one.
	Last int
}

// NonFinite is a point whose value is NaN or infinite.
type NonFinite struct {
	Step int
	// Word is "nan", "+inf" or "-inf".
	Word string
}

// thinned is the end of each query of Thin. SQLite takes a bare column from the row of the
// minimum or maximum, if there is one of them, whatever other aggregates there are.
const thinned = `FROM step_value WHERE run_id = ?1 AND pack = ?2 AND step >= ?3 AND step < ?4`

// Thin reads a curve of a run in a span of steps by buckets of so many steps. A run or a
// series that is not there gives an empty curve.
func (s *Store) Thin(ctx context.Context, run, name string, span Span, bucket int) (Thin, error) {
	t := Thin{Bucket: max(1, bucket), Last: -1}
	fail := func(err error) (Thin, error) {
		return t, fmt.Errorf("read series %q of run %q: %w", name, run, withSentinel(err))
	}
	var id int64
	var at place
	err := s.db.QueryRowContext(ctx, "SELECT r.id, n.pack, n.place FROM run r, series_name n WHERE r.run = ? AND n.name = ?", run, name).Scan(&id, &at.pack, &at.column)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	if err != nil {
		return fail(err)
	}
	var last sql.NullInt64
	column := at.name()
	finite, word := "CASE WHEN typeof("+column+") <> 'text' THEN "+column+" END", "CASE WHEN typeof("+column+") = 'text' THEN "+column+" END"
	if err := s.db.QueryRowContext(ctx, "SELECT max(step) FROM step_value WHERE run_id = ? AND pack = ? AND "+column+" IS NOT NULL", id, at.pack).Scan(&last); err != nil {
		return fail(err)
	}
	if last.Valid {
		t.Last = int(last.Int64)
	}
	span.To = min(span.To, t.Last+1)
	if span.From >= span.To {
		return t, nil
	}
	each := func(query string, row func(step int, value, mean sql.NullFloat64, word sql.NullString)) error {
		rows, err := s.db.QueryContext(ctx, query, id, at.pack, span.From, span.To, t.Bucket)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var step int
			var value, mean sql.NullFloat64
			var word sql.NullString
			if err := rows.Scan(&step, &value, &mean, &word); err != nil {
				return err
			}
			row(step, value, mean, word)
		}
		return rows.Err()
	}
	type point struct {
		step  int
		value float64
	}
	var points []point
	bad := false // some value is NaN or infinite
	keep := func(step int, value, mean sql.NullFloat64, word sql.NullString) {
		bad = bad || word.Valid
		if !value.Valid {
			return
		}
		points = append(points, point{step, value.Float64})
		if mean.Valid && !math.IsInf(mean.Float64, 0) {
			t.At, t.Mean = append(t.At, step), append(t.Mean, mean.Float64)
		}
	}
	// A scan gives the least, the mean and any word of each bucket, another the greatest.
	err = each("SELECT step, min("+finite+"), avg("+finite+"), group_concat("+word+", '') "+thinned+" GROUP BY step / ?5", keep)
	if err == nil && t.Bucket > 1 {
		err = each("SELECT step, max("+finite+"), NULL, NULL "+thinned+" GROUP BY step / ?5", keep)
	}
	if err != nil {
		return fail(err)
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.step - b.step })
	for i, p := range points {
		if i > 0 && points[i-1].step == p.step { // one value is both least and greatest
			continue
		}
		t.Steps, t.Values = append(t.Steps, p.step), append(t.Values, p.value)
	}
	if !bad {
		return t, nil
	}
	err = each("SELECT min(step), NULL, NULL, "+word+" "+thinned+" AND typeof("+column+") = 'text' GROUP BY step / ?5 ORDER BY 1", func(step int, _, _ sql.NullFloat64, word sql.NullString) {
		t.NonFinite = append(t.NonFinite, NonFinite{step, word.String})
	})
	if err != nil {
		return fail(err)
	}
	return t, nil
}

// SeriesNames lists the series that a run has points of, by name.
func (s *Store) SeriesNames(ctx context.Context, run string) ([]string, error) {
	packs, err := packsOf(ctx, s.db, nil)
	if err != nil {
		return nil, fmt.Errorf("read series of run %q: %w", run, err)
	}
	var names []string
	for pack, series := range packs {
		counts := make([]int, len(series))
		var columns []string
		var into []any
		for i, p := range series {
			columns, into = append(columns, "count("+p.name()+")"), append(into, &counts[i])
		}
		err := s.db.QueryRowContext(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM step_value WHERE run_id = (SELECT id FROM run WHERE run = ?) AND pack = ?", run, pack).Scan(into...)
		if err != nil {
			return nil, fmt.Errorf("read series of run %q: %w", run, withSentinel(err))
		}
		for i, p := range series {
			if counts[i] > 0 {
				names = append(names, p.series)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
