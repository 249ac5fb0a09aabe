package search

import (
	"cmp"
	"slices"
)

// Index is an inverted index in blocks of documents. Documents are numbered in the order in which they were added. An
// Index never changes and is safe for concurrent use.
type Index struct {
	ids      names
	ranks    []uint32 // by document: the position of its id in descending order, which decides ties
	vocab    int
	postings uint64
	half     bool // weights are kept as float16
	blocks   []block
	terms    *dictionary // nil if terms are token ids
	release  func() error
}

// Documents is the number of documents, those without terms included.
func (x *Index) Documents() int { return x.ids.len() }

// Vocab is the number of term ids.
func (x *Index) Vocab() int { return x.vocab }

// Postings is the number of term and document pairs with a weight.
func (x *Index) Postings() uint64 { return x.postings }

// Frequency is the number of documents that have the term.
func (x *Index) Frequency(term uint32) int {
	n := 0
	for i := range x.blocks {
		if l, found := x.blocks[i].find(term); found {
			n += int(l.Count)
		}
	}
	return n
}

// Close releases the address space of a loaded index. Do not use the index afterwards; hits that it found stay valid.
// An index that was not loaded needs no Close.
func (x *Index) Close() error {
	release := x.release
	if release == nil {
		return nil
	}
	*x = Index{}
	return release()
}

const (
	// blockDocuments is the largest number of documents in a block. A document's place in its block has 16 bits, and the
	// sums of a block (256 KiB) stay in the core's cache while the lists of a query's terms are read.
	blockDocuments = 1 << 16
	// blockPostings is the number of postings at which a block is closed earlier, so that building takes little memory
	// even if documents have many terms.
	blockPostings = 1 << 24
)

// block holds consecutive documents, inverted: it has a list for each of their terms.
type block struct {
	first     uint32 // number of the first document
	documents int
	lists     []list // ascending by term
	rows      []uint32
	docs      []uint16  // of all lists: places in the block, ascending in each list
	weights   []float32 // of all lists; nil if halves are
	halves    []uint16  // the same as float16
}

// list gives the place of a term's postings in a block: Count of them from Start on.
type list struct{ Term, Count, Start uint32 }

// rowTerms is the number of terms that share a row. The row holds the number of their first list.
const rowTerms = 32

// sortLists sorts the lists and makes their rows.
func (b *block) sortLists() {
	slices.SortFunc(b.lists, func(x, y list) int { return cmp.Compare(x.Term, y.Term) })
	b.makeRows()
}

// makeRows makes the rows of sorted lists.
func (b *block) makeRows() {
	b.rows = nil
	if len(b.lists) == 0 {
		return
	}
	b.rows = make([]uint32, b.lists[len(b.lists)-1].Term/rowTerms+2)
	row := 0
	for i, l := range b.lists {
		for ; row <= int(l.Term/rowTerms); row++ {
			b.rows[row] = uint32(i)
		}
	}
	for ; row < len(b.rows); row++ {
		b.rows[row] = uint32(len(b.lists))
	}
}

// find returns the list of a term, if a document of the block has it.
func (b *block) find(term uint32) (list, bool) {
	row := int(term / rowTerms)
	if row+1 >= len(b.rows) {
		return list{}, false
	}
	for _, l := range b.lists[b.rows[row]:b.rows[row+1]] {
		if l.Term >= term {
			return l, l.Term == term
		}
	}
	return list{}, false
}
