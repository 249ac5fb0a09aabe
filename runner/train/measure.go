package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/runner/engine"
)

// check refuses a batch that the objective cannot be computed on.
func (o Objective) check(b loader.Batch) error {
	queries, documents := len(b.Queries), len(b.Documents)
	if queries == 0 || documents == 0 || documents%queries != 0 {
		return fmt.Errorf("%d documents for %d queries: every query needs the same number, at least its positive", documents, queries)
	}
	if !o.Teacher() {
		return nil
	}
	if b.Columns() < 2 {
		return fmt.Errorf("loss %q compares documents of one query: data.negatives must be at least 1", o.Loss)
	}
	if len(b.Scores) != documents {
		return fmt.Errorf("loss %q needs a teacher's score for each of the %d documents; the batch has %d", o.Loss, documents, len(b.Scores))
	}
	return nil
}

// minimize runs the objective: the gradients by both sides' term weights, the scores, the components.
func (s *Splade) minimize(step int, sides []*side, b loader.Batch) ([]*tensors.Tensor, error) {
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

// series reads what a step records off the objective's outputs and the term weights.
func (s *Splade) series(step int, sides []*side, out []*tensors.Tensor, b loader.Batch) (map[string]event.Value, error) {
	values := map[string]event.Value{
		"lr": event.Value(s.Rate.At(step)), "lambda/query": event.Value(s.Query.At(step)), "lambda/document": event.Value(s.Document.At(step)),
	}
	names := append([]string{s.objective.Name()}, scalarNames[:]...)
	total := 0.0
	for i, t := range out[3:] {
		if err := s.model.Engine.Read(t, func(v []float32) {
			values[names[i]] = event.Value(v[0])
			if i < 3 {
				total += float64(v[0])
			}
		}); err != nil {
			return nil, err
		}
	}
	values["loss"] = event.Value(total)
	if err := s.model.Engine.Read(out[2], func(scores []float32) { s.objective.scoreSeries(values, scores, len(b.Queries)) }); err != nil {
		return nil, err
	}
	textSeries(values, "query", sides[0].reps.Values, s.model.Config.Vocab)
	textSeries(values, "document", sides[1].reps.Values, s.model.Config.Vocab)
	return values, nil
}
