package search

import (
	"iter"
	"slices"
)

// forward holds documents one after the other, in the order in which they were added.
type forward struct {
	ends    []uint32 // of each document in terms and weights
	terms   []uint32
	weights []float32
}

func (f *forward) add(v Vector) {
	f.terms, f.weights = append(f.terms, v.Terms...), append(f.weights, v.Weights...)
	f.ends = append(f.ends, uint32(len(f.terms)))
}

func (f *forward) full() bool {
	return len(f.ends) == blockDocuments || len(f.terms) >= blockPostings
}

func (f *forward) reset() {
	f.ends, f.terms, f.weights = f.ends[:0], f.terms[:0], f.weights[:0]
}

// inverter makes blocks of documents and reuses its tables.
type inverter struct {
	next  []uint32 // by term: the number of postings, then the place of the next one
	terms []uint32
}

// invert makes a block by a counting sort. Documents are visited in their order, so that each list ascends. A
// document's terms may come in any order.
func (n *inverter) invert(f *forward, first uint32, half bool) block {
	b := block{first: first, documents: len(f.ends)}
	n.terms = n.terms[:0]
	for _, term := range f.terms {
		if int(term) >= len(n.next) {
			n.next = append(n.next, make([]uint32, int(term)+1-len(n.next))...)
		}
		if n.next[term] == 0 {
			n.terms = append(n.terms, term)
		}
		n.next[term]++
	}
	slices.Sort(n.terms)
	b.lists = make([]list, len(n.terms))
	start := uint32(0)
	for i, term := range n.terms {
		b.lists[i] = list{Term: term, Count: n.next[term], Start: start}
		n.next[term] = start
		start += b.lists[i].Count
	}
	b.docs = make([]uint16, start)
	if half {
		b.halves = make([]uint16, start)
	} else {
		b.weights = make([]float32, start)
	}
	from := uint32(0)
	for doc, end := range f.ends {
		for i := from; i < end; i++ {
			at := n.next[f.terms[i]]
			n.next[f.terms[i]]++
			b.docs[at] = uint16(doc)
			if half {
				b.halves[at] = toHalf(f.weights[i])
			} else {
				b.weights[at] = f.weights[i]
			}
		}
		from = end
	}
	for _, term := range n.terms {
		n.next[term] = 0
	}
	b.makeRows()
	return b
}

// revert writes the documents of a block to f, with ascending terms. It overwrites f.
func (b *block) revert(f *forward) {
	next := make([]uint32, b.documents+1)
	for _, doc := range b.docs {
		next[int(doc)+1]++
	}
	for doc := range b.documents {
		next[doc+1] += next[doc]
	}
	total := len(b.docs)
	f.ends = append(f.ends[:0], next[1:]...)
	f.terms = slices.Grow(f.terms[:0], total)[:total]
	f.weights = slices.Grow(f.weights[:0], total)[:total]
	for _, l := range b.lists {
		for at := l.Start; at < l.Start+l.Count; at++ {
			to := &next[b.docs[at]]
			f.terms[*to], f.weights[*to] = l.Term, b.weight(at)
			*to++
		}
	}
}

func (b *block) weight(at uint32) float32 {
	if b.halves != nil {
		return fromHalf(b.halves[at])
	}
	return b.weights[at]
}

// All walks the documents in their order. Each vector is overwritten by the next.
func (x *Index) All() iter.Seq2[string, Vector] {
	return func(yield func(string, Vector) bool) {
		var f forward
		for i := range x.blocks {
			b := &x.blocks[i]
			b.revert(&f)
			for doc, end := range f.ends {
				if !yield(x.ids.at(int(b.first)+doc), f.at(doc, end)) {
					return
				}
			}
		}
	}
}

// at is the vector of a document, whose terms end at end.
func (f *forward) at(doc int, end uint32) Vector {
	start := uint32(0)
	if doc > 0 {
		start = f.ends[doc-1]
	}
	return Vector{Terms: f.terms[start:end:end], Weights: f.weights[start:end:end]}
}
