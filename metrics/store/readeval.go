package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"headroom/metrics/event"
)

// Evaluation is what one collection says of a run or of a baseline.
type Evaluation struct {
	ID, Dataset, Split string
	// Name and Backbone are of a baseline: "bm25", or "untrained" and its backbone.
	Name, Backbone     string
	Queries, Documents int
	Measures           map[string]float64
	// ActiveQuery, ActiveDocument, Flops and TieShare are NaN where they make no sense
	// or were not recorded.
	ActiveQuery, ActiveDocument, Flops, TieShare float64
	Seconds                                      event.Seconds
	QrelsDigest                                  string
	// Folder is relative to the workspace.
	Folder string
}

const evaluationColumns = `e.id, e.evaluation, e.dataset, e.split, e.name, e.backbone, e.queries, e.documents, e.active_query, e.active_document,
	e.flops, e.tie_share, e.encode_seconds, e.index_seconds, e.search_seconds, e.qrels_digest, e.folder`

// stored is an evaluation with its row.
type stored struct {
	id int64
	Evaluation
}

func scanEvaluation(rows *sql.Rows) (stored, error) {
	var e stored
	figures := make([]sql.NullFloat64, 4)
	err := rows.Scan(&e.id, &e.ID, &e.Dataset, &e.Split, &e.Name, &e.Backbone, &e.Queries, &e.Documents, &figures[0], &figures[1],
		&figures[2], &figures[3], &e.Seconds.Encode, &e.Seconds.Index, &e.Seconds.Search, &e.QrelsDigest, &e.Folder)
	for i, into := range []*float64{&e.ActiveQuery, &e.ActiveDocument, &e.Flops, &e.TieShare} {
		*into = math.NaN()
		if figures[i].Valid {
			*into = figures[i].Float64
		}
	}
	return e, err
}

// Evaluations returns a run's evaluations, of several of one collection and split the
// last, ordered by these.
func (s *Store) Evaluations(ctx context.Context, run string) ([]Evaluation, error) {
	return s.evaluations(ctx, fmt.Sprintf("read evaluations of run %q", run),
		"SELECT "+evaluationColumns+" FROM last_evaluation e WHERE e.run_id = (SELECT id FROM run WHERE run = ?) ORDER BY e.dataset, e.split", run)
}

// Baselines returns the baselines of a sweep in its manifest's order, those that are
// there. Dataset, Name and Backbone are the manifest's words.
func (s *Store) Baselines(ctx context.Context, sweep string) ([]Evaluation, error) {
	return s.evaluations(ctx, fmt.Sprintf("read baselines of sweep %q", sweep), `
		SELECT e.id, e.evaluation, b.dataset, e.split, b.name, b.backbone, e.queries, e.documents, e.active_query, e.active_document,
		       e.flops, e.tie_share, e.encode_seconds, e.index_seconds, e.search_seconds, e.qrels_digest, e.folder
		FROM baseline_member b JOIN evaluation e ON e.evaluation = b.evaluation AND e.run_id IS NULL
		WHERE b.sweep = ? ORDER BY b.position`, sweep)
}

func (s *Store) evaluations(ctx context.Context, what, query string, args ...any) ([]Evaluation, error) {
	rows, err := read(ctx, s, what, scanEvaluation, query, args...)
	if err != nil {
		return nil, err
	}
	var all []Evaluation
	for _, e := range rows {
		values, err := s.db.QueryContext(ctx, "SELECT measure, value FROM measure_value WHERE evaluation_id = ?", e.id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, known(err))
		}
		e.Measures = map[string]float64{}
		for values.Next() {
			var measure string
			var value sql.NullFloat64
			if err := values.Scan(&measure, &value); err != nil {
				values.Close()
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			e.Measures[measure] = math.NaN()
			if value.Valid {
				e.Measures[measure] = value.Float64
			}
		}
		if err := values.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", what, known(err))
		}
		all = append(all, e.Evaluation)
	}
	return all, nil
}

// Score is one row of the scores view.
type Score struct {
	Run, Dataset, Measure string
	Value                 float64
	Queries               int
}

// Scores returns the means of all runs of a sweep, in the order of its runs. A split
// other than test stands behind the dataset's name: "beir:scifact/dev".
func (s *Store) Scores(ctx context.Context, sweep string) ([]Score, error) {
	return read(ctx, s, fmt.Sprintf("read scores of sweep %q", sweep), func(rows *sql.Rows) (Score, error) {
		var c Score
		var value sql.NullFloat64
		err := rows.Scan(&c.Run, &c.Dataset, &c.Measure, &value, &c.Queries)
		c.Value = math.NaN()
		if value.Valid {
			c.Value = value.Float64
		}
		return c, err
	}, `SELECT c.run, c.dataset, c.measure, c.value, c.queries
		FROM scores c JOIN run r ON r.run = c.run JOIN membership p ON p.run_id = r.id AND p.sweep = ? AND p.standing <> 'former'
		ORDER BY p.position, c.dataset, c.measure`, sweep)
}

// QueryScores returns an evaluation's values by measure and query. The id is that of
// an Evaluation, of a run or of a baseline.
func (s *Store) QueryScores(ctx context.Context, evaluation string) (map[string]map[string]float64, error) {
	what := fmt.Sprintf("read query scores of evaluation %q", evaluation)
	rows, err := s.db.QueryContext(ctx, `SELECT v.measure, v.query, v.value FROM query_value v
		WHERE v.evaluation_id = (SELECT max(id) FROM evaluation WHERE evaluation = ?)`, evaluation)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, known(err))
	}
	defer rows.Close()
	all := map[string]map[string]float64{}
	for rows.Next() {
		var measure, query string
		var value sql.NullFloat64
		if err := rows.Scan(&measure, &query, &value); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if all[measure] == nil {
			all[measure] = map[string]float64{}
		}
		all[measure][query] = math.NaN()
		if value.Valid {
			all[measure][query] = value.Float64
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, known(err))
	}
	return all, nil
}
