package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"headroom/metrics/record"
)

// Cut is an evaluation repeated with one side's vectors cut, and its values per query.
type Cut struct {
	record.Cut
	// PerQuery is measure → query → value.
	PerQuery map[string]map[string]float64
}

// Curve returns an evaluation's cuts, ordered by side and terms; none if it has none. The
// id is that of an Evaluation, of a run or of a baseline.
func (s *Store) Curve(ctx context.Context, evaluation string) ([]Cut, error) {
	what := fmt.Sprintf("read curve of evaluation %q", evaluation)
	type row struct {
		cut     record.Cut
		measure string
		value   float64
		packed  []byte
	}
	rows, err := read(ctx, s, what, func(rows *sql.Rows) (row, error) {
		var r row
		return r, rows.Scan(&r.cut.Side, &r.cut.Terms, &r.cut.ActiveQuery, &r.cut.ActiveDocument, &r.cut.Flops, &r.measure, &r.value, &r.packed)
	}, `SELECT c.side, c.terms, c.active_query, c.active_document, c.flops, v.measure, v.value, v.queries
		FROM cut c JOIN cut_value v ON v.cut_id = c.id
		WHERE c.evaluation_id = (SELECT max(id) FROM evaluation WHERE evaluation = ?) ORDER BY c.side, c.terms, v.measure`, evaluation)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	scores, err := s.QueryScores(ctx, evaluation)
	if err != nil {
		return nil, err
	}
	var all []Cut
	for _, r := range rows {
		last := len(all) - 1
		if last < 0 || all[last].Side != r.cut.Side || all[last].Terms != r.cut.Terms {
			r.cut.Measures = map[string]float64{}
			all = append(all, Cut{r.cut, map[string]map[string]float64{}})
			last++
		}
		queries := slices.Sorted(maps.Keys(scores[r.measure]))
		if len(r.packed) != 8*len(queries) {
			return nil, fmt.Errorf("%s: %w", what, ErrDamaged)
		}
		all[last].Measures[r.measure], all[last].PerQuery[r.measure] = r.value, make(map[string]float64, len(queries))
		for i, query := range queries {
			all[last].PerQuery[r.measure][query] = math.Float64frombits(binary.LittleEndian.Uint64(r.packed[8*i:]))
		}
	}
	return all, nil
}
