package tokenize

import (
	"strings"
	"unicode/utf8"
)

// class is a set of the properties that matter for splitting and normalizing.
type class uint16

const (
	classSpace class = 1 << iota
	classControl
	classChinese
	classPunctuation
	classAccent
	classMark
	classLetter
	classNumber
	classDigit
	classWord
	classDecomposes
	classNonStarter
)

// classes gives the class of every code point in two loads. It is never changed after newClasses.
type classes struct {
	pages [(utf8.MaxRune + 1) >> 8]*[256]class
}

func newClasses() *classes {
	c := new(classes)
	empty := new([256]class)
	for i := range c.pages {
		c.pages[i] = empty
	}
	for _, set := range []struct {
		ranges string
		bit    class
	}{
		{rangesSpace, classSpace}, {rangesControl, classControl}, {rangesChinese, classChinese},
		{rangesPunctuation, classPunctuation}, {rangesAccent, classAccent}, {rangesMark, classMark},
		{rangesLetter, classLetter}, {rangesNumber, classNumber}, {rangesDigit, classDigit},
		{rangesWord, classWord}, {rangesDecomposes, classDecomposes}, {rangesNonStarter, classNonStarter},
	} {
		for first, last := range packedRanges(set.ranges) {
			for r := first; r <= last; r++ {
				page := c.pages[r>>8]
				if page == empty {
					page = new([256]class)
					c.pages[r>>8] = page
				}
				page[r&0xFF] |= set.bit
			}
		}
	}
	return c
}

// packedRanges reads the notation of ranges_generated.go.
func packedRanges(packed string) func(yield func(first, last rune) bool) {
	return func(yield func(first, last rune) bool) {
		for pair := range strings.FieldsSeq(packed) {
			low, high, isRange := strings.Cut(pair, "-")
			if !isRange {
				high = low
			}
			if !yield(hexRune(low), hexRune(high)) {
				return
			}
		}
	}
}

func hexRune(digits string) rune {
	var r rune
	for _, d := range []byte(digits) {
		if d >= 'A' {
			d -= 'A' - '0' - 10
		}
		r = r<<4 | rune(d-'0')
	}
	return r
}

// classOf returns the class of r, a valid code point.
func (c *classes) classOf(r rune) class { return c.pages[r>>8][r&0xFF] }

func (c *classes) is(r rune, set class) bool { return c.classOf(r)&set != 0 }

// trimRight returns the length of text without its trailing white space.
func (c *classes) trimRight(text string) int {
	for len(text) > 0 {
		r, size := utf8.DecodeLastRuneInString(text)
		if !c.is(r, classSpace) {
			break
		}
		text = text[:len(text)-size]
	}
	return len(text)
}

// leadingSpace returns the number of bytes of white space that text begins with.
func (c *classes) leadingSpace(text string) int {
	for i, r := range text {
		if !c.is(r, classSpace) {
			return i
		}
	}
	return len(text)
}
