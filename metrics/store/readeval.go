package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/sweeps"
)

// Evaluation has the results of a run or of a baseline on one collection.
type Evaluation struct {
	ID string
	// Dataset is the collection's label, and Collection its digest: one label never has two.
	// Reference is where it was found.
	Dataset, Collection, Reference string
	Split                          string
	// Current is true if the collection's files are unchanged since, and the measures are
	// of the newest version; otherwise the evaluation is superseded.
	Current bool
	// Name and Backbone are of a baseline: "bm25", or "untrained" and its backbone.
	Name, Backbone string
	// Encoding is the form and the lengths of the vectors, nil for BM25 and if an older
	// program did not record it.
	Encoding           *sweeps.Encoding
	Queries, Documents int
	Measures           map[string]float64
	// ActiveQuery, ActiveDocument, Flops, TieShare and TieMass are NaN if they do not apply
	// or were not recorded.
	ActiveQuery, ActiveDocument, Flops, TieShare, TieMass float64
	Seconds                                               event.Seconds
	// Folder is relative to the workspace.
	Folder string
}

// Scope selects evaluations, and says how collections are named.
type Scope struct {
	// Sweep gives its collections the names that its own file has; "" gives every
	// collection its label in the workspace.
	Sweep string
	// Superseded adds those that are not current.
	Superseded bool
}

// Collection is a collection that a sweep asks for.
type Collection struct {
	Reference, Split string
	// Digest is the digest of the collection; "" if no command has read it yet.
	Digest string
	// Label is its name in the sweep's tables.
	Label string
}

// Collections lists what a sweep asks for, in the order of its file.
func (s *Store) Collections(ctx context.Context, sweep string) ([]Collection, error) {
	return read(ctx, s, fmt.Sprintf("read collections of sweep %q", sweep), func(rows *sql.Rows) (Collection, error) {
		var c Collection
		return c, rows.Scan(&c.Reference, &c.Split, &c.Digest, &c.Label)
	}, "SELECT reference, split, collection, label FROM asked WHERE sweep = ? ORDER BY position", sweep)
}

const evaluationColumns = `e.id, e.evaluation, e.label, e.collection, e.reference, e.split, e.current, e.name, e.backbone, e.encoding, e.queries, e.documents,
	e.active_query, e.active_document, e.flops, e.tie_share, e.tie_mass, e.encode_seconds, e.index_seconds, e.search_seconds, e.folder`

// stored is an evaluation with its row.
type stored struct {
	id int64
	Evaluation
}

// scanEvaluation reads evaluationColumns, and the columns before them.
func scanEvaluation(rows *sql.Rows, before ...any) (stored, error) {
	var e stored
	var encoding sql.NullString
	figures := make([]sql.NullFloat64, 5)
	err := rows.Scan(append(before, &e.id, &e.ID, &e.Dataset, &e.Collection, &e.Reference, &e.Split, &e.Current, &e.Name, &e.Backbone, &encoding, &e.Queries, &e.Documents,
		&figures[0], &figures[1], &figures[2], &figures[3], &figures[4], &e.Seconds.Encode, &e.Seconds.Index, &e.Seconds.Search, &e.Folder)...)
	for i, into := range []*float64{&e.ActiveQuery, &e.ActiveDocument, &e.Flops, &e.TieShare, &e.TieMass} {
		*into = math.NaN()
		if figures[i].Valid {
			*into = figures[i].Float64
		}
	}
	if err == nil && encoding.Valid {
		err = json.Unmarshal([]byte(encoding.String), &e.Encoding)
	}
	return e, err
}

// Evaluations returns a run's evaluations by collection and split.
func (s *Store) Evaluations(ctx context.Context, run string, scope Scope) ([]Evaluation, error) {
	return s.evaluations(ctx, fmt.Sprintf("read evaluations of run %q", run), scope,
		"SELECT "+evaluationColumns+` FROM evaluation e WHERE e.run_id = (SELECT id FROM run WHERE run = ?) AND (e.current OR ?)
		ORDER BY e.label, e.split, e.evaluation`, run, scope.Superseded)
}

