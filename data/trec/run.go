package trec

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"headroom/internal/parallel"
)

// OpenRun reads a run file, gzipped or not.
func OpenRun(path string) (Run, error) { return open(path, ReadRun) }

// ReadRun reads `query Q0 document rank score tag`; the second column, the rank and the tag are ignored. A tag may
// have several words. But a row with more columns is refused if its fourth column is no number or its sixth is one,
// because then an id may have white space. A file without rows is a run that found nothing. A score may be infinite
// but not NaN, which cannot be ordered. A document that is twice in a query is refused. Messages use the name. Parts
// of the file are parsed by as many threads as there are cores. A row takes 24 bytes and those of its document's id.
func ReadRun(r io.Reader, name string) (Run, error) { return readRun(r, name, scoredRow) }

// row reads query, document and score of a line. The bytes share the line's memory.
type row func(line []byte) (query, doc []byte, score float64, err error)

func scoredRow(line []byte) (query, doc []byte, score float64, err error) {
	var columns [7][]byte
	n := fields(line, columns[:])
	switch {
	case n == 3 && isNumber(columns[2]):
		return nil, nil, 0, errors.New("3 columns, as MS MARCO's `query document rank`: that is read by rank (--by-rank); a row is `query Q0 document rank score tag`")
	case n == 4:
		return nil, nil, 0, errors.New("4 columns, as qrels have: a row of a run is `query Q0 document rank score tag`")
	case n > 6 && (!isNumber(columns[3]) || isNumber(columns[5])):
		return nil, nil, 0, fmt.Errorf("%d columns: a row is `query Q0 document rank score tag`, and an id holds no white space", n)
	case n < 6:
		return nil, nil, 0, fmt.Errorf("%d columns: a row is `query Q0 document rank score tag`", n)
	}
	score, err = parseScore(columns[4])
	return columns[0], columns[2], score, err
}

func readRun(r io.Reader, name string, parse row) (Run, error) {
	return readRunParts(r, name, partBytes, runtime.GOMAXPROCS(0), parse)
}

// runQuery is the segments of a query, in most cases one.
type runQuery struct {
	name     string
	segments []segment
}

// gather joins each query's rows and refuses a document that is twice in a query.
func gather(name string, parts []*part, threads int) (Run, error) {
	var queries []*runQuery
	byName := map[string]*runQuery{}
	for _, p := range parts {
		for _, s := range p.segments {
			q := byName[s.query]
			if q == nil {
				q = &runQuery{name: s.query}
				byName[s.query] = q
				queries = append(queries, q)
			}
			q.segments = append(q.segments, s)
		}
	}
	run := make(Run, len(queries))
	for _, q := range queries {
		run[q.name] = q.rows()
	}
	twice := make([]repeated, (len(queries)+together-1)/together)
	parallel.For(len(twice), threads, func(i int) {
		var repeats Repeats
		for _, q := range queries[i*together : min((i+1)*together, len(queries))] {
			rows := run[q.name]
			row, before := repeats.First(len(rows), func(i int) string { return rows[i].Doc })
			if row < 0 {
				continue
			}
			if line := q.line(row); twice[i].line == 0 || line < twice[i].line {
				twice[i] = repeated{line, q.line(before), q.name, rows[row].Doc}
			}
		}
	})
	var first repeated
	for _, r := range twice {
		if r.line > 0 && (first.line == 0 || r.line < first.line) {
			first = r
		}
	}
	if first.line > 0 {
		return nil, fmt.Errorf("read %s:%d: document %q is twice in query %q, first in line %d", name, first.line, first.doc, first.query, first.before)
	}
	return run, nil
}

// together is the number of queries that one thread examines in a row.
const together = 64

// repeated is the first line that repeats a document of its query.
type repeated struct {
	line, before int
	query, doc   string
}

// rows returns all rows of a query. It copies them only if they are not consecutive.
func (q *runQuery) rows() []Scored {
	if len(q.segments) == 1 {
		return slices.Clip(q.segments[0].rows)
	}
	n := 0
	for _, s := range q.segments {
		n += len(s.rows)
	}
	rows := make([]Scored, 0, n)
	for _, s := range q.segments {
		rows = append(rows, s.rows...)
	}
	return rows
}

// line is the line of a row.
func (q *runQuery) line(row int) int {
	for _, s := range q.segments {
		if row < len(s.rows) {
			return s.line + row
		}
		row -= len(s.rows)
	}
	return 0
}
