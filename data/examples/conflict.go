package examples

import "slices"

// Conflict tells of two pairs, by their indices, whether they may not stand in one batch: because one's
// positive, or a document of the same text, is relevant to the other's query, or because the query is the
// same. In one batch such a pair would teach that a relevant document is a negative. It is symmetric, true of
// a pair with itself, and safe for concurrent use.
func Conflict(pairs []Pair) func(i, j int) bool {
	number := numbering{}
	type side struct {
		query, positive int
		positives       []int // ascending
	}
	// Documents of one text are one document, whichever ids they have.
	textOf := map[string]string{}
	for _, p := range pairs {
		textOf[p.PositiveID] = p.Positive
	}
	document := func(id string) int {
		if text, known := textOf[id]; known {
			return number.of("text " + text)
		}
		return number.of("id " + id)
	}
	relevant := map[int][]int{} // query → documents; one query may stand under several ids
	sides := make([]side, len(pairs))
	for i, p := range pairs {
		s := side{query: number.of("query " + p.Query), positive: document(p.PositiveID)}
		relevant[s.query] = append(relevant[s.query], s.positive)
		for _, id := range p.Positives {
			relevant[s.query] = append(relevant[s.query], document(id))
		}
		sides[i] = s
	}
	for query, documents := range relevant {
		slices.Sort(documents)
		relevant[query] = slices.Compact(documents)
	}
	for i := range sides {
		sides[i].positives = relevant[sides[i].query]
	}
	return func(i, j int) bool {
		a, b := &sides[i], &sides[j]
		return a.query == b.query || contains(a.positives, b.positive) || contains(b.positives, a.positive)
	}
}

func contains(sorted []int, wanted int) bool {
	if len(sorted) == 1 { // by far the most frequent case
		return sorted[0] == wanted
	}
	_, found := slices.BinarySearch(sorted, wanted)
	return found
}

// numbering gives each key a small number, the same one each time.
type numbering map[string]int

func (n numbering) of(key string) int {
	if number, ok := n[key]; ok {
		return number
	}
	n[key] = len(n)
	return len(n) - 1
}
