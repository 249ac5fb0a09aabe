package tokenize

import (
	"strings"
	"unicode/utf8"
)

// byteAlphabet is the alphabet of byte-level vocabularies: one printable code point for each byte.
type byteAlphabet struct {
	runes [256]rune
	bytes map[rune]byte
}

func newByteAlphabet() *byteAlphabet {
	a := &byteAlphabet{bytes: make(map[rune]byte, 256)}
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		printable := b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE
		if !printable {
			r = next
			next++
		}
		a.runes[b] = r
		a.bytes[r] = byte(b)
	}
	return a
}

// raw returns the bytes of a token of the vocabulary; false if the token has a code point outside the alphabet, so
// that no text can produce it.
func (a *byteAlphabet) raw(token string) (string, bool) {
	var out strings.Builder
	out.Grow(len(token))
	for _, r := range token {
		b, ok := a.bytes[r]
		if !ok {
			return "", false
		}
		out.WriteByte(b)
	}
	return out.String(), true
}

// splitter returns the pre-tokenizer. Its pieces are raw bytes, as the vocabulary is converted to raw bytes too.
func (spec byteLevelSpec) splitter(c *classes) splitter {
	return func(text string, emit func(string)) {
		if spec.prefix && text[0] != ' ' {
			text = " " + text
		}
		if !spec.pattern {
			emit(text)
			return
		}
		for len(text) > 0 {
			n := c.nextPiece(text)
			emit(text[:n])
			text = text[n:]
		}
	}
}

// nextPiece returns the length of GPT-2's first piece of text, which is not empty:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func (c *classes) nextPiece(text string) int {
	if text[0] == '\'' {
		if n := contraction(text); n > 0 {
			return n
		}
	}
	begin := 0
	if text[0] == ' ' && len(text) > 1 {
		begin = 1
	}
	r, size := decode(text[begin:])
	kind := c.classOf(r) & (classLetter | classNumber | classSpace)
	if kind&classSpace == 0 {
		end := begin + size
		for end < len(text) {
			r, size := decode(text[end:])
			if c.classOf(r)&(classLetter|classNumber|classSpace) != kind {
				break
			}
			end += size
		}
		return end
	}
	// White space: the whole run at the end of the text, else all of it but the last code point, which may begin the next piece.
	end, last := 0, 0
	for end < len(text) {
		r, size := decode(text[end:])
		if !c.is(r, classSpace) {
			if end > last {
				return end - last
			}
			return end
		}
		end, last = end+size, size
	}
	return end
}

func contraction(text string) int {
	if len(text) >= 2 {
		switch text[1] {
		case 's', 't', 'm', 'd':
			return 2
		case 'r', 'v':
			if len(text) >= 3 && text[2] == 'e' {
				return 3
			}
		case 'l':
			if len(text) >= 3 && text[2] == 'l' {
				return 3
			}
		}
	}
	return 0
}

func decode(text string) (rune, int) {
	if text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	return utf8.DecodeRuneInString(text)
}
