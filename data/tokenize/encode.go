package tokenize

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// scratch is the memory of one encoding.
type scratch struct {
	ids   []int32
	limit int    // stop when at least this many ids are there
	word  []byte // the word being read, normalized
	merge mergeScratch
}

// Encode returns the ids of text with the special tokens of the file's template. The result has at most maxLength ids,
// special tokens included. The end of a longer text is cut off, or its beginning if CutsLeft is true; the special
// tokens stay. With maxLength 0 there is no limit. Each ill-formed sequence of bytes counts as U+FFFD.
//
// With a maxLength below the number of special tokens the result is the first maxLength of these.
func (t *Tokenizer) Encode(text string, maxLength int) []int32 {
	before, after := t.template.before, t.template.after
	s := t.scratch.Get().(*scratch)
	defer t.scratch.Put(s)
	s.ids, s.limit = s.ids[:0], int(^uint(0)>>1)
	if maxLength > 0 {
		s.limit = max(0, maxLength-len(before)-len(after))
	}
	if s.limit > 0 {
		limit := s.limit
		if t.left {
			s.limit = int(^uint(0) >> 1) // the last ids are known only when the whole text is read
		}
		t.body(s, wellFormed(text))
		switch {
		case len(s.ids) <= limit:
		case t.left:
			s.ids = s.ids[len(s.ids)-limit:]
		default:
			s.ids = s.ids[:limit]
		}
	}
	ids := make([]int32, 0, len(before)+len(s.ids)+len(after))
	ids = append(append(append(ids, before...), s.ids...), after...)
	if maxLength > 0 && len(ids) > maxLength {
		ids = ids[:maxLength]
	}
	return ids
}

// EncodeBatch encodes texts on up to threads goroutines, all cores with 0. Result i is Encode(texts[i], maxLength).
func (t *Tokenizer) EncodeBatch(texts []string, maxLength, threads int) [][]int32 {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	const share = 16 // texts taken at a time
	threads = min(threads, (len(texts)+share-1)/share)
	out := make([][]int32, len(texts))
	var next atomic.Int64
	work := func() {
		for {
			begin := int(next.Add(share)) - share
			if begin >= len(texts) {
				return
			}
			for i := begin; i < min(begin+share, len(texts)); i++ {
				out[i] = t.Encode(texts[i], maxLength)
			}
		}
	}
	var others sync.WaitGroup
	for range threads - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	return out
}

// body appends the ids of text itself, well-formed UTF-8, until the limit is reached.
func (t *Tokenizer) body(s *scratch, text string) {
	token := func(id int32) bool {
		s.ids = append(s.ids, id)
		return len(s.ids) < s.limit
	}
	t.plain.split(text, func(part string) bool {
		if t.bert != nil && t.bert.encode(t, s, part) {
			return len(s.ids) < s.limit
		}
		part = t.normalizer.apply(part)
		return t.normalized.split(part, func(part string) bool { return t.pieces(s, part) }, token)
	}, token)
}

// pieces pre-tokenizes a normalized part and appends the ids of its words; false when the limit is reached.
func (t *Tokenizer) pieces(s *scratch, part string) bool {
	if len(t.splitters.splitters) == 1 && t.splitters.level != nil && t.splitters.level.pattern && part != "" {
		if t.splitters.level.prefix && part[0] != ' ' {
			part = " " + part
		}
		for len(part) > 0 && len(s.ids) < s.limit {
			n := t.classes.nextPiece(part)
			t.appendWord(s, part[:n])
			part = part[n:]
		}
		return len(s.ids) < s.limit
	}
	t.splitters.split(0, part, func(word string) {
		if len(s.ids) < s.limit {
			t.appendWord(s, word)
		}
	})
	return len(s.ids) < s.limit
}

// appendWord appends the ids of one word, which is not empty.
func (t *Tokenizer) appendWord(s *scratch, word string) {
	if len(word) > maxCacheWord {
		t.appendNewWord(s, word)
		return
	}
	key := keyOf(word)
	if ids, ok := get(t.cache, key, word); ok {
		s.ids = append(s.ids, ids...)
		return
	}
	before := len(s.ids)
	t.appendNewWord(s, word)
	if ids := s.ids[before:]; len(ids) <= maxCacheIDs {
		put(t.cache, key, word, ids)
	}
}

func (t *Tokenizer) appendNewWord(s *scratch, word string) {
	if t.wordPiece != nil {
		s.ids = t.wordPiece.appendIDs(s.ids, word)
		return
	}
	s.ids = t.bpe.appendIDs(s.ids, word, &s.merge)
}

// wellFormed replaces each ill-formed sequence by one U+FFFD. A sequence is the longest one that begins like a code
// point, or a single stray byte.
func wellFormed(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + 16)
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			size = illFormed(text)
		}
		out.WriteRune(r)
		text = text[size:]
	}
	return out.String()
}

// illFormed returns the number of bytes at the beginning of text that could begin a code point.
func illFormed(text string) int {
	var low, high byte = 0x80, 0xBF
	need := 0
	switch b := text[0]; {
	case b >= 0xC2 && b <= 0xDF:
		need = 1
	case b >= 0xE0 && b <= 0xEF:
		need = 2
		if b == 0xE0 {
			low = 0xA0
		} else if b == 0xED {
			high = 0x9F
		}
	case b >= 0xF0 && b <= 0xF4:
		need = 3
		if b == 0xF0 {
			low = 0x90
		} else if b == 0xF4 {
			high = 0x8F
		}
	}
	n := 1
	for n <= need && n < len(text) && text[n] >= low && text[n] <= high {
		n, low, high = n+1, 0x80, 0xBF
	}
	return n
}
