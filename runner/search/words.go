package search

import (
	"unicode"
	"unicode/utf8"
)

// Words splits a text for BM25: it lowers the case and returns every run of two or more word characters, as the regular
// expression \b\w\w+\b does in Python. A word character is a letter or a number of any script, or the underscore.
func Words(text string) []string {
	lowered := lowerLikePython(text)
	var words []string
	start, length := 0, 0
	for i, r := range lowered {
		if isWord(r) {
			if length == 0 {
				start = i
			}
			length++
			continue
		}
		if length > 1 {
			words = append(words, lowered[start:i])
		}
		length = 0
	}
	if length > 1 {
		words = append(words, lowered[start:])
	}
	return words
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// lowerLikePython is Python's str.lower. It differs from Go's in two letters: the dotted capital I becomes two code
// points, and a capital sigma at a word's end becomes a final sigma.
func lowerLikePython(text string) string {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] < utf8.RuneSelf && (text[i] < 'A' || text[i] > 'Z')
	}
	if plain {
		return text
	}
	runes := []rune(text)
	lowered := make([]byte, 0, len(text)+8)
	for i, r := range runes {
		switch r {
		case 'İ':
			lowered = append(lowered, "i\u0307"...)
		case 'Σ':
			if isFinal(runes, i) {
				lowered = utf8.AppendRune(lowered, 'ς')
			} else {
				lowered = utf8.AppendRune(lowered, 'σ')
			}
		default:
			lowered = utf8.AppendRune(lowered, unicode.ToLower(r))
		}
	}
	return string(lowered)
}

// isFinal is Unicode's Final_Sigma: a cased letter before and none after; characters that are Case_Ignorable do not count.
func isFinal(runes []rune, i int) bool {
	before := i - 1
	for before >= 0 && ignoresCase(runes[before]) {
		before--
	}
	if before < 0 || !isCased(runes[before]) {
		return false
	}
	after := i + 1
	for after < len(runes) && ignoresCase(runes[after]) {
		after++
	}
	return after == len(runes) || !isCased(runes[after])
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// ignoresCase is Unicode's Case_Ignorable: marks, format characters, modifiers and punctuation inside words.
func ignoresCase(r rune) bool {
	switch r {
	case '\'', '.', ':', '·', '\u0387', '\u055f', '\u05f4', '\u2018', '\u2019', '\u2024', '\u2027',
		'\ufe13', '\ufe52', '\ufe55', '\uff07', '\uff0e', '\uff1a':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
