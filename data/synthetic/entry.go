package synthetic

import (
	"math/rand/v2"
	"slices"
)

const (
	minWords = 17 // of title and text together
	// maxTokens bounds words and full stops, so that a document and two special tokens take 48.
	maxTokens = 46
	// A document has one type, one place and minAttributes to maxAttributes attributes.
	minAttributes = 3
	maxAttributes = 5
)

// attracted is the chance in percent that a noun is one of those that its concept attracts, and not any noun.
const attracted = 85

// again holds the chances in percent that a text names a thing once more, by another synonym.
type again struct{ attribute, typ, place int }

// Documents seldom name a thing twice: otherwise word matching would find them by any synonym. Texts that only teach
// the language have more pairs of synonyms.
func againInDocuments() again { return again{attribute: 25, typ: 25, place: 15} }
func againInTexts() again     { return again{attribute: 50, typ: 50, place: 50} }

// entry is a document: its concepts and its words.
type entry struct {
	title, text string
	// concepts are its type, place and attributes.
	concepts []*concept
	// uses has the content words of title and text.
	uses map[string]bool
}

// has reports whether the entry is about a concept.
func (e *entry) has(c *concept) bool { return slices.Contains(e.concepts, c) }

// newEntry writes about a random thing, and tries again until the text has a suitable length.
func newEntry(l *lexicon, g *grammar, more again, random *rand.Rand) *entry {
	for {
		w := newWriter(l, random)
		first, last := one(random, l.names), one(random, l.names)
		typ, place := one(random, l.types), one(random, l.places)
		attributes := pickSeveral(random, l.attributes, minAttributes+random.IntN(maxAttributes-minAttributes+1))
		title := w.title(first, last)
		w.setSubject(first, typ, place, attributes)
		writeDocument(w, g, more, random)
		if w.count+len(w.sentences) > maxTokens {
			continue
		}
		concepts := append([]*concept{typ, place}, attributes...)
		return &entry{title: title, text: w.text(), concepts: concepts, uses: w.uses}
	}
}

// writeDocument writes the sentences of a document.
func writeDocument(w *writer, g *grammar, more again, random *rand.Rand) {
	w.write(one(random, g.openers))
	for len(w.pending) > 0 {
		w.write(one(random, g.tellings))
		if chance(random, more.attribute) {
			w.write(one(random, g.secondAttribute))
		}
	}
	if chance(random, more.typ) {
		w.write(one(random, g.secondType))
	}
	if chance(random, more.place) {
		w.write(one(random, g.secondPlace))
	}
	for enough := minWords + random.IntN(8); w.count < enough; {
		w.write(one(random, g.fillings))
	}
}

func one[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// pickSeveral returns n different elements in random order.
func pickSeveral[T any](random *rand.Rand, from []T, n int) []T {
	taken := make([]T, 0, n)
	for _, i := range random.Perm(len(from))[:n] {
		taken = append(taken, from[i])
	}
	return taken
}

func chance(random *rand.Rand, percent int) bool { return random.IntN(100) < percent }
