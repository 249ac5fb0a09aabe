package batch

import "slices"

// Mark decides which examples may share a batch. Its keys stand for texts: equal texts have equal keys.
type Mark struct {
	// Query and Positive are the keys of the example's own texts.
	Query, Positive uint64
	// Relevant are all documents known to be relevant to the query, ascending, Positive among them.
	Relevant []uint64
	// Negatives are the hard negatives that the example brings into a batch.
	Negatives []uint64
	// At is the place of the example, for the code that makes marks. It is returned in Place.
	At int64
}

// Conflicts reports whether two examples must not share a batch: because they have the same query, or because a
// document of one is relevant to the query of the other. In one batch such a pair would teach that a relevant
// document is a negative. It is symmetric; an example conflicts with itself.
func (m *Mark) Conflicts(o *Mark) bool {
	return m.Query == o.Query || m.wants(o) || o.wants(m)
}

// wants reports whether a document of o is relevant to the query of m.
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
