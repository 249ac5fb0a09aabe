package search

// Index is an inverted index: for each term the documents that have it, ascending, and their weights, in two
// arrays. It is safe for concurrent use and does not change.
type Index struct {
	ids       []string // by document number: descending
	positions []uint32 // document number → position in the order of building
	offsets   []uint64 // [vocab+1]: term t's postings are offsets[t] … offsets[t+1]
	docs      []uint32
	weights   []float32
	terms     *dictionary // nil where terms are token ids
}

// Documents is the number of documents, those without terms included.
func (x *Index) Documents() int { return len(x.ids) }

// Vocab is the number of term ids.
func (x *Index) Vocab() int { return len(x.offsets) - 1 }

// Postings is the number of term and document pairs with a weight.
func (x *Index) Postings() uint64 { return uint64(len(x.docs)) }

// Frequency is the number of documents that have the term.
func (x *Index) Frequency(term uint32) int {
	if uint64(term) >= uint64(x.Vocab()) {
		return 0
	}
	return int(x.offsets[term+1] - x.offsets[term])
}

// postings returns the documents and weights of a term, none for a term that the index does not have.
func (x *Index) postings(term uint32) ([]uint32, []float32) {
	if uint64(term) >= uint64(x.Vocab()) {
		return nil, nil
	}
	from, to := x.offsets[term], x.offsets[term+1]
	return x.docs[from:to:to], x.weights[from:to:to]
}
