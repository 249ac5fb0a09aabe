// Package evidence computes series from the vectors of a fixed set of texts, the probe set
// of a run. They show that the vectors degenerate before retrieval gets worse.
//
// Contract. Each query of a probe set has one positive document, at the same index. The series'
// names begin with event.ProbePrefix. A figure without a meaning is left out, such as a cosine
// of fewer than two texts with an active term. A figure that is computed from a NaN or an
// infinity is NaN or infinite.
package evidence

import (
	"math"
	"slices"

	"headroom/internal/parallel"
	"headroom/metrics/event"
)

// Side has the vectors of a probe set's queries or of its documents.
type Side struct {
	Vocab int
	// Weights [texts, vocab] are the term weights.
	Weights []float32
	// Logits [texts, vocab] are the largest logits over a text's tokens, and Positions the
	// indexes of these tokens. Both are nil under sum pooling.
	Logits    []float32
	Positions []int32
	// Lengths are the texts' numbers of tokens.
	Lengths []int
}

// text is the active terms of a text, by ascending id.
type text struct {
	ids     []int32
	weights []float64
	norm    float64
}

// texts returns the active terms of each text.
func (s Side) texts(threads int) []text {
	list := make([]text, len(s.Weights)/s.Vocab)
	parallel.For(len(list), threads, func(i int) {
		t := &list[i]
		square := 0.0
		for id, w := range s.Weights[i*s.Vocab : (i+1)*s.Vocab] {
			if w != 0 { // NaN is active
				t.ids = append(t.ids, int32(id))
				t.weights = append(t.weights, float64(w))
				square += float64(w) * float64(w)
			}
		}
		t.norm = math.Sqrt(square)
	})
	return list
}

// Series returns the series of a probe set. A score is a dot product; in the softmax it is
// multiplied by the scale.
func Series(queries, documents Side, scale float64, threads int) map[string]event.Value {
	values := map[string]event.Value{}
	q, d := queries.texts(threads), documents.texts(threads)
	for _, s := range []struct {
		name  string
		side  Side
		texts []text
	}{{"query", queries, q}, {"document", documents, d}} {
		add := func(figure string, v float64) { values[event.ProbePrefix+figure+"/"+s.name] = event.Value(v) }
		addCounts(add, s.side, s.texts)
		addAngles(add, s.texts, s.side.Vocab, threads)
		addTerms(add, s.side, s.texts)
	}
	addRanking(values, q, d, queries.Vocab, scale, threads)
	return values
}

// addCounts adds figures of single texts: active terms, weights, norms, logits.
func addCounts(add func(string, float64), s Side, texts []text) {
	var active, norms []float64
	empty, terms, sum, most := 0, 0, 0.0, 0.0
	for _, t := range texts {
		active = append(active, float64(len(t.ids)))
		norms = append(norms, t.norm)
		if len(t.ids) == 0 {
			empty++
		}
		terms += len(t.ids)
		for _, w := range t.weights {
			sum += w
			most = math.Max(most, w)
		}
	}
	addQuantiles(add, "active", active)
	add("empty", float64(empty)/float64(len(texts)))
	add("norm", mean(norms))
	if terms > 0 {
		add("weight_mean", sum/float64(terms))
		add("weight_max", most)
	}
	if s.Logits != nil {
		top := math.Inf(-1)
		for _, z := range s.Logits {
			top = math.Max(top, float64(z))
		}
		add("logit_max", top)
	}
}

// addAngles adds figures of how similar the texts are to each other.
func addAngles(add func(string, float64), texts []text, vocab, threads int) {
	var alive []text
	for _, t := range texts {
		if len(t.ids) > 0 {
			alive = append(alive, t)
		}
	}
	n := len(alive)
	if n < 2 {
		return
	}
	cosines := products(alive, alive, vocab, threads)
	var pairs, shared []float64
	tops := make([][]int32, n)
	parallel.For(n, threads, func(i int) { tops[i] = alive[i].heaviest(topTerms) })
	for i := range alive {
		for j := range alive {
			cosines[i][j] /= alive[i].norm * alive[j].norm
			if j < i {
				pairs = append(pairs, cosines[i][j])
				shared = append(shared, jaccard(tops[i], tops[j]))
			}
		}
	}
	add("cosine_mean", mean(pairs))
	addQuantiles(add, "cosine", pairs)
	add("overlap", mean(shared))
	add("rank", effectiveRank(cosines))
}

// addRanking adds figures of the scores [queries, documents], whose diagonal has the
// positives.
func addRanking(values map[string]event.Value, q, d []text, vocab int, scale float64, threads int) {
	scores := products(q, d, vocab, threads)
	var all, margins []float64
	right, loss := 0.0, 0.0
	for i, row := range scores {
		all = append(all, row...)
		best, top := math.Inf(-1), math.Inf(-1)
		for j, x := range row {
			top = math.Max(top, scale*x)
			if j != i {
				best = math.Max(best, x)
			}
		}
		sum := 0.0
		for _, x := range row {
			sum += math.Exp(scale*x - top)
		}
		loss += top + math.Log(sum) - scale*row[i]
		margins = append(margins, row[i]-best)
		if row[i] > best { // a tie is no success: a constant model must not look right
			right++
		}
	}
	n := float64(len(scores))
	middle := mean(all)
	spread := 0.0
	for _, x := range all {
		spread += (x - middle) * (x - middle)
	}
	add := func(figure string, v float64) { values[event.ProbePrefix+figure] = event.Value(v) }
	add("score_mean", middle)
	add("score_sd", math.Sqrt(spread/float64(len(all))))
	add("infonce", loss/n)
	if len(scores) > 1 {
		add("margin", mean(margins))
		add("accuracy", right/n)
	}
}

// products returns the dot product of each text of a with each text of b. Each is summed by ascending id.
func products(a, b []text, vocab, threads int) [][]float64 {
	// Some texts of a are multiplied at once: a single sum waits for each of its additions.
	const together = 4
	out := make([][]float64, len(a))
	parallel.For((len(a)+together-1)/together, threads, func(block int) {
		rows := a[block*together : min(len(a), (block+1)*together)]
		wide := make([][together]float64, vocab)
		for r, t := range rows {
			for k, id := range t.ids {
				wide[id][r] = t.weights[k]
			}
			out[block*together+r] = make([]float64, len(b))
		}
		for j, t := range b {
			var s0, s1, s2, s3 float64
			for k, id := range t.ids {
				w, x := t.weights[k], &wide[id]
				s0 += w * x[0]
				s1 += w * x[1]
				s2 += w * x[2]
				s3 += w * x[3]
			}
			sums := [together]float64{s0, s1, s2, s3}
			for r, sum := range sums[:len(rows)] {
				out[block*together+r][j] = sum
			}
		}
	})
	return out
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(len(list))
}

// addQuantiles adds three quantiles of a list that is not empty, interpolated linearly.
func addQuantiles(add func(string, float64), name string, list []float64) {
	sorted := slices.Sorted(slices.Values(list)) // NaN comes first
	for _, q := range []struct {
		name string
		at   float64
	}{{"p05", .05}, {"p50", .5}, {"p95", .95}} {
		if math.IsNaN(sorted[0]) {
			add(name+"_"+q.name, math.NaN())
			continue
		}
		at := q.at * float64(len(sorted)-1)
		low := int(at)
		v := sorted[low]
		if part := at - float64(low); part > 0 {
			v += part * (sorted[low+1] - v)
		}
		add(name+"_"+q.name, v)
	}
}
