package search

import (
	"cmp"
	"math"
	"math/bits"
	"runtime"

	"headroom/internal/parallel"
)

// check makes sure that searching cannot leave the arrays and that the order of documents is the ranking
// rule's: digests tell accidents, this tells a file that was made wrong. f names the files.
func (x *Index) check(f *files) error {
	faults := make([]error, len(x.blocks)+1)
	parallel.For(len(faults), runtime.GOMAXPROCS(0), func(i int) {
		if i == len(x.blocks) {
			faults[i] = x.checkRanks(f)
			return
		}
		b := &x.blocks[i]
		if faults[i] = b.check(f, x.vocab); faults[i] == nil {
			b.row()
		}
	})
	if err := cmp.Or(faults...); err != nil {
		return err
	}
	postings := uint64(0)
	for _, b := range x.blocks {
		for _, l := range b.lists {
			postings += uint64(l.Count)
		}
	}
	if postings != x.postings {
		return damaged(f.names[partLists], "%d postings instead of %d", postings, x.postings)
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
	for i, l := range b.lists {
		if uint64(l.Term) >= uint64(vocab) || i > 0 && l.Term <= b.lists[i-1].Term {
			return damaged(f.names[partLists], "term %d is too large or out of order", l.Term)
		}
		end := uint64(l.Weights) + uint64(l.Count) + lane - 1
		if l.Count < 1 || int(l.Count) > b.documents || end > uint64(len(b.weights)+len(b.halves)) || uint64(l.Docs)+uint64(b.places(l)) > uint64(len(b.docs)) {
			return damaged(f.names[partLists], "term %d has %d postings from %d and weights from %d", l.Term, l.Count, l.Docs, l.Weights)
		}
		if !b.checkPlaces(l) {
			return damaged(f.names[partPostings], "the documents of term %d do not ascend, or are not %d", l.Term, l.Count)
		}
	}
	for _, l := range b.lists {
		if b.halves != nil {
			for _, half := range b.halves[l.Weights : l.Weights+l.Count] {
				if half-1 >= 0x7c00-1 { // 0, negative, infinite or no number
					return damaged(f.names[partWeights], "term %d has the float16 weight %#x", l.Term, half)
				}
			}
			continue
		}
		for _, weight := range b.weights[l.Weights : l.Weights+l.Count] {
			if !(weight > 0 && weight <= math.MaxFloat32) {
				return damaged(f.names[partWeights], "term %d has weight %v", l.Term, weight)
			}
		}
	}
	return nil
}

// checkPlaces tells whether a list has as many documents of the block as it says.
func (b *block) checkPlaces(l list) bool {
	places := b.docs[l.Docs:][:b.places(l)]
	if !b.dense(l) {
		for i, doc := range places {
			if i > 0 && doc <= places[i-1] || int(doc) >= b.documents {
				return false
			}
		}
		return true
	}
	count := 0
	for _, set := range places {
		count += bits.OnesCount16(set)
	}
	beyond := places[len(places)-1] >> ((b.documents-1)%lane + 1)
	return count == int(l.Count) && beyond == 0
}
