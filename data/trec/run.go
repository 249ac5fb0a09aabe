package trec

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// OpenRun reads a run file, gzipped or not.
func OpenRun(path string) (Run, error) { return open(path, ReadRun) }

// ReadRun reads `query Q0 document rank score tag`; the second column, the rank and the tag are ignored. A tag
// may have several words, but a row of more columns is refused where an id may be what holds white space: where
// its fourth column is no number or its sixth is one. A file without rows is a run that found nothing. A score may be infinite but not NaN, which has no place in an order. A
// document twice in one query is refused. The name is used in messages. A row takes about 36 bytes and those of
// its document's id.
func ReadRun(r io.Reader, name string) (Run, error) { return readRun(r, name, scoredRow) }

// row reads the parts of a line that count. The bytes are the line's.
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
	text, err := newLines(r, name)
	if err != nil {
		return nil, err
	}
	run := Run{}
	rows := map[string]*runQuery{}
	var ids arena
	var last *runQuery // rows of one query mostly stand together
	for {
		line, ok := text.next()
		if !ok {
			break
		}
		if trimSpace(line)[0] == '#' {
			continue
		}
		query, doc, score, err := parse(line)
		if err == nil {
			err = noNUL(line)
		}
		if err != nil {
			return nil, text.fault("%w", err)
		}
		if last == nil || last.name != string(query) {
			if last = rows[string(query)]; last == nil {
				last = &runQuery{name: string(query)}
				rows[last.name] = last
			}
		}
		last.scored = append(last.scored, Scored{Doc: ids.keep(doc), Score: score})
		last.lines = append(last.lines, uint32(text.number))
	}
	if err := text.err(); err != nil {
		return nil, err
	}
	if err := findRepeated(name, rows); err != nil {
		return nil, err
	}
	for query, found := range rows {
		run[query] = found.scored
	}
	return run, nil
}

// runQuery is one query's rows while a run is read, each with its line.
type runQuery struct {
	name   string
	scored []Scored
	lines  []uint32
}

// findRepeated reports the first line of the file that repeats a document of its query. Sorting once at the
// end costs a fraction of the memory of a set per query, which a run of millions of rows would feel.
func findRepeated(name string, rows map[string]*runQuery) error {
	var line, before uint32
	var query, doc string
	var order []int32
	for _, found := range rows {
		order = order[:0]
		for i := range found.scored {
			order = append(order, int32(i))
		}
		slices.SortFunc(order, func(a, b int32) int {
			if c := strings.Compare(found.scored[a].Doc, found.scored[b].Doc); c != 0 {
				return c
			}
			return int(a - b)
		})
		for i := 1; i < len(order); i++ {
			a, b := order[i-1], order[i]
			if found.scored[a].Doc == found.scored[b].Doc && (line == 0 || found.lines[b] < line) {
				line, before = found.lines[b], found.lines[a]
				query, doc = found.name, found.scored[b].Doc
			}
		}
	}
	if line == 0 {
		return nil
	}
	return fmt.Errorf("read %s:%d: document %q is twice in query %q, first in line %d", name, line, doc, query, before)
}
