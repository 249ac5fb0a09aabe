package synthetic

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// writer fills templates and records the words that it uses.
type writer struct {
	lexicon *lexicon
	random  *rand.Rand

	name       string
	typ, place *concept
	pending    []*concept          // attributes that are not named yet
	near       *concept            // the attribute named last
	chosen     map[*concept]string // the synonym that first named a concept

	// In queries a concept is named by a synonym outside avoid with a chance of avoiding percent.
	avoid    map[string]bool
	avoiding int

	sentences []string
	count     int             // words
	uses      map[string]bool // content words
}

func newWriter(l *lexicon, random *rand.Rand) *writer {
	return &writer{lexicon: l, random: random, chosen: map[*concept]string{}, uses: map[string]bool{}}
}

// setSubject sets the subject of the next templates.
func (w *writer) setSubject(name string, typ, place *concept, attributes []*concept) {
	w.name, w.typ, w.place, w.pending = name, typ, place, slices.Clone(attributes)
}

func (w *writer) title(names ...string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = capital(name)
		w.uses[name] = true
	}
	w.count += len(names)
	return strings.Join(words, " ")
}

// write adds a sentence, with a capital at its start and a full stop.
func (w *writer) write(t template) {
	words := w.fill(t)
	words[0] = capital(words[0])
	w.sentences = append(w.sentences, strings.Join(words, " ")+".")
}

// phrase adds a template as it is, as people type queries.
func (w *writer) phrase(t template) {
	w.sentences = append(w.sentences, strings.Join(w.fill(t), " "))
}

func (w *writer) text() string { return strings.Join(w.sentences, " ") }

func (w *writer) fill(t template) []string {
	words := make([]string, len(t))
	for i, field := range t {
		words[i] = w.word(field)
		for (field == "{G}" || field == "{f}") && slices.Contains(words[:i], words[i]) {
			words[i] = w.word(field) // "a lamp and a lamp" tells nothing
		}
		if i > 0 && words[i-1] == "a" && beginsWithVowel(words[i]) {
			words[i-1] = "an"
		}
	}
	w.count += len(words)
	for i, word := range words {
		if t[i] == "{N}" {
			words[i] = capital(word)
		}
	}
	return words
}

func (w *writer) word(field string) string {
	word := field
	switch field {
	case "{N}":
		word = w.name
	case "{T}":
		word = w.say(w.typ)
	case "{P}":
		word = w.say(w.place)
	case "{A}":
		w.near, w.pending = w.pending[0], w.pending[1:]
		word = w.say(w.near)
	case "{T=}":
		word = w.sayOtherwise(w.typ)
	case "{P=}":
		word = w.sayOtherwise(w.place)
	case "{A=}":
		word = w.sayOtherwise(w.near)
	case "{F}":
		word = w.noun(w.pending[0])
	case "{f}":
		word = w.noun(w.near)
	case "{G}":
		word = w.noun(one(w.random, []*concept{w.typ, w.place}))
	default:
		return word
	}
	w.uses[word] = true
	return word
}

func (w *writer) say(c *concept) string {
	from := c.words
	if w.avoid != nil {
		from = w.candidates(c)
	}
	word := one(w.random, from)
	w.chosen[c] = word
	return word
}

// candidates returns, by chance, the synonyms outside avoid or those in it; all if that leaves none.
func (w *writer) candidates(c *concept) []string {
	avoided := chance(w.random, w.avoiding)
	var from []string
	for _, word := range c.words {
		if w.avoid[word] != avoided {
			from = append(from, word)
		}
	}
	if len(from) == 0 {
		return c.words
	}
	return from
}

func (w *writer) sayOtherwise(c *concept) string {
	for {
		if word := one(w.random, c.words); word != w.chosen[c] {
			return word
		}
	}
}

func (w *writer) noun(c *concept) string {
	if chance(w.random, attracted) {
		return one(w.random, c.cues)
	}
	return one(w.random, w.lexicon.nouns)
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// beginsWithVowel decides by the first letter, except for words of the lexicon that sound otherwise.
func beginsWithVowel(word string) bool {
	switch word {
	case "usual":
		return false
	case "honest":
		return true
	}
	return strings.ContainsRune("aeiou", rune(word[0]))
}
