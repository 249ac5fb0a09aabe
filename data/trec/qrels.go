package trec

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
)

// ErrNoJudgements is returned when a qrels file has no row: there is no mean over no queries.
var ErrNoJudgements = errors.New("no judgements in it: " + qrelsForms)

// OpenQrels reads a qrels file, gzipped or not.
func OpenQrels(path string) (Qrels, error) { return open(path, ReadQrels) }

// ReadQrels reads TREC's four columns, or columns under a header that names them, in any order: BEIR's tsv has
// query-id, corpus-id and score. Like trec_eval, it refuses a document that is judged twice for a query, even with
// the same grade. Messages use the name. A row takes about 60 bytes and those of the document's id, and 40 more
// while it is read; a query takes 300 more.
func ReadQrels(r io.Reader, name string) (Qrels, error) {
	qrels := Qrels{}
	var ids arena
	var last string
	var judged map[string]int
	err := scanQrels(r, name, func(query, doc []byte, grade int) error {
		if judged == nil || last != string(query) {
			if judged = qrels[string(query)]; judged == nil {
				judged = map[string]int{}
				qrels[string(query)] = judged
			}
			last = string(query)
		}
		judged[ids.keep(doc)] = grade
		return nil
	})
	if err != nil {
		return nil, err
	}
	return qrels, nil
}

// ScanQrels calls row for each judgement in file order, under ReadQrels' rules. An error of row ends the
// scan and is returned with file and line. It keeps about 40 bytes per row to find repeated ones.
func ScanQrels(r io.Reader, name string, row func(query, doc string, grade int) error) error {
	var ids arena
	var last string
	return scanQrels(r, name, func(query, doc []byte, grade int) error {
		if last != string(query) {
			last = ids.keep(query)
		}
		return row(last, ids.keep(doc), grade)
	})
}

func scanQrels(r io.Reader, name string, row func(query, doc []byte, grade int) error) error {
	text, err := newLines(r, name)
	if err != nil {
		return err
	}
	seen := newPairs()
	var columns layout
	first := true
	for {
		line, ok := text.next()
		if !ok {
			break
		}
		if line[0] == '#' && !columns.named {
			continue
		}
		if err := noNUL(line); err != nil {
			return text.fault("%w", err)
		}
		if first {
			first = false
			var header bool
			if columns, header, err = firstRow(line); err != nil {
				return text.fault("%w", err)
			}
			if header {
				continue
			}
		}
		query, doc, grade, err := columns.read(line)
		if err != nil {
			return text.fault("%w", err)
		}
		if before := seen.add(query, doc, text.number); before > 0 {
			return text.fault("document %q is judged twice for query %q, first in line %d", doc, query, before)
		}
		if err := row(query, doc, grade); err != nil {
			return text.fault("%w", err)
		}
	}
	if err := text.err(); err != nil {
		return err
	}
	if len(seen.lines) == 0 {
		return fmt.Errorf("read %q: %w", name, ErrNoJudgements)
	}
	return nil
}

// pairs remembers pairs of query and document by a hash of 128 bits. Among files with a billion rows, one in 10^20 has
// two different pairs with the same hash.
type pairs struct {
	seeds [2]maphash.Seed
	lines map[[2]uint64]uint32
}

func newPairs() *pairs {
	return &pairs{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, lines: map[[2]uint64]uint32{}}
}

// add returns the line that had the pair before, or 0.
func (p *pairs) add(query, doc []byte, line int) (before uint32) {
	var key [2]uint64
	for i, seed := range p.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		h.Write(query)
		h.WriteByte(0) // separates query and document: no line has this byte
		h.Write(doc)
		key[i] = h.Sum64()
	}
	if before, twice := p.lines[key]; twice {
		return before
	}
	p.lines[key] = uint32(line)
	return 0
}
