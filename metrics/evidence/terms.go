package evidence

import (
	"cmp"
	"math"
	"slices"

	"headroom/metrics/event"
)

// topTerms is how many of a text's heaviest terms are compared with another's.
const topTerms = 10

// heaviest returns the ids of a text's n heaviest terms, ascending. Of terms with equal
// weights the lower ids count as heavier, and NaN is lighter than any number.
func (t text) heaviest(n int) []int32 {
	best := make([]int, 0, n) // indexes of terms, the heaviest first
	for i, w := range t.weights {
		if len(best) == n && cmp.Compare(w, t.weights[best[n-1]]) <= 0 {
			continue
		}
		at := len(best)
		for at > 0 && cmp.Compare(w, t.weights[best[at-1]]) > 0 {
			at--
		}
		best = slices.Insert(best[:min(len(best), n-1)], at, i)
	}
	ids := make([]int32, len(best))
	for k, i := range best {
		ids[k] = t.ids[i]
	}
	slices.Sort(ids)
	return ids
}

// jaccard returns the number of ids in both of two ascending lists over the number in
// either.
func jaccard(a, b []int32) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			both, i, j = both+1, i+1, j+1
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// LastPosition is the value of the series sink_position if the sink is the last token of
// the texts, whatever its index.
const LastPosition = -1

// addTerms adds figures of all texts of a side together: which terms they use, and which
// tokens the weights come from.
func addTerms(add func(string, float64), s Side, texts []text) {
	uses := make([]int, s.Vocab)
	postings, dead := 0, 0
	for _, t := range texts {
		for _, id := range t.ids {
			uses[id]++
		}
		postings += len(t.ids)
	}
	for _, n := range uses {
		if n == 0 {
			dead++
		}
	}
	add("dead", float64(dead)/float64(s.Vocab))
	if postings == 0 {
		return
	}
	add("df_gini", gini(uses))
	if s.Positions == nil {
		return
	}
	var mass []float64 // by position
	total, last := 0.0, 0.0
	for i, t := range texts {
		for k, id := range t.ids {
			at := int(s.Positions[i*s.Vocab+int(id)])
			for len(mass) <= at {
				mass = append(mass, 0)
			}
			w := t.weights[k]
			total += w
			mass[at] += w
			if at == s.Lengths[i]-1 {
				last += w
			}
		}
	}
	most, where := last, LastPosition
	for at, m := range mass {
		if m >= most || math.IsNaN(m) {
			most, where = m, at
		}
	}
	add("sink", most/total)
	add("sink_position", float64(where))
}

// gini returns the Gini coefficient: 0 if all counts are equal, near 1 if one has
// everything.
func gini(counts []int) float64 {
	sorted := slices.Sorted(slices.Values(counts))
	sum, weighted := 0.0, 0.0
	for i, n := range sorted {
		sum += float64(n)
		weighted += float64(i+1) * float64(n)
	}
	n := float64(len(sorted))
	return 2*weighted/(n*sum) - (n+1)/n
}

// Heaviest returns the n terms with most of a side's weight, and their shares of it. Token
// is left empty for the caller to fill in.
func Heaviest(s Side, n int) []event.Term {
	mass := make([]float64, s.Vocab)
	total := 0.0
	for i, w := range s.Weights {
		mass[i%s.Vocab] += float64(w)
		total += float64(w)
	}
	var list []event.Term
	for id, m := range mass {
		if m != 0 {
			list = append(list, event.Term{ID: id, Share: event.Value(m / total)})
		}
	}
	slices.SortStableFunc(list, func(a, b event.Term) int { return cmp.Compare(b.Share, a.Share) })
	return slices.Clone(list[:min(n, len(list))])
}
