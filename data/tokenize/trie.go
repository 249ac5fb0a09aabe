package tokenize

import (
	"cmp"
	"slices"
)

// trie is a double-array trie over bytes: the child of node n by byte b is slots[n].base+b+1, if that slot names n
// as its parent. The node at the end of a key holds the key's value.
type trie struct {
	slots []trieSlot
}

type trieSlot struct {
	parent int32 // -1: free
	base   int32
	value  int32 // -1: no key ends here
}

type trieKey struct {
	key   string
	value int32
}

const trieRoot int32 = 0

// newTrie builds the trie in time linear in the keys' total length. Keys are distinct; an empty key is ignored.
func newTrie(keys []trieKey) *trie {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b trieKey) int { return cmp.Compare(a.key, b.key) })
	t := &trie{slots: []trieSlot{{parent: trieRoot, value: -1}}}
	type task struct {
		node       int32
		begin, end int // of keys that share the node's path
		depth      int
	}
	free := 1 // the first slot worth trying
	var labels []byte
	var bounds []int
	for tasks := []task{{trieRoot, 0, len(keys), 0}}; len(tasks) > 0; {
		now := tasks[len(tasks)-1]
		tasks = tasks[:len(tasks)-1]
		labels, bounds = labels[:0], bounds[:0]
		for i := now.begin; i < now.end; i++ {
			if len(keys[i].key) == now.depth {
				if now.depth > 0 {
					t.slots[now.node].value = keys[i].value
				}
				continue
			}
			if b := keys[i].key[now.depth]; len(labels) == 0 || labels[len(labels)-1] != b {
				labels, bounds = append(labels, b), append(bounds, i)
			}
		}
		if len(labels) == 0 {
			continue
		}
		base := t.place(&free, labels)
		t.slots[now.node].base = base
		bounds = append(bounds, now.end)
		for i, b := range labels {
			child := base + int32(b) + 1
			t.slots[child] = trieSlot{parent: now.node, value: -1}
			tasks = append(tasks, task{child, bounds[i], bounds[i+1], now.depth + 1})
		}
	}
	return t
}

// place finds a base at which every label's slot is free. After a bounded number of tries it skips the densely used
// part of the array, so that building takes linear time.
func (t *trie) place(free *int, labels []byte) int32 {
	const tries = 512
	for n, at := 0, *free; ; n, at = n+1, at+1 {
		if n == tries {
			*free = max(*free, len(t.slots)-258)
			at = *free
		}
		base := at - int(labels[0]) - 1
		if base < 0 {
			continue
		}
		t.extend(base + 258)
		if t.slots[at].parent >= 0 {
			if at == *free {
				*free++
			}
			continue
		}
		if t.isFree(base, labels) {
			return int32(base)
		}
	}
}

func (t *trie) isFree(base int, labels []byte) bool {
	for _, b := range labels {
		if t.slots[base+int(b)+1].parent >= 0 {
			return false
		}
	}
	return true
}

func (t *trie) extend(size int) {
	for len(t.slots) < size {
		t.slots = append(t.slots, trieSlot{parent: -1, value: -1})
	}
}

// step returns the child of node by b; false if there is none.
func (t *trie) step(node int32, b byte) (int32, bool) {
	child := t.slots[node].base + int32(b) + 1
	if uint(child) >= uint(len(t.slots)) || t.slots[child].parent != node {
		return 0, false
	}
	return child, true
}

// walk returns the node at the end of path, from the root.
func (t *trie) walk(path string) (int32, bool) {
	node := trieRoot
	for i := range len(path) {
		child, ok := t.step(node, path[i])
		if !ok {
			return 0, false
		}
		node = child
	}
	return node, true
}

// longest follows text from node and returns the longest prefix at which a key ends, and that key's value, or -1.
// A key that ends at node itself does not count.
func (t *trie) longest(node int32, text string) (length int, value int32) {
	value = -1
	for i := range len(text) {
		child, ok := t.step(node, text[i])
		if !ok {
			break
		}
		node = child
		if v := t.slots[node].value; v >= 0 {
			length, value = i+1, v
		}
	}
	return length, value
}
