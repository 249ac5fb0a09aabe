package train

import (
	"math"

	"headroom/metrics/event"
)

// scoreSeries describes the score matrix [queries, candidates].
func (o Objective) scoreSeries(values map[string]event.Value, scores []float32, queries int) {
	candidates := len(scores) / queries
	mean, right := 0.0, 0
	for i := range queries {
		row := scores[i*candidates : (i+1)*candidates]
		top, own := true, o.Positive(i)
		for j, x := range row {
			mean += float64(x)
			if j != own && !(row[own] > x) { // a tie is no success: a constant model must not look right
				top = false
			}
		}
		if top {
			right++
		}
	}
	n := float64(len(scores))
	mean /= n
	spread := 0.0
	for _, x := range scores {
		spread += (float64(x) - mean) * (float64(x) - mean)
	}
	values["score/mean"], values["score/sd"] = event.Value(mean), event.Value(math.Sqrt(spread/n))
	values["accuracy"] = event.Value(float64(right) / float64(queries))
}

// textSeries describes term weights [texts, vocab] of one side: active dims,
// share of empty rows, and the mean cosine between two different non-empty texts.
func textSeries(values map[string]event.Value, name string, reps []float32, vocab int) {
	texts := len(reps) / vocab
	active, empty, alive := 0, 0, 0
	sum := make([]float64, vocab)
	for i := range texts {
		row := reps[i*vocab : (i+1)*vocab]
		square, terms := 0.0, 0
		for _, w := range row {
			if w != 0 {
				square += float64(w) * float64(w)
				terms++
			}
		}
		active += terms
		if terms == 0 {
			empty++
			continue
		}
		alive++
		inverse := 1 / math.Sqrt(square)
		for v, w := range row {
			if w != 0 {
				sum[v] += float64(w) * inverse
			}
		}
	}
	values["active/"+name] = event.Value(float64(active) / float64(texts))
	values["empty/"+name] = event.Value(float64(empty) / float64(texts))
	cosine := 0.0
	if alive > 1 {
		for _, x := range sum {
			cosine += x * x
		}
		cosine = (cosine - float64(alive)) / (float64(alive) * float64(alive-1))
	}
	values["cosine/"+name] = event.Value(cosine)
}
