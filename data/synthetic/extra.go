package synthetic

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// repeated is the chance in percent that a query-like text names one of its concepts by two synonyms.
const repeated = 50

// ExtraTexts returns n texts that are in no collection, for pretraining. The share queryShare (0 to 1) of them is
// short and built like queries, about any concepts by any synonym; some have two synonyms of one concept side by
// side. The rest is built like documents. The two kinds are mixed.
func (w *World) ExtraTexts(n int, queryShare float64, seed int64) []string {
	random := rand.New(rand.NewPCG(uint64(seed), streamExtra))
	texts := make([]string, max(n, 0))
	short := math.Round(queryShare * float64(n))
	for i := range texts {
		if float64(i) < short {
			texts[i] = w.shortText(random)
		} else {
			e := newEntry(w.lexicon, w.grammar, againInTexts(), random)
			texts[i] = e.title + " " + e.text
		}
	}
	random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts
}

func (w *World) shortText(random *rand.Rand) string {
	l := w.lexicon
	kind := one(random, w.grammar.asking)
	fill := newWriter(l, random)
	fill.setSubject("", one(random, l.types), one(random, l.places), pickSeveral(random, l.attributes, kind.attributes))
	t := one(random, kind.templates)
	if chance(random, repeated) {
		t = withSecondSynonym(t, random)
	}
	fill.phrase(t)
	return fill.text()
}

// withSecondSynonym puts a second synonym after one of the slots.
func withSecondSynonym(t template, random *rand.Rand) template {
	var slots []int
	for i, field := range t {
		if field[0] == '{' {
			slots = append(slots, i)
		}
	}
	at := one(random, slots)
	return slices.Insert(slices.Clone(t), at+1, strings.Replace(t[at], "}", "=}", 1))
}
