package store

import (
	"bufio"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/gunzip"
	"headroom/internal/seal"
	"headroom/metrics/record"
)

// cutOf identifies a cut: its side and its number of terms.
type cutOf struct {
	side  string
	terms int
}

// curve reads the values per query of an evaluation's cuts. It returns an error if they are
// not the cuts of the summary.
func curve(folder string, s record.Evaluation, whole []queryValue) (map[cutOf][]queryValue, error) {
	if len(s.Curve) == 0 {
		return nil, nil
	}
	if err := s.Check(folder, record.CurveFile, nil); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, record.CurveFile)
	values, err := readCurve(path)
	if err != nil {
		return nil, err
	}
	known := map[cutOf]bool{}
	for _, c := range s.Curve {
		at := cutOf{c.Side, c.Terms}
		if known[at] {
			return nil, damaged(folder, record.SummaryFile, "it has the cut %s %d twice", c.Side, c.Terms)
		}
		known[at] = true
		// A cut has the same measures of the same queries as the whole.
		if !slices.Equal(slices.Sorted(maps.Keys(c.Measures)), slices.Sorted(maps.Keys(s.Measures))) {
			return nil, damaged(folder, record.SummaryFile, "the cut %s %d has other measures than the whole", c.Side, c.Terms)
		}
		if err := consistent(path, c.Measures, s.Queries, values[at]); err != nil {
			return nil, err
		}
		if !slices.Equal(queriesOf(values[at]), queriesOf(whole)) {
			return nil, damaged(folder, record.CurveFile, "the cut %s %d has other queries than %s", c.Side, c.Terms, record.PerQueryFile)
		}
	}
	for at := range values {
		if !known[at] {
			return nil, damaged(folder, record.CurveFile, "it has the cut %s %d, which the summary does not have", at.side, at.terms)
		}
	}
	return values, nil
}

func damaged(folder, file, what string, args ...any) error {
	return fmt.Errorf("read evaluation: %w", &seal.Damage{Path: filepath.Join(folder, file), What: fmt.Sprintf(what, args...)})
}

// queriesOf returns the queries that have values, each once, in byte order.
func queriesOf(values []queryValue) []string {
	queries := map[string]bool{}
	for _, v := range values {
		queries[v.query] = true
	}
	return slices.Sorted(maps.Keys(queries))
}

func readCurve(path string) (map[cutOf][]queryValue, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read evaluation: %w", err)
	}
	defer file.Close()
	fault := func(err error) error { return fmt.Errorf("read evaluation %s: %w", path, err) }
	text, err := gunzip.NewReader(file)
	if err != nil {
		return nil, fault(err)
	}
	const header = "side\tterms\tmeasure\tquery\tvalue"
	all := map[cutOf][]queryValue{}
	type key struct {
		at             cutOf
		query, measure string
	}
	seen := map[key]bool{}
	lines := bufio.NewScanner(text)
	for n := 1; lines.Scan(); n++ {
		bad := func(what string, args ...any) error {
			return fmt.Errorf("read evaluation %s:%d: %s", path, n, fmt.Sprintf(what, args...))
		}
		if n == 1 {
			if lines.Text() != header {
				return nil, bad("header is %q: want %q", lines.Text(), header)
			}
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 5 {
			return nil, bad("%d columns: want side, terms, measure, query and value", len(fields))
		}
		terms, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, bad("terms is %q: want an integer", fields[1])
		}
		value, err := strconv.ParseFloat(fields[4], 64)
		if err != nil {
			return nil, bad("value is %q: want a number", fields[4])
		}
		k := key{cutOf{fields[0], terms}, fields[3], fields[2]}
		if seen[k] {
			return nil, bad("query %q has %s twice at %s %d", k.query, k.measure, k.at.side, k.at.terms)
		}
		seen[k] = true
		all[k.at] = append(all[k.at], queryValue{query: k.query, measure: k.measure, value: value})
	}
	if err := lines.Err(); err != nil {
		return nil, fault(err)
	}
	if _, err := io.Copy(io.Discard, text); err != nil {
		return nil, fault(err)
	}
	return all, nil
}

// insertCurve stores an evaluation's cuts.
func (f *fold) insertCurve(tx *sql.Tx, evaluation int64, s record.Evaluation, values map[cutOf][]queryValue) error {
	for _, c := range s.Curve {
		result, err := tx.ExecContext(f.ctx, "INSERT INTO cut (evaluation_id, side, terms, active_query, active_document, flops) VALUES (?,?,?,?,?,?)",
			evaluation, c.Side, c.Terms, c.ActiveQuery, c.ActiveDocument, c.Flops)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		list := slices.Clone(values[cutOf{c.Side, c.Terms}])
		slices.SortFunc(list, func(a, b queryValue) int { return strings.Compare(a.query, b.query) })
		packed := map[string][]byte{}
		for _, v := range list {
			packed[v.measure] = binary.LittleEndian.AppendUint64(packed[v.measure], math.Float64bits(v.value))
		}
		for _, measure := range slices.Sorted(maps.Keys(c.Measures)) {
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO cut_value (cut_id, measure, value, queries) VALUES (?,?,?,?)", id, measure, c.Measures[measure], packed[measure]); err != nil {
				return err
			}
		}
	}
	return nil
}