// EvaluationsOfRuns returns the evaluations of all runs that a sweep has or had, by run,
// each list in the order of Evaluations.
func (s *Store) EvaluationsOfRuns(ctx context.Context, scope Scope) (map[string][]Evaluation, error) {
	what := fmt.Sprintf("read evaluations of sweep %q", scope.Sweep)
	var runs []string
	rows, err := read(ctx, s, what, func(rows *sql.Rows) (stored, error) {
		var run string
		e, err := scanEvaluation(rows, &run)
		runs = append(runs, run)
		return e, err
	}, "SELECT r.run, "+evaluationColumns+` FROM evaluation e JOIN run r ON r.id = e.run_id
		WHERE e.run_id IN (SELECT run_id FROM member WHERE sweep = ?) AND (e.current OR ?) ORDER BY r.run, e.label, e.split, e.evaluation`, scope.Sweep, scope.Superseded)
	if err == nil {
		err = s.complete(ctx, what, scope, rows)
	}
	if err != nil {
		return nil, err
	}
	all := map[string][]Evaluation{}
	for i, e := range rows {
		all[runs[i]] = append(all[runs[i]], e.Evaluation)
	}
	return all, nil
}

// Baselines returns the baselines of a sweep that are evaluated, in its manifest's order.
// Name and Backbone are the manifest's.
func (s *Store) Baselines(ctx context.Context, scope Scope) ([]Evaluation, error) {
	columns := strings.NewReplacer("e.current", "b.current", "e.name", "b.name", "e.backbone", "b.backbone").Replace(evaluationColumns)
	return s.evaluations(ctx, fmt.Sprintf("read baselines of sweep %q", scope.Sweep), scope,
		"SELECT "+columns+` FROM sweep_baseline b JOIN evaluation e ON e.id = b.evaluation_id
		WHERE b.sweep = ? AND (b.current OR ?) ORDER BY b.position, e.label, e.split, e.evaluation`, scope.Sweep, scope.Superseded)
}

// rename gives evaluations the labels that a sweep's file has for their collections.
func (s *Store) rename(ctx context.Context, scope Scope, evaluations []stored) error {
	if scope.Sweep == "" {
		return nil
	}
	asked, err := s.Collections(ctx, scope.Sweep)
	if err != nil {
		return err
	}
	digests := map[contents]string{}
	labels := map[reference]string{}
	for _, c := range asked {
		digests[contents{c.Digest, c.Split}] = c.Label
		labels[reference{c.Label, c.Split}] = c.Digest
	}
	for i := range evaluations {
		e := &evaluations[i]
		other, taken := labels[reference{e.Dataset, e.Split}]
		switch label := digests[contents{e.Collection, e.Split}]; {
		case label != "" && e.Current:
			e.Dataset = label
		case taken && other != e.Collection:
			e.Dataset = record.WithDigest(e.Dataset, e.Collection)
		}
	}
	return nil
}

func (s *Store) evaluations(ctx context.Context, what string, scope Scope, query string, args ...any) ([]Evaluation, error) {
	rows, err := read(ctx, s, what, func(rows *sql.Rows) (stored, error) { return scanEvaluation(rows) }, query, args...)
	if err == nil {
		err = s.complete(ctx, what, scope, rows)
	}
	if err != nil {
		return nil, err
	}
	var all []Evaluation
	for _, e := range rows {
		all = append(all, e.Evaluation)
	}
	return all, nil
}

// complete gives evaluations the labels of a scope, and their measures.
func (s *Store) complete(ctx context.Context, what string, scope Scope, evaluations []stored) error {
	if err := s.rename(ctx, scope, evaluations); err != nil {
		return err
	}
	ids, at := make([]int64, len(evaluations)), map[int64]int{}
	for i := range evaluations {
		evaluations[i].Measures = map[string]float64{}
		ids[i], at[evaluations[i].id] = evaluations[i].id, i
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT evaluation_id, measure, value FROM measure_value WHERE evaluation_id IN (SELECT value FROM json_each(?))", string(list))
	if err != nil {
		return fmt.Errorf("%s: %w", what, withSentinel(err))
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var measure string
		var value sql.NullFloat64
		if err := rows.Scan(&id, &measure, &value); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		evaluations[at[id]].Measures[measure] = math.NaN()
		if value.Valid {
			evaluations[at[id]].Measures[measure] = value.Float64
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, withSentinel(err))
	}
	return nil
}

// QueryScores returns an evaluation's values by measure and query. The id is that of
// an Evaluation, of a run or of a baseline.
func (s *Store) QueryScores(ctx context.Context, evaluation string) (map[string]map[string]float64, error) {
	what := fmt.Sprintf("read query scores of evaluation %q", evaluation)
	rows, err := s.db.QueryContext(ctx, `SELECT v.measure, v.query, v.value FROM query_value v
		WHERE v.evaluation_id = (SELECT max(id) FROM evaluation WHERE evaluation = ?)`, evaluation)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, withSentinel(err))
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
		return nil, fmt.Errorf("%s: %w", what, withSentinel(err))
	}
	return all, nil
}
