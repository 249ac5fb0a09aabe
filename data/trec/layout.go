package trec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const qrelsForms = "a row is `query 0 document grade`, or the file starts with a header that names its columns, as BEIR's query-id<TAB>corpus-id<TAB>score"

// column is the meaning of a column of qrels.
type column int

const (
	queryColumn column = iota
	docColumn
	gradeColumn
	iterationColumn
)

// columnNames returns the names of columns in headers; case, hyphens and underscores do not matter.
func columnNames() map[column][]string {
	return map[column][]string{
		queryColumn:     {"queryid", "qid", "query", "topic", "topicid"},
		docColumn:       {"corpusid", "docid", "did", "docno", "doc", "document", "documentid", "pid", "passageid"},
		gradeColumn:     {"score", "relevance", "rel", "grade", "label", "judgment", "judgement"},
		iterationColumn: {"iteration", "iter", "q0"},
	}
}

// layout holds the positions of the columns of a qrels file.
type layout struct {
	at    map[column]int
	width int
	tabs  bool // columns end at tabs only
	named bool // by a header
}

// plainLayout is TREC's four columns.
func plainLayout() layout {
	return layout{at: map[column]int{queryColumn: 0, iterationColumn: 1, docColumn: 2, gradeColumn: 3}, width: 4}
}

// firstRow reports whether the first row of a file is a header, whose layout it returns, or data. A grade is a number,
// so a row without a number is not data: it is a header with known names, or an error.
func firstRow(line []byte) (l layout, header bool, err error) {
	names := splitRow(line, bytes.ContainsRune(line, '\t'))
	for _, name := range names {
		if _, err := strconv.ParseFloat(string(trimSpace(name)), 64); err == nil {
			return plainLayout(), false, nil
		}
	}
	l = layout{at: map[column]int{}, width: len(names), tabs: bytes.ContainsRune(line, '\t'), named: true}
	for i, name := range names {
		plain := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(string(trimSpace(name))))
		known := false
		for of, spellings := range columnNames() {
			if !slices.Contains(spellings, plain) {
				continue
			}
			if _, twice := l.at[of]; twice {
				return l, false, fmt.Errorf("header %q: two columns of one meaning", line)
			}
			l.at[of], known = i, true
		}
		if !known {
			return l, false, fmt.Errorf("%q is neither a row, which has a number as its grade, nor a known header (%q is no column's name): %s", line, trimSpace(name), qrelsForms)
		}
	}
	for of, what := range map[column]string{queryColumn: "query-id", docColumn: "corpus-id", gradeColumn: "score"} {
		if _, there := l.at[of]; !there {
			return l, false, fmt.Errorf("header %q has no column %s: %s", line, what, qrelsForms)
		}
	}
	return l, true, nil
}

func splitRow(line []byte, tabs bool) [][]byte {
	if tabs {
		return bytes.Split(bytes.Trim(line, "\r\n"), []byte("\t"))
	}
	return bytes.FieldsFunc(line, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
}

// read returns the parts of a row, which share the line's memory.
func (l layout) read(line []byte) (query, doc []byte, grade int, err error) {
	var columns [8][]byte
	n := 0
	if l.tabs {
		for part := range bytes.SplitSeq(bytes.TrimRight(line, "\r\n"), []byte("\t")) {
			if n < len(columns) {
				columns[n] = part
			}
			n++
		}
	} else {
		n = fields(line, columns[:])
	}
	switch {
	case n != l.width && l.tabs:
		return nil, nil, 0, fmt.Errorf("%d tab-separated columns: the header has %d", n, l.width)
	case n != l.width && l.named:
		return nil, nil, 0, fmt.Errorf("%d columns: the header has %d", n, l.width)
	case n == 6 && !l.named:
		return nil, nil, 0, fmt.Errorf("6 columns, as a run has: the qrels come before the run; %s", qrelsForms)
	case n != l.width:
		return nil, nil, 0, fmt.Errorf("%d columns: %s", n, qrelsForms)
	}
	query, doc = columns[l.at[queryColumn]], columns[l.at[docColumn]]
	for _, id := range [][]byte{query, doc} {
		if len(id) == 0 {
			return nil, nil, 0, errors.New("an id is empty")
		}
		if slices.ContainsFunc(id, isSpace) {
			return nil, nil, 0, fmt.Errorf("id %q: white space is not allowed, no row of a run can have it", id)
		}
	}
	grade, err = parseGrade(trimSpace(columns[l.at[gradeColumn]]))
	return query, doc, grade, err
}
