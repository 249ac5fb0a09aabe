package host

import (
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// runObjective computes the objective: the gradients by both sides' term weights, the scores, the components.
func (s *Splade) runObjective(step int, sides []*side, b loader.Batch) ([]*tensors.Tensor, error) {
	s.lambda[0].Values[0], s.lambda[1].Values[0] = float32(s.Query.At(step)), float32(s.Document.At(step))
	inputs := []*tensors.Tensor{sides[0].reps.Tensor, sides[1].reps.Tensor, s.lambda[0].Tensor, s.lambda[1].Tensor}
	if s.objective.Teacher() {
		teacher, err := engine.NewBuffer[float32](s.model.Engine, len(b.Queries), b.Columns())
		if err != nil {
			return nil, err
		}
		defer teacher.Free()
		copy(teacher.Values, b.Scores)
		inputs = append(inputs, teacher.Tensor)
	}
	return s.loss.Call(inputs...)
}

// series computes the series of a step from the objective's outputs and the term weights.
func (s *Splade) series(step int, sides []*side, out []*tensors.Tensor, b loader.Batch) (map[string]event.Value, error) {
	values := map[string]event.Value{
		"lr": event.Value(s.Rate.At(step)), "lambda/query": event.Value(s.Query.At(step)), "lambda/document": event.Value(s.Document.At(step)),
	}
	names, weighted := s.objective.Names()
	total := 0.0
	for i, t := range out[3:] {
		if err := s.model.Engine.Read(t, func(v []float32) {
			values[names[i]] = event.Value(v[0])
			if i < weighted {
				total += float64(v[0])
			}
		}); err != nil {
			return nil, err
		}
	}
	values["loss"] = event.Value(total)
	if err := s.model.Engine.Read(out[2], func(scores []float32) { scoreSeries(values, s.objective, scores, len(b.Queries)) }); err != nil {
		return nil, err
	}
	textSeries(values, "query", sides[0].reps.Values, s.model.Config.Vocab)
	textSeries(values, "document", sides[1].reps.Values, s.model.Config.Vocab)
	return values, nil
}

// scoreSeries describes the score matrix [queries, candidates].
func scoreSeries(values map[string]event.Value, o train.Objective, scores []float32, queries int) {
	candidates := len(scores) / queries
	mean, right := 0.0, 0
	for i := range queries {
		row := scores[i*candidates : (i+1)*candidates]
		top, own := true, o.Positive(i)
		for j, x := range row {
			mean += float64(x)
			if j != own && !(row[own] > x) { // a tie is no success, so that a constant model does not look right
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
