package search

import (
	"cmp"
	"slices"
	"strings"
)

// dictionary gives the term ids of an index whose terms are words; ids follow byte order.
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

// tokenID reads a term that is a token id: decimal digits of 32 bits without a leading zero.
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

// maxTokenID bounds token ids, and with them the table of offsets (128 MiB): far above any vocabulary.
const maxTokenID = 1 << 24

// interner numbers terms as they turn up in a file.
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

// final decides what the terms of a whole file are. If each is a token id, a term keeps its own number and
// there is no dictionary; else each is a word, numbered in byte order. The first result maps the numbers of
// turning up to the final ones.
func (n *interner) final() (renumbered []uint32, vocab int, words *dictionary) {
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

// vector orders terms by id; both arguments are used up.
func vector(terms []uint32, weights []float32) Vector {
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
