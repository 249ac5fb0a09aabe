package search

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Options of a Builder. The zero value is right where nothing is known beforehand.
type Options struct {
	// Vocab is the number of term ids; a larger id is an error. 0: as many as turn up.
	Vocab int
	// Documents is how many documents will come; with it, too large an index is refused after the first
	// thousand instead of when the limit is reached. 0: not known.
	Documents int
	// MaxPostings is the most postings the index may have. 0: what fits into three quarters of the free memory.
	MaxPostings uint64
}

// DuplicateError is returned when two documents have the same id; First and Second are their positions.
type DuplicateError struct {
	ID            string
	First, Second int
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("build index: document %q is there twice, at positions %d and %d", e.ID, e.First, e.Second)
}

// Builder collects documents and makes an Index of them. It copies what it is given. Not safe for
// concurrent use.
type Builder struct {
	options Options
	limit   uint64
	ids     []string
	ends    []uint64 // of each document in terms and weights
	terms   []uint32
	weights []float32
	top     int64 // largest term, -1 without any
}

// NewBuilder starts an empty builder.
func NewBuilder(options Options) *Builder {
	limit := options.MaxPostings
	if limit == 0 {
		limit = defaultLimit()
	}
	return &Builder{options: options, limit: limit, top: -1}
}

// estimateAfter is how many documents are read before the whole is extrapolated from them.
const estimateAfter = 1000

// Add takes the next document. The error is a *TooLargeError where the index grows over its limit.
func (b *Builder) Add(id string, v Vector) error {
	if err := v.check(b.options.Vocab); err != nil {
		return fmt.Errorf("build index: document %q: %w", id, err)
	}
	return b.add(id, v)
}

func (b *Builder) add(id string, v Vector) error {
	if len(b.ids) == math.MaxInt32 {
		return fmt.Errorf("build index: more than %d documents", math.MaxInt32)
	}
	documents := len(b.ids) + 1
	postings := uint64(len(b.terms)) + uint64(len(v.Terms))
	mean := float64(postings) / float64(documents)
	if postings > b.limit {
		return &TooLargeError{Postings: postings, Documents: documents, Mean: mean, Limit: b.limit}
	}
	if estimate := mean * float64(b.options.Documents); documents == estimateAfter && estimate > float64(b.limit) {
		return &TooLargeError{Postings: uint64(estimate), Estimated: true, Documents: documents, Mean: mean, Limit: b.limit}
	}
	b.ids = append(b.ids, id)
	b.terms = append(b.terms, v.Terms...)
	b.weights = append(b.weights, v.Weights...)
	b.ends = append(b.ends, postings)
	for _, term := range v.Terms {
		b.top = max(b.top, int64(term))
	}
	return nil
}

// Postings is the number of postings taken so far.
func (b *Builder) Postings() uint64 { return uint64(len(b.terms)) }

// Finish makes the index. The builder is empty afterwards.
func (b *Builder) Finish() (*Index, error) {
	index, err := b.Index()
	if err == nil {
		*b = *NewBuilder(b.options)
	}
	return index, err
}

// Replace puts another vector in the place of each document's. change returns one of at
// most as many terms and does not keep the one that it is given, which is overwritten.
func (b *Builder) Replace(change func(Vector) Vector) error {
	from, to := uint64(0), uint64(0)
	for i, end := range b.ends {
		v := change(Vector{Terms: b.terms[from:end:end], Weights: b.weights[from:end:end]})
		if err := v.check(b.options.Vocab); err != nil {
			return fmt.Errorf("build index: document %q: %w", b.ids[i], err)
		}
		if uint64(len(v.Terms)) > end-from {
			return fmt.Errorf("build index: document %q has %d terms after a change, and had %d", b.ids[i], len(v.Terms), end-from)
		}
		copy(b.terms[to:], v.Terms)
		copy(b.weights[to:], v.Weights)
		from, to = end, to+uint64(len(v.Terms))
		b.ends[i] = to
	}
	b.terms, b.weights = b.terms[:to], b.weights[:to]
	return nil
}

// Index makes the index of what the builder holds, and the builder goes on holding it.
func (b *Builder) Index() (*Index, error) {
	vocab := b.options.Vocab
	if vocab == 0 {
		vocab = int(b.top + 1)
	}
	index := &Index{offsets: make([]uint64, vocab+1)}
	if err := index.number(b.ids); err != nil {
		return nil, err
	}
	// A counting sort by term. Documents are visited in the index's order, so that each list ascends.
	for _, term := range b.terms {
		index.offsets[term+1]++
	}
	for term := range vocab {
		index.offsets[term+1] += index.offsets[term]
	}
	index.docs = make([]uint32, len(b.terms))
	index.weights = make([]float32, len(b.terms))
	next := slices.Clone(index.offsets[:vocab])
	for doc, position := range index.positions {
		start := uint64(0)
		if position > 0 {
			start = b.ends[position-1]
		}
		for i := start; i < b.ends[position]; i++ {
			at := next[b.terms[i]]
			next[b.terms[i]]++
			index.docs[at] = uint32(doc)
			index.weights[at] = b.weights[i]
		}
	}
	return index, nil
}

// number orders the documents by id descending: then a smaller number wins a tie, and no id is compared
// while searching.
func (x *Index) number(ids []string) error {
	x.positions = make([]uint32, len(ids))
	for i := range x.positions {
		x.positions[i] = uint32(i)
	}
	slices.SortFunc(x.positions, func(a, b uint32) int {
		if c := strings.Compare(ids[b], ids[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	x.ids = make([]string, len(ids))
	for doc, position := range x.positions {
		x.ids[doc] = ids[position]
		if doc > 0 && x.ids[doc] == x.ids[doc-1] {
			return &DuplicateError{ID: x.ids[doc], First: int(x.positions[doc-1]), Second: int(position)}
		}
	}
	return nil
}

// Build indexes documents that are in memory. Ids must differ; vocab is the number of term ids, or 0 where
// it does not matter.
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
