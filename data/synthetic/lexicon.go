package synthetic

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
)

//go:embed lexicon/attributes.txt
var attributeWords string

//go:embed lexicon/types.txt
var typeWords string

//go:embed lexicon/places.txt
var placeWords string

//go:embed lexicon/nouns.txt
var nounWords string

const (
	names        = 400
	cuesOfOne    = 3 // nouns that a concept attracts
	attributeSet = 120
	typeSet      = 30
	placeSet     = 30
)

// concept is a meaning: its synonyms, and the nouns that texts often put next to it.
type concept struct {
	id    int
	words []string
	cues  []string
}

type lexicon struct {
	attributes, types, places []*concept
	nouns, names              []string
	// meaning maps a synonym to its concept; content holds these, the nouns and the names.
	meaning map[string]*concept
	content map[string]bool
}

func newLexicon(random *rand.Rand, frame map[string]bool) (*lexicon, error) {
	l := &lexicon{nouns: strings.Fields(nounWords), meaning: map[string]*concept{}, content: map[string]bool{}}
	id := 0
	for _, group := range []struct {
		list     string
		concepts *[]*concept
	}{{attributeWords, &l.attributes}, {typeWords, &l.types}, {placeWords, &l.places}} {
		for line := range strings.Lines(group.list) {
			c := &concept{id: id, words: strings.Fields(line), cues: pickSeveral(random, l.nouns, cuesOfOne)}
			for _, word := range c.words {
				l.meaning[word] = c
			}
			*group.concepts = append(*group.concepts, c)
			id++
		}
	}
	if err := l.check(frame); err != nil {
		return nil, err
	}
	l.makeNames(random, frame)
	return l, nil
}

// check checks that no word of the embedded lists has two roles, since a word with two meanings would make the qrels
// wrong.
func (l *lexicon) check(frame map[string]bool) error {
	if len(l.attributes) != attributeSet || len(l.types) != typeSet || len(l.places) != placeSet {
		return fmt.Errorf("read lexicon: %d attributes, %d types, %d places", len(l.attributes), len(l.types), len(l.places))
	}
	add := func(word string) error {
		if l.content[word] || frame[word] {
			return fmt.Errorf("read lexicon: %q has two roles", word)
		}
		l.content[word] = true
		return nil
	}
	for _, group := range [][]*concept{l.attributes, l.types, l.places} {
		for _, c := range group {
			for _, word := range c.words {
				if err := add(word); err != nil {
					return err
				}
			}
		}
	}
	for _, word := range l.nouns {
		if err := add(word); err != nil {
			return err
		}
	}
	return nil
}

// makeNames invents pronounceable names of two or three syllables that are not words of the lexicon.
func (l *lexicon) makeNames(random *rand.Rand, frame map[string]bool) {
	onsets := strings.Fields("b br c d dr f g h j k kr l m n p r s sh st t th tr v w z")
	vowels := strings.Fields("a e i o u ae ei ia")
	codas := strings.Fields("l n r s th m k nd rn x")
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	for len(l.names) < names {
		name := pick(onsets) + pick(vowels) + pick(onsets) + pick(vowels)
		if random.IntN(2) == 0 {
			name += pick(codas)
		}
		if len(name) > 8 || l.content[name] || frame[name] {
			continue
		}
		l.content[name] = true
		l.names = append(l.names, name)
	}
}
