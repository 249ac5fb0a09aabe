package search

import (
	"fmt"
	"math"
)

// Options of a Builder. Use the zero value if nothing is known beforehand.
type Options struct {
	// Vocab is the number of term ids; a larger id is an error. 0: any ids.
	Vocab int
	// Documents is the number of documents. If it is known, an index that would be too large is refused after
	// the first thousand documents and not only at the limit. 0: not known.
	Documents int
	// MaxPostings is the largest number of postings. 0: as many as fit into three quarters of the free memory,
	// or no limit if the index is built on the disk.
	MaxPostings uint64
	// Half keeps weights as rounded float16 and not as float32.
	Half bool
}

// DuplicateError is returned when two documents have the same id; First and Second are their positions.
type DuplicateError struct {
	ID            string
	First, Second int
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("build index: document %q is there twice, at positions %d and %d", e.ID, e.First, e.Second)
}

// Builder collects documents and makes an Index of them. It copies its arguments. It holds finished blocks and the
// documents of the next one. It is not safe for concurrent use.
type Builder struct {
	options  Options
	limit    uint64
	ids      namesBuilder
	forward  forward // documents of the next block
	inverter inverter
	blocks   []block
	postings uint64
	top      int64 // largest term, -1 without any
	// spill takes the postings of a finished block; nil leaves them in memory.
	spill func(block) error
}

// NewBuilder starts an empty builder.
func NewBuilder(options Options) *Builder {
	limit := options.MaxPostings
	if limit == 0 {
		limit = defaultLimit()
	}
	return &Builder{options: options, limit: limit, top: -1}
}

// estimateAfter is the number of documents from which the size of the whole index is extrapolated.
const estimateAfter = 1000

// Add adds the next document. The error is a *TooLargeError if the index would exceed its limit.
func (b *Builder) Add(id string, v Vector) error {
	if err := v.check(b.options.Vocab); err != nil {
		return fmt.Errorf("build index: document %q: %w", id, err)
	}
	return b.add(id, v)
}

// add is Add for terms in any order, none of them twice.
func (b *Builder) add(id string, v Vector) error {
	if b.documents() == math.MaxInt32 {
		return fmt.Errorf("build index: more than %d documents", math.MaxInt32)
	}
	documents := b.documents() + 1
	postings := b.postings + uint64(len(v.Terms))
	mean := float64(postings) / float64(documents)
	if postings > b.limit {
		return &TooLargeError{Postings: postings, Documents: documents, Mean: mean, Limit: b.limit}
	}
	if estimate := mean * float64(b.options.Documents); documents == estimateAfter && estimate > float64(b.limit) {
		return &TooLargeError{Postings: uint64(estimate), Estimated: true, Documents: documents, Mean: mean, Limit: b.limit}
	}
	for i, term := range v.Terms {
		if b.options.Half && v.Weights[i] > maxHalf {
			return fmt.Errorf("build index: document %q: term %d has weight %v, and float16 ends at %d: keep float32", id, term, v.Weights[i], maxHalf)
		}
		b.top = max(b.top, int64(term))
	}
	b.ids.add(id)
	b.forward.add(v)
	b.postings = postings
	if b.forward.full() {
		return b.closeBlock()
	}
	return nil
}

func (b *Builder) documents() int { return len(b.ids.ends) }

// closeBlock makes a block of the documents that have been added since the last one.
func (b *Builder) closeBlock() error {
	n := len(b.forward.ends)
	if n == 0 {
		return nil
	}
	made := b.inverter.invert(&b.forward, uint32(b.documents()-n), b.options.Half)
	b.forward.reset()
	if b.spill != nil {
		if err := b.spill(made); err != nil {
			return err
		}
		made.docs, made.weights, made.halves = nil, nil, nil
	}
	b.blocks = append(b.blocks, made)
	return nil
}

// Finish makes the index. The builder is empty afterwards.
func (b *Builder) Finish() (*Index, error) {
	if err := b.closeBlock(); err != nil {
		return nil, err
	}
	vocab := b.options.Vocab
	if vocab == 0 {
		vocab = int(b.top + 1)
	}
	index := &Index{ids: b.ids.names(), vocab: vocab, postings: b.postings, half: b.options.Half, blocks: b.blocks}
	var err error
	if index.ranks, err = index.ids.ranks(); err != nil {
		return nil, err
	}
	*b = *NewBuilder(b.options)
	return index, nil
}

// Replace makes an index in which change has replaced each document's vector. change must not keep its argument, which
// is overwritten.
func (x *Index) Replace(change func(Vector) Vector) (*Index, error) {
	other := &Index{ids: x.ids, ranks: x.ranks, vocab: x.vocab, terms: x.terms, half: x.half}
	var old, changed forward
	var inverter inverter
	for i := range x.blocks {
		b := &x.blocks[i]
		b.revert(&old)
		changed.reset()
		for doc, end := range old.ends {
			v := change(old.at(doc, end))
			if err := v.check(x.vocab); err != nil {
				return nil, fmt.Errorf("build index: document %q: %w", x.ids.at(int(b.first)+doc), err)
			}
			changed.add(v)
		}
		other.blocks = append(other.blocks, inverter.invert(&changed, b.first, x.half))
		other.postings += uint64(len(changed.terms))
	}
	return other, nil
}
