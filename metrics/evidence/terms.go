package evidence

import (
	"cmp"
	"math"
	"slices"

	"headroom/metrics/event"
)

// topTerms is how many of a text's heaviest terms are compared with another's.
const topTerms = 10

// top are the ids of a text's n heaviest terms, ascending; of equal ones the lower ids.
func (t text) top(n int) []int32 {
	order := make([]int, len(t.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(t.weights[j], t.weights[i]) })
	ids := make([]int32, 0, n)
	for _, i := range order[:min(n, len(order))] {
		ids = append(ids, t.ids[i])
	}
	slices.Sort(ids)
	return ids
}

// jaccard is the number of ids that two ascending lists share over that of all.
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

// LastPosition stands for the last token of a text, wherever it is, in the series of sinks.
const LastPosition = -1

// terms describes a side's texts together: which terms they use, and which tokens the
// weights come from.
func terms(add func(string, float64), s Side, texts []text) {
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

// gini is 0 if all counts are equal and near 1 if one has everything.
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

// Heaviest are the n terms that have most of a side's weight, and their shares of it. The
// tokens' texts are the caller's to fill in.
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
