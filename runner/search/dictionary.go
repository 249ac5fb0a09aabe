package search

import (
	"cmp"
	"slices"
	"strings"
)

// dictionary maps words to the term ids of an index whose terms are words; ids follow byte order.
type dictionary struct {
	words []string
	ids   map[string]uint32
}

func newDictionary(words []string) *dictionary {
	d := &dictionary{words: words, ids: make(map[string]uint32, len(words))}
	for i, word := range words {
		d.ids[word] = uint32(i)
	}
	return d
}

// tokenID reads a term that is a token id: decimal digits without a leading zero, in 32 bits.
func tokenID(term []byte) (uint32, bool) {
	if len(term) == 0 || len(term) > 10 || (term[0] == '0' && len(term) > 1) {
		return 0, false
	}
	var id uint64
	for _, digit := range term {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		id = id*10 + uint64(digit-'0')
	}
	return uint32(id), id < maxTokenID
}

// maxTokenID bounds token ids, and so the table of offsets (128 MiB). It is far above any vocabulary.
const maxTokenID = 1 << 24

// interner numbers terms in the order of their first occurrence in a file.
type interner struct {
	ids   map[string]uint32
	words []string
}

func newInterner() *interner { return &interner{ids: map[string]uint32{}} }

func (n *interner) id(term []byte) uint32 {
	if id, ok := n.ids[string(term)]; ok {
		return id
	}
	id := uint32(len(n.words))
	word := string(term)
	n.ids[word] = id
	n.words = append(n.words, word)
	return id
}

// finalNumbers decides whether the terms of a whole file are token ids or words. If all are token ids, each keeps its
// own number and there is no dictionary; else they are words, numbered in byte order. The first result maps the
// interner's numbers to the final ones.
func (n *interner) finalNumbers() (renumbered []uint32, vocab int, words *dictionary) {
	renumbered = make([]uint32, len(n.words))
	allIDs := true
	for i, word := range n.words {
		id, ok := tokenID([]byte(word))
		if !ok {
			allIDs = false
			break
		}
		renumbered[i] = id
		vocab = max(vocab, int(id)+1)
	}
	if allIDs {
		return renumbered, vocab, nil
	}
	sorted := slices.Clone(n.words)
	slices.SortFunc(sorted, strings.Compare)
	words = newDictionary(sorted)
	for i, word := range n.words {
		renumbered[i] = words.ids[word]
	}
	return renumbered, len(sorted), words
}

// sortedVector sorts terms by id. It overwrites both arguments.
func sortedVector(terms []uint32, weights []float32) Vector {
	order := make([]int, len(terms))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSorted(terms) {
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(terms[a], terms[b]) })
	}
	v := Vector{Terms: make([]uint32, len(terms)), Weights: make([]float32, len(terms))}
	for i, from := range order {
		v.Terms[i], v.Weights[i] = terms[from], weights[from]
	}
	return v
}
