package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"headroom/metrics/event"
	"headroom/metrics/outline"
)

// drawn collects the series that reports draw while a log is folded from its beginning, so that
// their points need not be read back.
type drawn struct {
	names []string
	of    map[string]*outline.Series
	// mixed is true if a step came twice or late: the database then has other points.
	mixed bool
}

// add takes the values of one step. It does nothing for nil.
func (d *drawn) add(step int, values map[string]event.Value) {
	if d == nil || d.mixed {
		return
	}
	for _, name := range d.names {
		v, ok := values[name]
		if !ok {
			continue
		}
		s := d.of[name]
		if s == nil {
			if d.of == nil {
				d.of = map[string]*outline.Series{}
			}
			s = &outline.Series{}
			d.of[name] = s
		}
		if n := len(s.Steps); n > 0 && s.Steps[n-1] >= step {
			d.mixed = true
			return
		}
		s.Steps, s.Values = append(s.Steps, step), append(s.Values, number(untyped(v))+0) // SQLite has no -0
	}
}

// outlineRun replaces the outlines of a run by those of its points, which it reads from the database unless seen has
// them. A run whose last attempt has not ended gets none.
func (f *fold) outlineRun(tx *sql.Tx, id int64, seen *drawn) error {
	if _, err := tx.ExecContext(f.ctx, "DELETE FROM outline WHERE run_id = ?", id); err != nil {
		return err
	}
	var ended sql.NullBool
	err := tx.QueryRowContext(f.ctx, "SELECT state IS NOT NULL FROM attempt WHERE run_id = ? ORDER BY n DESC LIMIT 1", id).Scan(&ended)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	version := 0
	if ended.Bool {
		version = outline.Version
		if seen == nil || seen.mixed {
			read, err := readSeries(f.ctx, tx, id, drawnNames()...)
			if err != nil {
				return err
			}
			seen = &drawn{of: map[string]*outline.Series{}}
			for name, s := range read {
				seen.of[name] = &s
			}
		}
		for _, d := range outline.AllDrawn() {
			s := seen.of[d.Name]
			if s == nil {
				continue
			}
			curve := outline.Reduce(*s, d).Encode()
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO outline (run_id, name, curve) VALUES (?, ?, ?)", id, d.Name, curve); err != nil {
				return err
			}
		}
	}
	_, err = tx.ExecContext(f.ctx, "UPDATE run SET outlined = ? WHERE id = ?", version, id)
	return err
}

func drawnNames() []string {
	var names []string
	for _, d := range outline.AllDrawn() {
		names = append(names, d.Name)
	}
	return names
}

// Outlines returns the curves of a run that reports draw, by the names of their series. It reads the
// outlines of a run that is over, and otherwise all points.
func (s *Store) Outlines(ctx context.Context, run string) (map[string]outline.Curve, error) {
	found, err := s.keptOutlines(ctx, run)
	if found != nil || err != nil {
		return found, err
	}
	whole, err := s.Series(ctx, run, drawnNames()...)
	if err != nil {
		return nil, err
	}
	curves := map[string]outline.Curve{}
	for _, d := range outline.AllDrawn() {
		if one, ok := whole[d.Name]; ok {
			curves[d.Name] = outline.Reduce(one, d)
		}
	}
	return curves, nil
}

// keptOutlines returns the outlines of a run, nil if it has none of this version.
func (s *Store) keptOutlines(ctx context.Context, run string) (map[string]outline.Curve, error) {
	type row struct {
		version int
		name    sql.NullString
		curve   []byte
	}
	rows, err := read(ctx, s, fmt.Sprintf("read curves of run %q", run), func(rows *sql.Rows) (row, error) {
		var r row
		return r, rows.Scan(&r.version, &r.name, &r.curve)
	}, "SELECT r.outlined, o.name, o.curve FROM run r LEFT JOIN outline o ON o.run_id = r.id WHERE r.run = ?", run)
	if err != nil || len(rows) == 0 || rows[0].version != outline.Version {
		return nil, err
	}
	curves := map[string]outline.Curve{}
	for _, r := range rows {
		if !r.name.Valid { // the run has none of these series
			continue
		}
		if curves[r.name.String], err = outline.Decode(r.curve); err != nil {
			return nil, fmt.Errorf("read curve %q of run %q: %w: %w", r.name.String, run, ErrDamaged, err)
		}
	}
	return curves, nil
}
