package examples

import (
	"slices"

	"headroom/data/batch"
)

// marked are an example's keys: what it brings into a batch, and what its row alone knows to be relevant.
type marked struct {
	query, positive     uint64
	relevant, negatives []uint64
	at                  int64
}

// join makes marks: what is relevant to a query is what any of its examples says.
func join(examples []marked) []batch.Mark {
	relevant := make(map[uint64][]uint64, len(examples))
	for _, e := range examples {
		relevant[e.query] = append(append(relevant[e.query], e.positive), e.relevant...)
	}
	for query, documents := range relevant {
		slices.Sort(documents)
		relevant[query] = slices.Clip(slices.Compact(documents))
	}
	marks := make([]batch.Mark, len(examples))
	for i, e := range examples {
		marks[i] = batch.Mark{Query: e.query, Positive: e.positive, Relevant: relevant[e.query], Negatives: e.negatives, At: e.at}
	}
	return marks
}

// Marks are those of pairs: which of them may not stand in one batch.
func Marks(pairs []Pair) []batch.Mark {
	textOf := make(map[string]uint64, len(pairs))
	for _, p := range pairs {
		textOf[p.PositiveID] = textKey(p.Positive)
	}
	all := make([]marked, len(pairs))
	for i, p := range pairs {
		m := marked{query: textKey(p.Query), positive: textOf[p.PositiveID], at: int64(i)}
		if len(p.Positives) > 1 || len(p.Positives) == 1 && p.Positives[0] != p.PositiveID {
			for _, id := range p.Positives {
				key, known := textOf[id]
				if !known {
					key = idKey(id)
				}
				m.relevant = append(m.relevant, key)
			}
		}
		all[i] = m
	}
	return join(all)
}

// Conflict tells of two pairs, by their indices, whether they may not stand in one batch: because one's
// positive, or a document of the same text, is relevant to the other's query, or because the query is the
// same. In one batch such a pair would teach that a relevant document is a negative. It is symmetric, true of
// a pair with itself, and safe for concurrent use.
func Conflict(pairs []Pair) func(i, j int) bool {
	marks := Marks(pairs)
	return func(i, j int) bool { return marks[i].Conflicts(&marks[j]) }
}
