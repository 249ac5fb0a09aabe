package tokenize

import (
	"math/bits"
	"strings"
	"sync/atomic"
)

// wordCache remembers the ids of short words. It is bounded, and safe for concurrent use without locks: an entry never
// changes after it is stored, and an entry that a race loses is computed again.
type wordCache struct {
	slots [cacheSlots]atomic.Pointer[cacheEntry]
}

const (
	cacheSlots   = 1 << 16 // full, with usual words, it takes about 10 MB
	cacheWays    = 4       // slots in which a word may be
	maxCacheWord = 48      // bytes; longer words are seldom repeated
	maxCacheIDs  = 24
)

type cacheEntry struct {
	key  wordKey
	word string // "" if the key holds the whole word
	ids  []int32
}

// wordKey is a word of up to 15 bytes itself, or two hashes of a longer one.
type wordKey struct{ low, high uint64 }

const inlineWord = 15

// keyOf loads a word with two overlapping reads.
func keyOf[T string | []byte](word T) wordKey {
	n := len(word)
	switch {
	case n > inlineWord:
		return hashKey(word)
	case n >= 8:
		return wordKey{load64(word[:8]), load64(word[n-8:n])>>(64-8*uint(n-8))&(1<<(8*uint(n-8))-1) | uint64(n)<<56}
	case n >= 4:
		return wordKey{uint64(load32(word[:4])) | uint64(load32(word[n-4:n]))<<(8*uint(n-4)), uint64(n) << 56}
	case n > 0:
		return wordKey{uint64(word[0]) | uint64(word[n/2])<<(8*uint(n/2)) | uint64(word[n-1])<<(8*uint(n-1)), uint64(n) << 56}
	}
	return wordKey{}
}

func load64[T string | []byte](b T) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func load32[T string | []byte](b T) uint32 {
	_ = b[3]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func hashKey[T string | []byte](word T) wordKey {
	low, high := uint64(len(word)), uint64(0x9E3779B97F4A7C15)
	n := len(word)
	for i := 0; i+8 <= n; i += 8 {
		low, high = mix(low^load64(word[i:i+8]), high)
	}
	low, high = mix(low^load64(word[n-8:n]), high)
	return wordKey{low, high | 1<<63} // the length byte of a short word is below 16
}

func mix(a, b uint64) (uint64, uint64) {
	high, low := bits.Mul64(a^0xA0761D6478BD642F, b^0xE7037ED1A0B428DB)
	return high ^ low ^ b, bits.RotateLeft64(b+low, 23)
}

func (k wordKey) slot() uint64 {
	high, low := bits.Mul64(k.low^0xA0761D6478BD642F, k.high^0xE7037ED1A0B428DB)
	return (high ^ low) % cacheSlots &^ (cacheWays - 1)
}

// get returns the ids of a word of at most maxCacheWord bytes.
func get[T string | []byte](c *wordCache, key wordKey, word T) ([]int32, bool) {
	slot := key.slot()
	for way := range uint64(cacheWays) {
		e := c.slots[slot+way].Load()
		if e == nil {
			return nil, false
		}
		if e.key == key && (e.word == "" || e.word == string(word)) {
			return e.ids, true
		}
	}
	return nil, false
}

// put stores a copy of ids. When all slots of the word are taken, it replaces the last one.
func put[T string | []byte](c *wordCache, key wordKey, word T, ids []int32) {
	e := &cacheEntry{key: key, ids: append(make([]int32, 0, len(ids)), ids...)}
	if len(word) > inlineWord {
		e.word = strings.Clone(string(word))
	}
	slot := key.slot()
	for way := range uint64(cacheWays - 1) {
		if c.slots[slot+way].CompareAndSwap(nil, e) {
			return
		}
	}
	c.slots[slot+cacheWays-1].Store(e)
}
