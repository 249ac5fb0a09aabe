package trec

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// OpenRun reads a run file, gzipped or not.
func OpenRun(path string) (Run, error) { return open(path, ReadRun) }

// ReadRun reads `query Q0 document rank score tag`; further columns are ignored, and so are the second, the
// rank and the tag. A file without rows is a run that found nothing. A score may be infinite but not NaN,
// which has no place in an order. A document twice in one query is refused. The name is used in messages.
func ReadRun(r io.Reader, name string) (Run, error) {
	text, err := newLines(r, name)
	if err != nil {
		return nil, err
	}
	run := Run{}
	rows := map[string]*runQuery{}
	var last *runQuery // rows of one query mostly stand together
	for {
		line, ok := text.next()
		if !ok {
			break
		}
		if trimSpace(line)[0] == '#' {
			continue
		}
		var columns [6][]byte
		if n := fields(line, columns[:]); n < 6 {
			return nil, text.fault("%d columns: a row is `query Q0 document rank score tag`", n)
		}
		score, err := strconv.ParseFloat(string(columns[4]), 64)
		if err != nil || math.IsNaN(score) {
			return nil, text.fault("score %q: a number is allowed", columns[4])
		}
		if last == nil || last.name != string(columns[0]) {
			if last = rows[string(columns[0])]; last == nil {
				last = &runQuery{name: string(columns[0])}
				rows[last.name] = last
			}
		}
		last.scored = append(last.scored, Scored{Doc: string(columns[2]), Score: score})
		last.lines = append(last.lines, text.number)
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
	lines  []int
}

// findRepeated reports the first line of the file that repeats a document of its query. Sorting once at the
// end costs a fraction of the memory of a set per query, which a run of millions of rows would feel.
func findRepeated(name string, rows map[string]*runQuery) error {
	line, before := 0, 0
	var query, doc string
	for _, found := range rows {
		order := make([]int, len(found.scored))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			if c := strings.Compare(found.scored[a].Doc, found.scored[b].Doc); c != 0 {
				return c
			}
			return a - b
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
