package tokenize

import (
	"sync/atomic"
	"unicode/utf8"
)

// bertScanner does the work of BERT's normalizer and pre-tokenizer in one pass over the text, one code point at a time.
// It leaves text that needs more than one code point at a time (marks that canonical ordering may move) to the general
// code.
type bertScanner struct {
	rules   bertRules
	classes *classes
	forms   *forms
	ascii   [256]byte                                         // see asciiSpace …; otherwise the letter to append
	pages   [(utf8.MaxRune + 1) >> 8]atomic.Pointer[scanPage] // made when first needed; every goroutine makes the same
}

// The scanner's actions for bytes of ASCII that are not letters.
const (
	asciiOther byte = iota // dropped, or the first byte of a longer code point
	asciiSpace
	asciiPunctuation
)

// scanPage holds the actions for 256 code points.
type scanPage [256]scanEntry

type scanEntry struct {
	action scanAction
	size   uint8
	text   [12]byte // its normalized form: at most four code points of three bytes, or a syllable's parts
}

type scanAction uint8

const (
	scanGeneral scanAction = iota // leave the text to the general path
	scanDrop
	scanSpace
	scanLetter
	scanWord // a word by itself: punctuation, a Chinese character
)

func newBertScanner(rules bertRules, c *classes, f *forms) *bertScanner {
	b := &bertScanner{rules: rules, classes: c, forms: f}
	page := b.page(0)
	for i := range rune(utf8.RuneSelf) {
		switch e := &page[i]; e.action {
		case scanSpace:
			b.ascii[i] = asciiSpace
		case scanWord:
			b.ascii[i] = asciiPunctuation
		case scanLetter:
			// Control characters that are not dropped count as letters, for the general code.
			if e.text[0] > asciiPunctuation {
				b.ascii[i] = e.text[0]
			}
		}
	}
	return b
}

func (b *bertScanner) page(number rune) *scanPage {
	if page := b.pages[number].Load(); page != nil {
		return page
	}
	page := new(scanPage)
	for i := range rune(256) {
		page[i] = b.entry(number<<8 | i)
	}
	b.pages[number].Store(page)
	return page
}

// entry computes the effect of the normalizer and the pre-tokenizer on one code point.
func (b *bertScanner) entry(r rune) scanEntry {
	set := b.classes.classOf(r)
	if b.rules.clean && set&classControl != 0 {
		return scanEntry{action: scanDrop}
	}
	if b.rules.clean && set&classSpace != 0 {
		return scanEntry{action: scanSpace}
	}
	text := string(r)
	if b.rules.accents {
		if set&classNonStarter != 0 && set&classAccent == 0 {
			return scanEntry{} // canonical ordering may move it
		}
		text = b.classes.dropping(classAccent)(b.forms.normal(text, false, false))
	}
	if b.rules.lower {
		text = lowercase(text)
	}
	if text == "" {
		return scanEntry{action: scanDrop}
	}
	entry := scanEntry{size: uint8(len(text))}
	if len(text) > len(entry.text) {
		return scanEntry{}
	}
	copy(entry.text[:], text)
	if b.rules.chinese && set&classChinese != 0 {
		entry.action = scanWord
		return entry
	}
	first, size := utf8.DecodeRuneInString(text)
	switch kind := b.classes.classOf(first) & (classSpace | classPunctuation); {
	case size == len(text) && kind&classSpace != 0:
		entry.action = scanSpace
	case size == len(text) && kind&classPunctuation != 0:
		entry.action = scanWord
	case !b.hasDelimiter(text):
		entry.action = scanLetter
	}
	return entry
}

func (b *bertScanner) hasDelimiter(text string) bool {
	for _, r := range text {
		if b.classes.is(r, classSpace|classPunctuation) {
			return true
		}
	}
	return false
}

// encode appends the ids of a part of a text. If the part needs the general code, it appends nothing and returns false.
func (b *bertScanner) encode(t *Tokenizer, s *scratch, text string) bool {
	before := len(s.ids)
	for i := 0; i < len(text) && len(s.ids) < s.limit; {
		// Most words are lower-case ASCII and can be looked up without a copy.
		begin := i
		for i < len(text) && b.ascii[text[i]] == text[i] && text[i] > asciiPunctuation {
			i++
		}
		if i == len(text) || b.ascii[text[i]] == asciiSpace || b.ascii[text[i]] == asciiPunctuation {
			if i > begin {
				t.appendWord(s, text[begin:i])
			}
			if i < len(text) {
				if b.ascii[text[i]] == asciiPunctuation {
					t.appendWord(s, text[i:i+1])
				}
				i++
			}
			continue
		}
		next, ok := b.word(t, s, text, begin, i)
		if !ok {
			s.ids = s.ids[:before]
			return false
		}
		i = next
	}
	return true
}

// word reads on from text[i], after the ASCII letters from begin on, to the end of the word.
func (b *bertScanner) word(t *Tokenizer, s *scratch, text string, begin, i int) (int, bool) {
	s.word = append(s.word[:0], text[begin:i]...)
	for i < len(text) {
		if c := b.ascii[text[i]]; c > asciiPunctuation {
			s.word = append(s.word, c)
			i++
			continue
		}
		r, size := decode(text[i:])
		e := &b.page(r >> 8)[r&0xFF]
		i += size
		switch e.action {
		case scanGeneral:
			return 0, false
		case scanLetter:
			s.word = append(s.word, e.text[:e.size]...)
			continue
		case scanDrop:
			continue
		}
		if len(s.word) > 0 {
			t.appendWord(s, string(s.word))
		}
		if e.action == scanWord {
			t.appendWord(s, string(e.text[:e.size]))
		}
		return i, true
	}
	if len(s.word) > 0 {
		t.appendWord(s, string(s.word))
	}
	return i, true
}
