package tokenize

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// forms computes Unicode normal forms as the reference library does: by an edition of Unicode that lacks newer code
// points (they stay as they are, in their places), and without the joiners that golang.org/x/text puts into long runs
// of marks.
type forms struct {
	classes *classes
	pairs   map[[2]rune]rune // base, mark → composed; without Hangul; nil if nothing is to be composed
}

// readPairs prepares f for composing.
func (f *forms) readPairs() {
	if f.pairs != nil {
		return
	}
	f.pairs = make(map[[2]rune]rune, 1000)
	for first, last := range packedRanges(rangesDecomposes) {
		for r := first; r <= last; r++ {
			whole := string(r)
			parts := norm.NFD.PropertiesString(whole).Decomposition()
			_, tail := utf8.DecodeLastRune(parts)
			if tail == len(parts) || norm.NFC.String(whole) != whole {
				continue // a singleton, or excluded from composition
			}
			base := []rune(norm.NFC.String(string(parts[:len(parts)-tail])))
			if mark, _ := utf8.DecodeLastRune(parts); len(base) == 1 {
				f.pairs[[2]rune{base[0], mark}] = r
			}
		}
	}
}

const (
	hangulBase, hangulEnd = 0xAC00, 0xD7A4
	leadBase, leadCount   = 0x1100, 19
	vowelBase, vowelCount = 0x1161, 21
	tailBase, tailCount   = 0x11A7, 28
)

// normal returns the normal form of text: compatibility mappings or not, composed or not.
func (f *forms) normal(text string, compatible, compose bool) string {
	if isASCII(text) {
		return text
	}
	// A text that is normal in a newer edition is normal in an older one, so the quick check of golang.org/x/text is right.
	if normalForm(compatible, compose).IsNormalString(text) {
		return text
	}
	runes, order := f.decompose(text, compatible)
	if compose {
		runes = f.compose(runes, order)
	}
	return string(runes)
}

func normalForm(compatible, compose bool) norm.Form {
	switch {
	case compatible && compose:
		return norm.NFKC
	case compatible:
		return norm.NFKD
	case compose:
		return norm.NFC
	}
	return norm.NFD
}

// decompose returns the decomposed text in canonical order and each rune's combining class.
func (f *forms) decompose(text string, compatible bool) ([]rune, []uint8) {
	runes := make([]rune, 0, len(text))
	order := make([]uint8, 0, len(text))
	add := func(r rune) {
		var combining uint8
		if f.classes.is(r, classNonStarter) {
			combining = norm.NFD.PropertiesString(string(r)).CCC()
		}
		runes, order = append(runes, r), append(order, combining)
	}
	source := normalForm(compatible, false)
	for _, r := range text {
		switch {
		case r >= hangulBase && r < hangulEnd:
			syllable := r - hangulBase
			add(leadBase + syllable/(vowelCount*tailCount))
			add(vowelBase + syllable%(vowelCount*tailCount)/tailCount)
			if tail := syllable % tailCount; tail != 0 {
				add(tailBase + tail)
			}
		case f.classes.is(r, classDecomposes):
			parts := source.PropertiesString(string(r)).Decomposition()
			if parts == nil { // only its compatibility form differs
				add(r)
			}
			for len(parts) > 0 {
				part, size := utf8.DecodeRune(parts)
				add(part)
				parts = parts[size:]
			}
		default:
			add(r)
		}
	}
	for begin := 0; begin < len(runes); begin++ {
		if order[begin] == 0 {
			continue
		}
		end := begin + 1
		for end < len(runes) && order[end] != 0 {
			end++
		}
		sortMarks(runes[begin:end], order[begin:end])
		begin = end
	}
	return runes, order
}

// sortMarks puts a run of marks into canonical order: stable, by combining class.
func sortMarks(marks []rune, order []uint8) {
	if slices.IsSorted(order) {
		return
	}
	var counts [256]int
	for _, o := range order {
		counts[o]++
	}
	at := 0
	for o, n := range counts {
		counts[o] = at
		at += n
	}
	sorted := make([]rune, len(marks))
	for i, o := range order {
		sorted[counts[o]] = marks[i]
		counts[o]++
	}
	copy(marks, sorted)
	slices.Sort(order)
}

// compose joins starters with the marks that follow them, in place.
func (f *forms) compose(runes []rune, order []uint8) []rune {
	out := runes[:0]
	starter, last := -1, uint8(0)
	for i, r := range runes {
		if starter >= 0 && (last == 0 || last < order[i]) {
			if whole, ok := f.pair(out[starter], r); ok {
				out[starter] = whole
				continue
			}
		}
		last = order[i]
		if last == 0 {
			starter = len(out)
		}
		out = append(out, r)
	}
	return out
}

func (f *forms) pair(base, mark rune) (rune, bool) {
	if lead, vowel := base-leadBase, mark-vowelBase; lead >= 0 && lead < leadCount && vowel >= 0 && vowel < vowelCount {
		return hangulBase + (lead*vowelCount+vowel)*tailCount, true
	}
	if syllable, tail := base-hangulBase, mark-tailBase; syllable >= 0 && syllable < hangulEnd-hangulBase &&
		syllable%tailCount == 0 && tail > 0 && tail < tailCount {
		return base + tail, true
	}
	whole, ok := f.pairs[[2]rune{base, mark}]
	return whole, ok
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
