package tokenize

import "math"

// mergeTable maps a pair of tokens to the merge that joins them. It is an open-addressing hash table, because byte-pair
// encoding spends most of its time on these lookups.
type mergeTable struct {
	slots []mergeSlot
	mask  uint64
}

type mergeSlot struct {
	pair  uint64 // left<<32 | right, plus 1 so that 0 is a free slot
	rank  int32
	whole int32
}

func newMergeTable(n int) mergeTable {
	size := 8
	for size < 2*n+2 {
		size *= 2
	}
	return mergeTable{slots: make([]mergeSlot, size), mask: uint64(size - 1)}
}

func pairKey(left, right int32) uint64 { return uint64(left)<<32 | uint64(uint32(right)) + 1 }

func pairHash(pair uint64) uint64 {
	pair *= 0x9E3779B97F4A7C15
	return pair ^ pair>>29
}

// set stores a merge. As in the reference library, a later merge of the same pair replaces the earlier one.
func (t *mergeTable) set(left, right, rank, whole int32) {
	key := pairKey(left, right)
	at := pairHash(key) & t.mask
	for t.slots[at].pair != 0 && t.slots[at].pair != key {
		at = (at + 1) & t.mask
	}
	t.slots[at] = mergeSlot{key, rank, whole}
}

const noMerge = math.MaxInt32

// get returns the rank and result of a merge, or rank noMerge.
func (t *mergeTable) get(left, right int32) (rank, whole int32) {
	key := pairKey(left, right)
	for at := pairHash(key) & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.pair == key {
			return slot.rank, slot.whole
		}
		if slot.pair == 0 {
			return noMerge, 0
		}
	}
}

// mergeScratch is the memory of one encoding, reused for every word.
type mergeScratch struct {
	symbols []int32
	ranks   []int32
	wholes  []int32
	next    []int32
	prev    []int32
	heap    []mergeCandidate
}

// shortWord is the length up to which scanning for the lowest rank is faster than keeping a heap.
const shortWord = 48

// mergeShort joins symbols in place and returns the remaining symbols.
func (t *mergeTable) mergeShort(symbols []int32, s *mergeScratch) []int32 {
	if len(symbols) < 2 {
		return symbols
	}
	s.ranks, s.wholes = s.ranks[:0], s.wholes[:0]
	for i := range len(symbols) - 1 {
		rank, whole := t.get(symbols[i], symbols[i+1])
		s.ranks, s.wholes = append(s.ranks, rank), append(s.wholes, whole)
	}
	ranks, wholes := s.ranks, s.wholes
	for {
		best, at := int32(noMerge), 0
		for i, rank := range ranks {
			if rank < best {
				best, at = rank, i
			}
		}
		if best == noMerge {
			return symbols
		}
		symbols[at] = wholes[at]
		symbols = append(symbols[:at+1], symbols[at+2:]...)
		ranks = append(ranks[:at], ranks[at+1:]...)
		wholes = append(wholes[:at], wholes[at+1:]...)
		if at > 0 {
			ranks[at-1], wholes[at-1] = t.get(symbols[at-1], symbols[at])
		}
		if at < len(ranks) {
			ranks[at], wholes[at] = t.get(symbols[at], symbols[at+1])
		}
	}
}

type mergeCandidate struct {
	rank  int32
	at    int32
	whole int32
}

func (a mergeCandidate) before(b mergeCandidate) bool {
	return a.rank < b.rank || a.rank == b.rank && a.at < b.at
}

// mergeLong does the same in n log n time, with a linked list of symbols and a heap of candidates. A candidate whose
// neighbour has been merged is stale and is skipped.
func (t *mergeTable) mergeLong(ids, symbols []int32, s *mergeScratch) []int32 {
	n := len(symbols)
	s.next, s.prev, s.heap = resize(s.next, n), resize(s.prev, n), s.heap[:0]
	for i := range symbols {
		s.next[i], s.prev[i] = int32(i+1), int32(i-1)
	}
	s.next[n-1] = -1
	consider := func(at int32) {
		if at < 0 || s.next[at] < 0 {
			return
		}
		if rank, whole := t.get(symbols[at], symbols[s.next[at]]); rank != noMerge {
			s.push(mergeCandidate{rank, at, whole})
		}
	}
	for i := range int32(n) {
		consider(i)
	}
	const gone = -1
	for len(s.heap) > 0 {
		top := s.pop()
		if symbols[top.at] == gone || s.next[top.at] < 0 {
			continue
		}
		right := s.next[top.at]
		if rank, whole := t.get(symbols[top.at], symbols[right]); rank == noMerge || whole != top.whole {
			continue
		}
		symbols[top.at], symbols[right] = top.whole, gone
		s.next[top.at] = s.next[right]
		if after := s.next[right]; after >= 0 {
			s.prev[after] = top.at
		}
		consider(s.prev[top.at])
		consider(top.at)
	}
	for at := int32(0); at >= 0; at = s.next[at] {
		ids = append(ids, symbols[at])
	}
	return ids
}

func resize(list []int32, n int) []int32 {
	if cap(list) < n {
		return make([]int32, n)
	}
	return list[:n]
}

func (s *mergeScratch) push(c mergeCandidate) {
	s.heap = append(s.heap, c)
	h, i := s.heap, len(s.heap)-1
	for i > 0 {
		parent := (i - 1) / 2
		if !c.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = c
}

func (s *mergeScratch) pop() mergeCandidate {
	h := s.heap
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	s.heap = h
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(last) {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = last
	}
	return top
}
