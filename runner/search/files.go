package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"headroom/data/trec"
)

// tag is the run's name in the files that SearchFile writes.
const tag = "headroom"

// ErrNoVectors is returned when a file of documents holds none.
var ErrNoVectors = errors.New("no vectors in it: " + rowForm)

// Summary describes an index.
type Summary struct {
	Documents int
	Vocab     int
	Postings  uint64
	Words     bool // the terms are words, not token ids
}

// IndexFile indexes a file of document vectors (JSON lines, gzipped or not) and saves the index in dir. If every
// term in the file is a token id, terms are token ids; else they are words, and the index has a dictionary.
// Nothing is written if the file has a fault.
func IndexFile(ctx context.Context, vectors, dir string) (Summary, error) {
	return IndexFileWith(ctx, vectors, dir, Options{})
}

// IndexFileWith is IndexFile with a limit on postings, or with weights of 16 bits; options.Vocab is not used.
func IndexFileWith(ctx context.Context, vectors, dir string, options Options) (Summary, error) {
	file, err := os.Open(vectors)
	if err != nil {
		return Summary{}, noFile(err, vectors)
	}
	defer file.Close()
	options.Vocab = 0
	return Create(dir, options, func(builder *Builder) (*Index, error) { return readIndex(ctx, file, vectors, builder) })
}

// noFile is the error of a file of vectors that cannot be opened.
func noFile(err error, name string) error {
	if name == "-" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read -: there is no such file; allowed: a file, gzipped or not, or /dev/stdin: %w", err)
	}
	return fmt.Errorf("read vectors: %w", err)
}

// Summary describes the index.
func (x *Index) Summary() Summary {
	return Summary{Documents: x.Documents(), Vocab: x.Vocab(), Postings: x.Postings(), Words: x.terms != nil}
}

// readIndex builds an index of a file's vectors.
func readIndex(ctx context.Context, r io.Reader, name string, builder *Builder) (*Index, error) {
	rows, err := newRowReader(r, name)
	if err != nil {
		return nil, err
	}
	terms := newInterner()
	var lines []uint32
	var found Vector // terms in the file's order, with the interner's numbers
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found.Terms, found.Weights = found.Terms[:0], found.Weights[:0]
		id, err := rows.next(func(term []byte, weight float32) error {
			found.Terms, found.Weights = append(found.Terms, terms.id(term)), append(found.Weights, weight)
			return nil
		})
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := builder.add(id, found); err != nil {
			return nil, rows.fault("%w", err)
		}
		lines = append(lines, uint32(rows.line))
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("read %q: %w", name, ErrNoVectors)
	}
	index, err := builder.Finish()
	if twice := new(DuplicateError); errors.As(err, &twice) {
		return nil, fmt.Errorf("read %s:%d: document %q is there twice, first in line %d", name, lines[twice.Second], twice.ID, lines[twice.First])
	}
	if err != nil {
		return nil, err
	}
	var renumbered []uint32
	renumbered, index.vocab, index.terms = terms.finalNumbers()
	for i := range index.blocks {
		b := &index.blocks[i]
		for j := range b.lists {
			b.lists[j].Term = renumbered[b.lists[j].Term]
		}
		b.sortLists()
	}
	return index, nil
}

// Queries are the vectors of a file, in its order.
type Queries struct {
	IDs     []string
	Vectors []Vector
}

// ReadQueries reads query vectors for this index. Their terms are token ids or words, as in its documents. Words that
// no document has are left out. A repeated query id is an error.
func (x *Index) ReadQueries(r io.Reader, name string) (*Queries, error) {
	rows, err := newRowReader(r, name)
	if err != nil {
		return nil, err
	}
	queries := &Queries{}
	seen := map[string]int{}
	for {
		var terms []uint32
		var weights []float32
		id, err := rows.next(func(term []byte, weight float32) error {
			number, known, err := x.term(term)
			if known {
				terms, weights = append(terms, number), append(weights, weight)
			}
			return err
		})
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if id[0] == '#' {
			return nil, rows.fault("query %q: a query that starts with # would be a comment in a run", id)
		}
		if before, twice := seen[id]; twice {
			return nil, rows.fault("query %q is there twice, first in line %d", id, before)
		}
		seen[id] = rows.line
		queries.IDs = append(queries.IDs, id)
		queries.Vectors = append(queries.Vectors, sortedVector(terms, weights))
	}
	if len(queries.IDs) == 0 {
		return nil, fmt.Errorf("read %q: %w", name, ErrNoVectors)
	}
	return queries, nil
}

// term finds a query's term.
func (x *Index) term(term []byte) (number uint32, known bool, err error) {
	if x.terms != nil {
		number, known = x.terms.ids[string(term)]
		return number, known, nil
	}
	number, known = tokenID(term)
	if !known {
		return 0, false, fmt.Errorf("term %q: the index's terms are token ids, digits below %d", term, maxTokenID)
	}
	return number, true, nil
}

// SearchFile loads the index in dir, searches the queries of a file (JSON lines, gzipped or not) and writes
// the best k of each as a TREC run. Queries that find nothing have no rows: SearchFile returns their ids, in the
// file's order, and the number of all queries. Nothing is written if a file has a fault.
func SearchFile(ctx context.Context, dir, queries string, k int, w io.Writer) (empty []string, asked int, err error) {
	if k < 1 {
		return nil, 0, fmt.Errorf("%w, not %d", ErrCutoff, k)
	}
	file, err := os.Open(queries)
	if err != nil {
		return nil, 0, noFile(err, queries)
	}
	defer file.Close()
	index, err := Load(dir)
	if err != nil {
		return nil, 0, err
	}
	defer index.Close()
	found, err := index.ReadQueries(file, queries)
	if err != nil {
		return nil, 0, err
	}
	hits, err := index.SearchAll(ctx, found.Vectors, k, 0)
	if err != nil {
		return nil, 0, err
	}
	for i, id := range found.IDs {
		if len(hits[i]) == 0 {
			empty = append(empty, id)
		}
	}
	return empty, len(found.IDs), trec.WriteRun(w, ToRun(found.IDs, hits), tag)
}

// ToRun makes a run of hits; ids are the queries' ids in the same order.
func ToRun(ids []string, hits [][]Hit) trec.Run {
	run := make(trec.Run, len(ids))
	for i, id := range ids {
		scored := make([]trec.Scored, len(hits[i]))
		for j, hit := range hits[i] {
			scored[j] = trec.Scored{Doc: hit.ID, Score: float64(hit.Score)}
		}
		run[id] = scored
	}
	return run
}
