package trec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrNoJudgements is returned when a qrels file has no row: no measure has a mean over no query.
var ErrNoJudgements = errors.New("no judgements in it: a row is `query 0 document grade`, or with BEIR's header query-id, corpus-id, score separated by tabs")

const qrelsForms = "a row is `query 0 document grade`, or the file starts with BEIR's header query-id<TAB>corpus-id<TAB>score"

// OpenQrels reads a qrels file, gzipped or not.
func OpenQrels(path string) (Qrels, error) { return open(path, ReadQrels) }

// ReadQrels reads TREC's four columns or BEIR's tsv with its header. A document judged twice for one query
// is refused, even with the same grade, as trec_eval does. The name is used in messages.
func ReadQrels(r io.Reader, name string) (Qrels, error) {
	qrels := Qrels{}
	err := ScanQrels(r, name, func(query, doc string, grade int) error {
		judged := qrels[query]
		if judged == nil {
			judged = map[string]int{}
			qrels[query] = judged
		}
		judged[doc] = grade
		return nil
	})
	if err != nil {
		return nil, err
	}
	return qrels, nil
}

// ScanQrels calls row for each judgement in file order, under ReadQrels' rules. An error of row ends the
// scan and is returned with file and line.
func ScanQrels(r io.Reader, name string, row func(query, doc string, grade int) error) error {
	text, err := newLines(r, name)
	if err != nil {
		return err
	}
	seen := map[[2]string]int{}
	parse := trecJudgement
	first := true
	for {
		line, ok := text.next()
		if !ok {
			break
		}
		if first && isBEIRHeader(line) {
			parse, first = beirJudgement, false
			continue
		}
		query, doc, grade, skip, err := parse(line)
		if err != nil {
			return text.fault("%w", err)
		}
		if skip {
			continue
		}
		first = false
		key := [2]string{query, doc}
		if before, twice := seen[key]; twice {
			return text.fault("document %q is judged twice for query %q, first in line %d", doc, query, before)
		}
		seen[key] = text.number
		if err := row(query, doc, grade); err != nil {
			return text.fault("%w", err)
		}
	}
	if err := text.err(); err != nil {
		return err
	}
	if len(seen) == 0 {
		return fmt.Errorf("read %q: %w", name, ErrNoJudgements)
	}
	return nil
}

// isBEIRHeader tells BEIR's layout: three tab-separated columns, the last not a number.
func isBEIRHeader(line []byte) bool {
	columns := bytes.Split(trimSpace(line), []byte("\t"))
	if len(columns) != 3 || len(trimSpace(columns[1])) == 0 || line[0] == '#' {
		return false
	}
	_, err := strconv.ParseFloat(string(trimSpace(columns[2])), 64)
	return err != nil
}

func trecJudgement(line []byte) (query, doc string, grade int, skip bool, err error) {
	if line[0] == '#' {
		return "", "", 0, true, nil
	}
	var columns [4][]byte
	if n := fields(line, columns[:]); n != 4 {
		return "", "", 0, false, fmt.Errorf("%d columns: %s", n, qrelsForms)
	}
	grade, err = parseGrade(columns[3])
	return string(columns[0]), string(columns[2]), grade, false, err
}

// beirJudgement splits at tabs only: BEIR's ids may hold spaces.
func beirJudgement(line []byte) (query, doc string, grade int, skip bool, err error) {
	columns := bytes.Split(bytes.TrimRight(line, "\r\n"), []byte("\t"))
	if len(columns) != 3 {
		return "", "", 0, false, fmt.Errorf("%d tab-separated columns: a row under BEIR's header has query-id, corpus-id and score", len(columns))
	}
	if len(columns[0]) == 0 || len(columns[1]) == 0 {
		return "", "", 0, false, errors.New("empty id: a row under BEIR's header has query-id, corpus-id and score")
	}
	grade, err = parseGrade(trimSpace(columns[2]))
	return string(columns[0]), string(columns[1]), grade, false, err
}

// parseGrade takes 32-bit integers: a fraction would have to be rounded silently, as C's atol does.
func parseGrade(field []byte) (int, error) {
	grade, err := strconv.ParseInt(string(field), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("grade %q: an integer of 32 bits is allowed", field)
	}
	return int(grade), nil
}
