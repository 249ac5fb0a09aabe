package store

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/seal"
	"headroom/metrics/record"
)

// queryValue is one line of per_query.tsv.
type queryValue struct {
	query, measure string
	value          float64
}

// evaluations folds the evaluations below a folder of the workspace, whose path has slashes;
// run is empty for baselines.
func (f *fold) evaluations(folder, run string, before *state) error {
	at := filepath.Join(f.workspace, filepath.FromSlash(folder))
	names, err := folders(at)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, name := range names {
		place := path.Join(folder, name)
		stamp, err := stampOf(filepath.Join(at, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a run asks for it, and it is not made yet
		}
		if err != nil {
			return err
		}
		there[name] = true
		if before.evaluations[folder][name] == stamp {
			continue
		}
		if err := f.evaluation(place, run, stamp); err != nil {
			return fmt.Errorf("evaluation %q: %w", place, err)
		}
	}
	for name := range before.evaluations[folder] {
		if !there[name] {
			if err := f.inTx(func(tx *sql.Tx) error { return f.drop(tx, path.Join(folder, name)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// stampOf returns a text that changes when one of an evaluation's files does.
func stampOf(folder string) (string, error) {
	info, err := os.Stat(filepath.Join(folder, record.SummaryFile))
	if err != nil {
		return "", err
	}
	stamp := fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
	for _, name := range []string{record.PerQueryFile, record.CurveFile} {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil {
			stamp += fmt.Sprint(" ", info.Size(), " ", info.ModTime().UnixNano())
		}
	}
	return stamp, nil
}

func (f *fold) drop(tx *sql.Tx, place string) error {
	f.unsettled = true
	_, err := tx.ExecContext(f.ctx, "DELETE FROM evaluation WHERE folder = ?", place)
	return err
}

// evaluation folds one evaluation and replaces its former rows. An evaluation that cannot
// be read is left out.
func (f *fold) evaluation(place, run, stamp string) error {
	path := filepath.Join(f.workspace, filepath.FromSlash(place))
	s, err := record.ReadEvaluation(path)
	var values []queryValue
	var cuts map[cutOf][]queryValue
	if err == nil && s.Refused == "" {
		err = s.Check(path, record.PerQueryFile, nil)
		if err == nil {
			values, err = readPerQuery(filepath.Join(path, record.PerQueryFile))
		}
		if err == nil {
			err = consistent(filepath.Join(path, record.PerQueryFile), s.Measures, s.Queries, values)
		}
		if err == nil {
			cuts, err = curve(path, s, values)
		}
	}
	if err != nil {
		f.fault(err)
	}
	bad := err != nil
	return f.inTx(func(tx *sql.Tx) error {
		if err := f.drop(tx, place); err != nil || bad {
			return err
		}
		var owner sql.NullInt64
		if run != "" {
			id, err := runID(f.ctx, tx, run)
			if err != nil {
				return err
			}
			owner = sql.NullInt64{Int64: id, Valid: true}
		}
		if s.ID == "" {
			s.ID = filepath.Base(path)
		}
		if s.Collection == "" {
			s.Collection = "unknown:" + s.Dataset // of an older program, which recorded only the name of the data
		}
		var encoding any
		if s.Encoding != nil {
			text, err := json.Marshal(s.Encoding)
			if err != nil {
				return err
			}
			encoding = string(text)
		}
		result, err := tx.ExecContext(f.ctx, `INSERT INTO evaluation (run_id, evaluation, encoder, collection, split, measures_version, reference, name, backbone,
			encoding, queries, documents, active_query, active_document, flops, encode_seconds, index_seconds, search_seconds, tie_share, tie_mass, folder, stamp)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			owner, s.ID, s.Encoder, s.Collection, s.Split, s.MeasuresVersion, s.Dataset, s.Name, s.Backbone,
			encoding, s.Queries, s.Documents, nullable(s.ActiveQuery), nullable(s.ActiveDocument), nullable(s.Flops),
			s.Seconds.Encode, s.Seconds.Index, s.Seconds.Search, nullable(s.TieShare), nullable(s.TieMass), place, stamp)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		for measure, v := range s.Measures {
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO measure_value (evaluation_id, measure, value) VALUES (?,?,?)", id, measure, v); err != nil {
				return err
			}
		}
		insert, err := tx.PrepareContext(f.ctx, "INSERT INTO query_value (evaluation_id, measure, query, value) VALUES (?,?,?,?)")
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, v := range values {
			if _, err := insert.ExecContext(f.ctx, id, v.measure, v.query, v.value); err != nil {
				return err
			}
		}
		return f.insertCurve(tx, id, s, cuts)
	})
}

// nullable returns a figure, or NULL if the evaluation does not have it.
func nullable(v *float64) sql.NullFloat64 {
	if v == nil {
		return sql.NullFloat64{}
	}
	return sql.NullFloat64{Float64: *v, Valid: true}
}

// consistent compares the values per query with the summary. There is one value per query and measure. The measure is
// their mean, or their sum if it is a count, such as NumRet. Both files are written together, so a difference is
// damage, also in a file without a digest.
func consistent(path string, measures map[string]float64, queries int, values []queryValue) error {
	rows, sums := map[string]int{}, map[string]float64{}
	for _, v := range values {
		rows[v.measure]++
		sums[v.measure] += v.value
	}
	bad := func(what string, args ...any) error {
		return fmt.Errorf("read evaluation: %w", &seal.Damage{Path: path, What: fmt.Sprintf(what, args...)})
	}
	for _, measure := range slices.Sorted(maps.Keys(rows)) {
		if _, ok := measures[measure]; !ok {
			return bad("it has values of %q, which the summary does not have", measure)
		}
	}
	for _, measure := range slices.Sorted(maps.Keys(measures)) {
		mean := sums[measure] / float64(max(1, rows[measure]))
		switch {
		case rows[measure] != queries:
			return bad("it has %d values of %s, and the summary says %d queries", rows[measure], measure, queries)
		case !sameSum(mean, measures[measure]) && !sameSum(sums[measure], measures[measure]):
			return bad("the mean of its values of %s is %v, the summary says %v", measure, mean, measures[measure])
		}
	}
	return nil
}

// sameSum reports whether two sums of the same numbers are equal. They may have been added in
// different orders.
func sameSum(a, b float64) bool {
	const rounding = 1e-9
	return math.Abs(a-b) <= rounding*max(1, math.Abs(a))
}

func readPerQuery(path string) ([]queryValue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read evaluation: %w", err)
	}
	const header = "query\tmeasure\tvalue"
	var values []queryValue
	seen := map[[2]string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		bad := func(what string) error {
			return fmt.Errorf("read evaluation %s:%d: %s", path, n, what)
		}
		if n == 1 {
			if lines.Text() != header {
				return nil, bad(fmt.Sprintf("header is %q: want %q", lines.Text(), header))
			}
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 {
			return nil, bad(fmt.Sprintf("%d columns: want query, measure and value", len(fields)))
		}
		value, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			return nil, bad(fmt.Sprintf("value is %q: want a number", fields[2]))
		}
		key := [2]string{fields[0], fields[1]}
		if seen[key] {
			return nil, bad(fmt.Sprintf("query %q has %s twice", fields[0], fields[1]))
		}
		seen[key] = true
		values = append(values, queryValue{fields[0], fields[1], value})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read evaluation %s: %w", path, err)
	}
	return values, nil
}
