package synthetic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"headroom/data/collection"
	"headroom/data/trec"
)

// query is a question: its concepts, its words, and the entries that answer it.
type query struct {
	id, text string
	split    string
	relevant []int
	overlaps bool // one of its content words is in a relevant entry
}

// asker makes queries about a world's entries, no two for the same set of concepts.
type asker struct {
	world  *World
	random *rand.Rand
	about  map[*concept][]int // entries by concept, ascending
	kinds  []asking           // each as many times as its weight
	asked  map[string]bool    // sets of concepts
	made   []*query
}

func newAsker(w *World, random *rand.Rand) *asker {
	a := &asker{world: w, random: random, about: map[*concept][]int{}, asked: map[string]bool{}}
	for i, e := range w.entries {
		for _, c := range e.concepts {
			a.about[c] = append(a.about[c], i)
		}
	}
	for _, kind := range w.grammar.asking {
		for range kind.weight {
			a.kinds = append(a.kinds, kind)
		}
	}
	return a
}

// triesOfOne bounds the search for a query that is new and accepted, as about one in ten is.
const triesOfOne = 2000

func (a *asker) ask(split string, n int, accept func(*query) bool) error {
	for i := range n {
		var found *query
		for range triesOfOne {
			q, key := a.try()
			if a.asked[key] || !accept(q) {
				continue
			}
			a.asked[key] = true
			found = q
			break
		}
		if found == nil {
			return fmt.Errorf("make synthetic world: only %d of %d %s queries found about %d documents: ask for fewer, or make more documents", i, n, split, len(a.world.entries))
		}
		found.split = split
		a.made = append(a.made, found)
	}
	return nil
}

// try asks for concepts of one entry. The key names the set of concepts.
func (a *asker) try() (*query, string) {
	e := a.world.entries[a.random.IntN(len(a.world.entries))]
	kind := one(a.random, a.kinds)
	wanted := pickSeveral(a.random, e.concepts[2:], kind.attributes)
	attributes := wanted
	if kind.typ {
		wanted = append(slices.Clone(wanted), e.concepts[0])
	}
	if kind.place {
		wanted = append(slices.Clone(wanted), e.concepts[1])
	}
	w := newWriter(a.world.lexicon, a.random)
	w.setSubject("", e.concepts[0], e.concepts[1], attributes)
	w.avoid, w.avoiding = e.uses, 50
	w.phrase(one(a.random, kind.templates))

	q := &query{text: w.text(), relevant: a.relevant(wanted)}
	for _, i := range q.relevant {
		for word := range w.uses {
			q.overlaps = q.overlaps || a.world.entries[i].uses[word]
		}
	}
	ids := make([]string, len(wanted))
	for i, c := range wanted {
		ids[i] = fmt.Sprintf("%03d", c.id)
	}
	slices.Sort(ids)
	return q, strings.Join(ids, " ")
}

// relevant returns the entries that are about all the concepts.
func (a *asker) relevant(wanted []*concept) []int {
	var found []int
	for _, i := range a.about[wanted[0]] {
		all := true
		for _, c := range wanted[1:] {
			all = all && a.world.entries[i].has(c)
		}
		if all {
			found = append(found, i)
		}
	}
	return found
}

// publish numbers the queries within their split and adds them to the world: train, dev, test. The order in
// a split is random, so that the queries without overlap are not together.
func (a *asker) publish() {
	a.random.Shuffle(len(a.made), func(i, j int) { a.made[i], a.made[j] = a.made[j], a.made[i] })
	w := a.world
	for _, split := range []string{"train", "dev", "test"} {
		qrels := trec.Qrels{}
		for _, q := range a.made {
			if q.split != split {
				continue
			}
			q.id = fmt.Sprintf("%s-%04d", split, len(qrels)+1)
			qrels[q.id] = map[string]int{}
			for _, i := range q.relevant {
				qrels[q.id][w.Documents[i].ID] = 1
			}
			w.Queries = append(w.Queries, collection.Query{ID: q.id, Text: q.text})
			if split == "test" && !q.overlaps {
				w.NoOverlap[q.id] = qrels[q.id]
			}
		}
		w.Qrels[split] = qrels
	}
}
