package search

import (
	"iter"
	"slices"
)

// forward holds documents one after the other, as they come.
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

// inverter makes blocks of documents. Its tables are used again.
type inverter struct {
	places []place // by term
	terms  []uint32
}

// place is where the next posting of a term goes.
type place struct {
	count, docs, weights uint32
	dense                bool
}

// invert makes a block by a counting sort. Documents are visited in their order, so that each list ascends. A
// document's terms may come in any order.
func (n *inverter) invert(f *forward, first uint32, half bool) block {
	b := block{first: first, documents: len(f.ends)}
	n.terms = n.terms[:0]
	for _, term := range f.terms {
		if int(term) >= len(n.places) {
			n.places = append(n.places, make([]place, int(term)+1-len(n.places))...)
		}
		if n.places[term].count == 0 {
			n.terms = append(n.terms, term)
		}
		n.places[term].count++
	}
	slices.Sort(n.terms)
	b.lists = make([]list, len(n.terms))
	docs, weights := uint32(0), uint32(0)
	for i, term := range n.terms {
		l := list{Term: term, Count: n.places[term].count, Docs: docs, Weights: weights}
		b.lists[i] = l
		n.places[term] = place{docs: docs, weights: weights, dense: b.dense(l)}
		docs, weights = docs+uint32(b.places(l)), weights+l.Count
	}
	b.docs = make([]uint16, docs)
	if half {
		b.halves = make([]uint16, weights+lane-1)
	} else {
		b.weights = make([]float32, weights+lane-1)
	}
	from := uint32(0)
	for doc, end := range f.ends {
		for i := from; i < end; i++ {
			p := &n.places[f.terms[i]]
			if p.dense {
				b.docs[p.docs+uint32(doc/lane)] |= 1 << (doc % lane)
			} else {
				b.docs[p.docs] = uint16(doc)
				p.docs++
			}
			if half {
				b.halves[p.weights] = toHalf(f.weights[i])
			} else {
				b.weights[p.weights] = f.weights[i]
			}
			p.weights++
		}
		from = end
	}
	for _, term := range n.terms {
		n.places[term] = place{}
	}
	b.row()
	return b
}

// revert gives the documents of a block back, their terms ascending. What f held is overwritten.
func (b *block) revert(f *forward) {
	next := make([]uint32, b.documents+1)
	for _, l := range b.lists {
		for doc := range b.each(l) {
			next[doc+1]++
		}
	}
	for doc := range b.documents {
		next[doc+1] += next[doc]
	}
	total := int(next[b.documents])
	f.ends = append(f.ends[:0], next[1:]...)
	f.terms = slices.Grow(f.terms[:0], total)[:total]
	f.weights = slices.Grow(f.weights[:0], total)[:total]
	for _, l := range b.lists {
		for doc, weight := range b.each(l) {
			f.terms[next[doc]], f.weights[next[doc]] = l.Term, weight
			next[doc]++
		}
	}
}

// each walks the postings of a list: places in the block and weights.
func (b *block) each(l list) iter.Seq2[int, float32] {
	weight := func(i uint32) float32 {
		if b.halves != nil {
			return fromHalf(b.halves[l.Weights+i])
		}
		return b.weights[l.Weights+i]
	}
	return func(yield func(int, float32) bool) {
		if !b.dense(l) {
			for i, doc := range b.docs[l.Docs : l.Docs+l.Count] {
				if !yield(int(doc), weight(uint32(i))) {
					return
				}
			}
			return
		}
		i := uint32(0)
		for doc := range b.documents {
			if b.docs[int(l.Docs)+doc/lane]>>(doc%lane)&1 == 1 {
				if !yield(doc, weight(i)) {
					return
				}
				i++
			}
		}
	}
}

// All walks the documents in the order of building. A vector is overwritten by the next.
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

// at is the vector of a document that ends at end.
func (f *forward) at(doc int, end uint32) Vector {
	start := uint32(0)
	if doc > 0 {
		start = f.ends[doc-1]
	}
	return Vector{Terms: f.terms[start:end:end], Weights: f.weights[start:end:end]}
}
