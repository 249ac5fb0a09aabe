package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
)

// Marks show which runs have changed since earlier Marks, without reading the runs.
type Marks struct {
	// Runs has a mark for each run's id. A run whose mark is unchanged has the same rows,
	// points included.
	Runs map[string]uint64
	// Sweeps is one mark for everything else: sweeps and what they list, collections,
	// baselines.
	Sweeps uint64
}

// Marks reads the marks. Compare them only within one process.
func (s *Store) Marks(ctx context.Context) (Marks, error) {
	m := Marks{Runs: map[string]uint64{}}
	var others []string
	of := map[string][]string{}
	add := func(run sql.NullString, text string) {
		if run.Valid {
			of[run.String] = append(of[run.String], text)
		} else {
			others = append(others, text)
		}
	}
	for _, query := range []string{
		"SELECT run, written FROM run ORDER BY run",
		"SELECT r.run, a.n || ':' || a.byte_offset || ':' || a.modified FROM attempt a JOIN run r ON r.id = a.run_id ORDER BY r.run, a.n",
		"SELECT r.run, e.evaluation || ':' || e.stamp || ':' || e.current || ':' || e.label FROM evaluation e LEFT JOIN run r ON r.id = e.run_id ORDER BY e.folder",
		"SELECT NULL, sweep || ':' || revision || ':' || stamp FROM sweep ORDER BY sweep",
		"SELECT NULL, sweep || ':' || position || ':' || collection || ':' || label FROM asked ORDER BY sweep, position",
	} {
		rows, err := s.db.QueryContext(ctx, query)
		if err != nil {
			return m, fmt.Errorf("read marks: %w", withSentinel(err))
		}
		for rows.Next() {
			var run sql.NullString
			var text string
			if err := rows.Scan(&run, &text); err != nil {
				return m, errors.Join(fmt.Errorf("read marks: %w", err), rows.Close())
			}
			add(run, text)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return m, fmt.Errorf("read marks: %w", withSentinel(err))
		}
	}
	for run, texts := range of {
		m.Runs[run] = sum(texts)
	}
	m.Sweeps = sum(others)
	return m, nil
}

func sum(texts []string) uint64 {
	h := fnv.New64a()
	for _, text := range texts {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// RunsAmong lists those members of a sweep, former ones included, whose ids are given, in
// its manifest's order.
func (s *Store) RunsAmong(ctx context.Context, sweep string, ids []string) ([]Run, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{sweep} // the plus keeps SQLite from reading all of a sweep for a few runs
	for _, id := range ids {
		args = append(args, id)
	}
	return s.runs(ctx, fmt.Sprintf("read runs of sweep %q", sweep), "membership p",
		"+p.sweep = ? AND r.run IN (?"+strings.Repeat(",?", len(ids)-1)+")", args...)
}
