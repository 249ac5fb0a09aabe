package search

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"headroom/internal/atomic"
)

// SaveOn is Save on another disk.
func SaveOn(disk atomic.Disk, x *Index, dir string) error {
	_, err := create(disk, dir, x.eachBlock)
	return err
}

// Compare are the sums above the worst at this CPU's level and by plain Go: a bit for each of whole groups of 64.
func Compare(sums []float32, worst uint32) (got, want []uint64) {
	got, want = make([]uint64, len(sums)/group), make([]uint64, len(sums)/group)
	compare(got, sums, worst)
	comparePlain(want, sums, worst)
	return got, want
}

// Lists are an index's postings as one array, by term: offsets, documents and weights.
func Lists(x *Index) (offsets []uint64, docs []uint32, weights []float32) {
	offsets = make([]uint64, x.vocab+1)
	for term := range x.vocab {
		offsets[term+1] = offsets[term] + uint64(x.Frequency(uint32(term)))
	}
	docs, weights = make([]uint32, x.postings), make([]float32, x.postings)
	next := slices.Clone(offsets)
	for i := range x.blocks {
		b := &x.blocks[i]
		for _, l := range b.lists {
			for at := l.Start; at < l.Start+l.Count; at++ {
				docs[next[l.Term]], weights[next[l.Term]] = b.first+uint32(b.docs[at]), b.weight(at)
				next[l.Term]++
			}
		}
	}
	return offsets, docs, weights
}

// ToHalf and FromHalf are the conversions of weights.
func ToHalf(weight float32) uint16 { return toHalf(weight) }

func FromHalf(half uint16) float32 { return fromHalf(half) }

// Build indexes documents in memory. Ids must differ; vocab is the number of term ids, or 0 for any ids.
func Build(ids []string, vectors []Vector, vocab int) (*Index, error) {
	if len(ids) != len(vectors) {
		return nil, fmt.Errorf("build index: %d ids but %d vectors", len(ids), len(vectors))
	}
	if vocab < 0 {
		return nil, errors.New("build index: the vocabulary's size is negative")
	}
	builder := NewBuilder(Options{Vocab: vocab, Documents: len(ids)})
	for i, id := range ids {
		if err := builder.Add(id, vectors[i]); err != nil {
			return nil, err
		}
	}
	return builder.Finish()
}

// VectorReader reads vectors whose terms are token ids: {"id":"…","vector":{"<token id>":weight,…}}, one per line,
// gzipped or not. A weight of zero is dropped. A negative weight, a number beyond float32, a repeated term, or a term
// that is no token id is an error that names file and line.
type VectorReader struct {
	rows *rowReader
}

// NewVectorReader starts reading; the name is used in messages.
func NewVectorReader(r io.Reader, name string) (*VectorReader, error) {
	rows, err := newRowReader(r, name)
	if err != nil {
		return nil, err
	}
	return &VectorReader{rows}, nil
}

// Next returns the next vector, and io.EOF at the end.
func (r *VectorReader) Next() (id string, v Vector, err error) {
	var terms []uint32
	var weights []float32
	id, err = r.rows.next(func(term []byte, weight float32) error {
		token, ok := tokenID(term)
		if !ok {
			return fmt.Errorf("term %q: a token id is allowed, digits below %d", term, maxTokenID)
		}
		terms, weights = append(terms, token), append(weights, weight)
		return nil
	})
	if err != nil {
		return "", Vector{}, err
	}
	return id, sortedVector(terms, weights), nil
}

// Line is the line of the row that Next returned last.
func (r *VectorReader) Line() int { return r.rows.line }
