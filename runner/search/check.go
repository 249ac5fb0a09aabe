package search

import (
	"cmp"
	"math"
	"runtime"

	"headroom/internal/parallel"
)

// check makes sure that a search stays inside the arrays and that documents have the order of the ranking rule.
// Digests find files that were damaged; check finds files that were made wrong. f names the files.
func (x *Index) check(f *files) error {
	faults := make([]error, len(x.blocks)+1)
	parallel.For(len(faults), runtime.GOMAXPROCS(0), func(i int) {
		if i == len(x.blocks) {
			faults[i] = x.checkRanks(f)
			return
		}
		b := &x.blocks[i]
		if faults[i] = b.check(f, x.vocab); faults[i] == nil {
			b.makeRows()
		}
	})
	if err := cmp.Or(faults...); err != nil {
		return err
	}
	if x.terms != nil && len(x.terms.ids) != len(x.terms.words) {
		return damaged(f.names[partWords], "a word is there twice")
	}
	return nil
}

// checkRanks makes sure that the ranks put the ids in descending order.
func (x *Index) checkRanks(f *files) error {
	const none = math.MaxUint32
	order := make([]uint32, len(x.ranks))
	for i := range order {
		order[i] = none
	}
	for doc, rank := range x.ranks {
		if uint64(rank) >= uint64(len(order)) || order[rank] != none {
			return damaged(f.names[partRanks], "%d is too large or there twice", rank)
		}
		order[rank] = uint32(doc)
	}
	for rank := 1; rank < len(order); rank++ {
		if a, b := x.ids.at(int(order[rank-1])), x.ids.at(int(order[rank])); a <= b {
			return damaged(f.names[partRanks], "%q comes after %q", b, a)
		}
	}
	return nil
}

func (b *block) check(f *files, vocab int) error {
	// If lists shared postings, the lists together would have more postings than the block.
	postings := 0
	for i, l := range b.lists {
		if uint64(l.Term) >= uint64(vocab) || i > 0 && l.Term <= b.lists[i-1].Term {
			return damaged(f.names[partLists], "term %d is too large or out of order", l.Term)
		}
		if l.Count < 1 || uint64(l.Start)+uint64(l.Count) > uint64(len(b.docs)) {
			return damaged(f.names[partLists], "term %d has %d postings from %d on", l.Term, l.Count, l.Start)
		}
		postings += int(l.Count)
		last := -1
		for _, doc := range b.docs[l.Start:][:l.Count] {
			if int(doc) <= last || int(doc) >= b.documents {
				return damaged(f.names[partPostings], "term %d has document %d of %d after %d", l.Term, doc, b.documents, last)
			}
			last = int(doc)
		}
	}
	if postings != len(b.docs) {
		return damaged(f.names[partLists], "%d postings instead of %d", postings, len(b.docs))
	}
	for _, weight := range b.weights {
		if !(weight > 0 && weight <= math.MaxFloat32) {
			return damaged(f.names[partWeights], "a weight is %v", weight)
		}
	}
	for _, half := range b.halves {
		if half-1 >= 0x7c00-1 { // 0, negative, infinite or no number
			return damaged(f.names[partWeights], "a weight is the float16 %#x", half)
		}
	}
	return nil
}
