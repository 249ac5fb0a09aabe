// Package synthetic generates the built-in collection: texts about a small world of places with attributes, in an
// English of templates in which one thing has several names.
//
// The world has concepts: 120 attributes and 30 types of building or object with three synonyms each, and 30
// places with two. A document describes one named thing: its type, its place and three to five
// attributes, each by one of its synonyms, now and then by a second one later in the text; names and everyday
// nouns fill the rest. A query names two or three concepts of one document, each with probability 1/2 by a
// synonym that this document does not use. A document is relevant (grade 1) exactly if it has all concepts of
// the query, whichever words either uses. So word matching finds about half of them, and a model that knows the
// synonyms would find all: the difference has to be learnt.
//
// It can be learnt from text alone: synonyms occur in the same templates next to the same nouns (every concept
// attracts a few nouns), and texts with two synonyms of a concept connect them directly. ExtraTexts makes more such
// text for pretraining, none of which is in a document of the collection.
//
// A world is a function of seed and size alone: the same bytes on every machine. No two queries, of whatever
// split, ask for the same set of concepts. Of the test queries a fixed number (Size.NoOverlap) shares no
// content word with any of its relevant documents; all others share at least one. These are a subset of the
// test split and also make up the test split of a second folder, so that word matching scores 0 there by
// construction. Content words are words for a concept, names and nouns, not the few words of the templates
// (Frame).
package synthetic

import (
	"fmt"
	"math/rand/v2"

	"headroom/data/collection"
	"headroom/data/trec"
)

// Size holds the numbers of documents and queries.
type Size struct {
	Documents        int
	Train, Dev, Test int // queries
	// NoOverlap is the number of Test queries that share no content word with a relevant document.
	NoOverlap int
}

// DemoSize and DemoSeed make builtin:demo.
func DemoSize() Size {
	return Size{Documents: 2400, Train: 4000, Dev: 200, Test: 700, NoOverlap: 105}
}

// DemoSeed is the seed of builtin:demo.
const DemoSeed = 1

// Streams of random numbers, one per purpose, so that more draws for one purpose do not change the others.
const (
	streamLexicon = iota + 1
	streamDocuments
	streamQueries
	streamExtra
)

// World is a generated collection. Do not change its fields.
type World struct {
	Documents []collection.Document
	Queries   []collection.Query // train, dev, test
	// Qrels has the splits train, dev and test.
	Qrels map[string]trec.Qrels
	// NoOverlap is the part of the test split whose queries share no content word with a relevant document.
	NoOverlap trec.Qrels

	seed    int64
	lexicon *lexicon
	grammar *grammar
	entries []*entry
}

// New generates the world of a seed. It is an error if a size asks for more queries than different ones can be
// made for so few documents.
func New(seed int64, size Size) (*World, error) {
	if err := size.check(); err != nil {
		return nil, err
	}
	phrases := newGrammar()
	words, err := newLexicon(rand.New(rand.NewPCG(uint64(seed), streamLexicon)), phrases.frame)
	if err != nil {
		return nil, err
	}
	w := &World{seed: seed, lexicon: words, grammar: phrases, Qrels: map[string]trec.Qrels{}, NoOverlap: trec.Qrels{}}
	random := rand.New(rand.NewPCG(uint64(seed), streamDocuments))
	for i := range size.Documents {
		e := newEntry(words, phrases, againInDocuments(), random)
		w.entries = append(w.entries, e)
		w.Documents = append(w.Documents, collection.Document{ID: fmt.Sprintf("d%04d", i+1), Title: e.title, Text: e.text})
	}
	asker := newAsker(w, rand.New(rand.NewPCG(uint64(seed), streamQueries)))
	for _, part := range []struct {
		split  string
		n      int
		accept func(*query) bool
	}{
		{"test", size.NoOverlap, func(q *query) bool { return !q.overlaps }},
		{"test", size.Test - size.NoOverlap, func(q *query) bool { return q.overlaps }},
		{"dev", size.Dev, func(*query) bool { return true }},
		{"train", size.Train, func(*query) bool { return true }},
	} {
		if err := asker.ask(part.split, part.n, part.accept); err != nil {
			return nil, err
		}
	}
	asker.publish()
	return w, nil
}

func (s Size) check() error {
	if s.Documents < 1 || s.Documents > 9999 {
		return fmt.Errorf("make synthetic world: %d documents: 1 to 9999 are allowed", s.Documents)
	}
	if s.Train < 1 || s.Dev < 1 || s.Test < 1 || s.NoOverlap < 1 || s.NoOverlap > s.Test {
		return fmt.Errorf("make synthetic world: %d train, %d dev, %d test queries, %d of them without overlap: each at least 1, the last at most the test queries", s.Train, s.Dev, s.Test, s.NoOverlap)
	}
	return nil
}

// Write writes the collection with its splits train, dev and test as a folder that must not exist yet.
func (w *World) Write(folder string) error {
	return collection.Write(folder, w.Documents, w.Queries, w.Qrels)
}

// WriteNoOverlap writes the same corpus with the test queries that share no content word with a relevant
// document, and no other query.
func (w *World) WriteNoOverlap(folder string) error {
	var asked []collection.Query
	for _, q := range w.Queries {
		if w.NoOverlap[q.ID] != nil {
			asked = append(asked, q)
		}
	}
	return collection.Write(folder, w.Documents, asked, map[string]trec.Qrels{"test": w.NoOverlap})
}
