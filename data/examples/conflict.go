package examples

import (
	"slices"

	"headroom/data/batch"
)

// marked holds an example's keys: of the texts that it brings into a batch, and of the documents that its row calls relevant.
type marked struct {
	query, positive     uint64
	relevant, negatives []uint64
	at                  int64
}

// joinMarks makes marks: a document is relevant to a query if any example of the query says so.
func joinMarks(examples []marked) []batch.Mark {
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

// Marks returns the marks of pairs, which decide which pairs may share a batch.
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
	return joinMarks(all)
}

// Conflict reports whether two pairs, given by their indices, must not share a batch: because the positive of one,
// or a document with the same text, is relevant to the other's query, or because they have the same query. In one
// batch they would teach that a relevant document is a negative. The function is symmetric, true for a pair with
// itself, and safe for concurrent use.
func Conflict(pairs []Pair) func(i, j int) bool {
	marks := Marks(pairs)
	return func(i, j int) bool { return marks[i].Conflicts(&marks[j]) }
}
