package tokenize

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
)

// trainer joins pairs of pieces over a list of distinct words.
type trainer struct {
	tokens []string
	ids    map[string]int32
	words  []trainWord
	pairs  map[[2]int32]*pairCount
	queue  pairQueue
}

type trainWord struct {
	pieces []int32
	count  int64
}

// pairCount is the number of times that a pair occurs in the texts, and the words in which it may occur.
type pairCount struct {
	count int64
	words []int32
}

// newTrainer makes the first tokens: special ones, characters that begin a word, characters that continue one. It ignores
// words with a character outside of the alphabet.
func newTrainer(special []string, letters []rune, counts map[string]int64) *trainer {
	t := &trainer{ids: make(map[string]int32), pairs: make(map[[2]int32]*pairCount)}
	known := make(map[rune]bool, len(letters))
	for _, token := range special {
		t.add(token)
	}
	for _, letter := range letters {
		known[letter] = true
		t.add(string(letter))
	}
	inside := make(map[rune]bool)
	words := slices.Sorted(maps.Keys(counts))
	words = slices.DeleteFunc(words, func(word string) bool {
		return strings.IndexFunc(word, func(r rune) bool { return !known[r] }) >= 0
	})
	for _, word := range words {
		for i, r := range word {
			if i > 0 {
				inside[r] = true
			}
		}
	}
	for _, letter := range letters {
		if inside[letter] {
			t.add(trainedPrefix + string(letter))
		}
	}
	for _, word := range words {
		w := trainWord{count: counts[word]}
		for i, r := range word {
			piece := string(r)
			if i > 0 {
				piece = trainedPrefix + piece
			}
			w.pieces = append(w.pieces, t.ids[piece])
		}
		t.words = append(t.words, w)
	}
	return t
}

// add returns the id of token, which it adds if it is new.
func (t *trainer) add(token string) int32 {
	if id, ok := t.ids[token]; ok {
		return id
	}
	id := int32(len(t.tokens))
	t.tokens = append(t.tokens, token)
	t.ids[token] = id
	return id
}

// run joins pairs until there are size tokens or the most frequent pair is rarer than least.
func (t *trainer) run(size int, least int64) {
	for i, w := range t.words {
		for k := range len(w.pieces) - 1 {
			t.change([2]int32{w.pieces[k], w.pieces[k+1]}, w.count, int32(i))
		}
	}
	for pair, p := range t.pairs {
		t.queue = append(t.queue, queuedPair{pair, p.count})
	}
	heap.Init(&t.queue)
	for len(t.tokens) < size && len(t.queue) > 0 {
		top := heap.Pop(&t.queue).(queuedPair)
		now := t.pairs[top.pair]
		if now.count != top.count { // while a pair waits its count can only fall; a pair with a new count is queued again
			if now.count > 0 {
				heap.Push(&t.queue, queuedPair{top.pair, now.count})
			}
			continue
		}
		if top.count < least {
			return
		}
		t.join(top.pair)
	}
}

// join makes one piece of a pair, in every word.
func (t *trainer) join(pair [2]int32) {
	whole := t.add(t.tokens[pair[0]] + strings.TrimPrefix(t.tokens[pair[1]], trainedPrefix))
	words := slices.Clone(t.pairs[pair].words)
	slices.Sort(words)
	var fresh [][2]int32
	for _, i := range slices.Compact(words) {
		w := &t.words[i]
		out := w.pieces[:0]
		for k := 0; k < len(w.pieces); k++ {
			if k+1 == len(w.pieces) || w.pieces[k] != pair[0] || w.pieces[k+1] != pair[1] {
				out = append(out, w.pieces[k])
				continue
			}
			t.change(pair, -w.count, i)
			if len(out) > 0 {
				left := out[len(out)-1]
				t.change([2]int32{left, pair[0]}, -w.count, i)
				t.change([2]int32{left, whole}, w.count, i)
				fresh = append(fresh, [2]int32{left, whole})
			}
			if k+2 < len(w.pieces) {
				right := w.pieces[k+2]
				t.change([2]int32{pair[1], right}, -w.count, i)
				t.change([2]int32{whole, right}, w.count, i)
				fresh = append(fresh, [2]int32{whole, right})
			}
			out = append(out, whole)
			k++
		}
		w.pieces = out
	}
	slices.SortFunc(fresh, comparePairs)
	for _, pair := range slices.Compact(fresh) {
		if count := t.pairs[pair].count; count > 0 {
			heap.Push(&t.queue, queuedPair{pair, count})
		}
	}
}

func (t *trainer) change(pair [2]int32, by int64, word int32) {
	p := t.pairs[pair]
	if p == nil {
		p = new(pairCount)
		t.pairs[pair] = p
	}
	p.count += by
	if by > 0 && (len(p.words) == 0 || p.words[len(p.words)-1] != word) {
		p.words = append(p.words, word)
	}
}

func comparePairs(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }

// queuedPair is a pair with its count at the time when it was queued.
type queuedPair struct {
	pair  [2]int32
	count int64
}

// pairQueue orders pairs by count, the most frequent first, then by the age of their pieces.
type pairQueue []queuedPair

func (q pairQueue) Len() int { return len(q) }
func (q pairQueue) Less(i, j int) bool {
	if q[i].count != q[j].count {
		return q[i].count > q[j].count
	}
	return comparePairs(q[i].pair, q[j].pair) < 0
}
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *pairQueue) Push(x any)   { *q = append(*q, x.(queuedPair)) }
func (q *pairQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
