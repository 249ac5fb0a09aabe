package batch

import "slices"

// Mark is what decides which examples may share a batch. Its keys stand for texts: equal keys for equal texts.
type Mark struct {
	// Query and Positive are the example's own.
	Query, Positive uint64
	// Relevant are all documents known to be relevant to the query, ascending, Positive among them.
	Relevant []uint64
	// Negatives are the hard negatives that the example brings into a batch.
	Negatives []uint64
	// At is for whoever makes marks: where the example is found. It comes back in Place.
	At int64
}

// Conflicts tells whether two examples may not stand in one batch: because the query is the same, or because a
// document that one brings along is relevant to the other's query. In one batch such a pair would teach that a
// relevant document is a negative. It is symmetric, and true of an example with itself.
func (m *Mark) Conflicts(o *Mark) bool {
	return m.Query == o.Query || m.wants(o) || o.wants(m)
}

// wants tells whether a document of o is relevant to m's query.
func (m *Mark) wants(o *Mark) bool {
	if contains(m.Relevant, o.Positive) {
		return true
	}
	for _, negative := range o.Negatives {
		if contains(m.Relevant, negative) {
			return true
		}
	}
	return false
}

func contains(sorted []uint64, wanted uint64) bool {
	if len(sorted) == 1 { // by far the most frequent case
		return sorted[0] == wanted
	}
	_, found := slices.BinarySearch(sorted, wanted)
	return found
}
