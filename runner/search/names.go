package search

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// names holds many short strings in one, by number.
type names struct {
	text string
	ends []uint64
}

func (n names) len() int { return len(n.ends) }

func (n names) at(i int) string {
	start := uint64(0)
	if i > 0 {
		start = n.ends[i-1]
	}
	return n.text[start:n.ends[i]]
}

// ranks returns, for each name, its position in descending byte order. The error names the first two equal names.
func (n names) ranks() ([]uint32, error) {
	// The first eight bytes decide most comparisons without a look at the name.
	type prefixed struct {
		prefix uint64
		number uint32
	}
	order := make([]prefixed, n.len())
	for i := range order {
		var first [8]byte
		copy(first[:], n.at(i))
		order[i] = prefixed{binary.BigEndian.Uint64(first[:]), uint32(i)}
	}
	slices.SortFunc(order, func(a, b prefixed) int {
		return cmp.Or(cmp.Compare(b.prefix, a.prefix), strings.Compare(n.at(int(b.number)), n.at(int(a.number))), cmp.Compare(a.number, b.number))
	})
	ranks := make([]uint32, n.len())
	for rank, this := range order {
		ranks[this.number] = uint32(rank)
		if rank > 0 && n.at(int(order[rank-1].number)) == n.at(int(this.number)) {
			return nil, &DuplicateError{ID: n.at(int(this.number)), First: int(order[rank-1].number), Second: int(this.number)}
		}
	}
	return ranks, nil
}

// namesBuilder collects names one after the other.
type namesBuilder struct {
	text strings.Builder
	ends []uint64
}

func (b *namesBuilder) add(name string) {
	b.text.WriteString(name)
	b.ends = append(b.ends, uint64(b.text.Len()))
}

func (b *namesBuilder) names() names { return names{b.text.String(), b.ends} }
