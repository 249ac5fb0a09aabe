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

// attracted is the chance in percent that a noun is one that the concept it stands for attracts, and not any.
const attracted = 85

// again has the chances in percent that a text names a thing once more, by another synonym.
type again struct{ attribute, typ, place int }

// Documents seldom repeat themselves, or word matching would find them by whichever synonym; in texts that only
// teach the language, more pairs of synonyms stand together.
func againInDocuments() again { return again{attribute: 25, typ: 25, place: 15} }
func againInTexts() again     { return again{attribute: 50, typ: 50, place: 50} }

// entry is a document: what it is about and the words it uses.
type entry struct {
	title, text string
	// told are its concepts: type, place, attributes.
	told []*concept
	// uses has the content words of title and text.
	uses map[string]bool
}

// has tells whether the entry is about a concept.
func (e *entry) has(c *concept) bool { return slices.Contains(e.told, c) }

// newEntry writes about a thing made up at random, again until the text has a fitting length.
func newEntry(l *lexicon, g *grammar, more again, random *rand.Rand) *entry {
	for {
		w := newWriter(l, random)
		first, last := one(random, l.names), one(random, l.names)
		typ, place := one(random, l.types), one(random, l.places)
		attributes := several(random, l.attributes, minAttributes+random.IntN(maxAttributes-minAttributes+1))
		title := w.title(first, last)
		w.subject(first, typ, place, attributes)
		tell(w, g, more, random)
		if w.count+len(w.sentences) > maxTokens {
			continue
		}
		told := append([]*concept{typ, place}, attributes...)
		return &entry{title: title, text: w.text(), told: told, uses: w.uses}
	}
}

// tell writes the sentences of a document.
func tell(w *writer, g *grammar, more again, random *rand.Rand) {
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

// several returns n different elements in random order.
func several[T any](random *rand.Rand, from []T, n int) []T {
	taken := make([]T, 0, n)
	for _, i := range random.Perm(len(from))[:n] {
		taken = append(taken, from[i])
	}
	return taken
}

func chance(random *rand.Rand, percent int) bool { return random.IntN(100) < percent }
