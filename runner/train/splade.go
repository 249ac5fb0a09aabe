// Package train trains SPLADE encoders and masked language models. What is
// minimized, and how, is exactly what a configuration lists: losses and
// regularizers are named components, learning rate and λ pure functions of the
// global step.
package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"headroom/metrics/event"
	"headroom/models"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// Splade trains one run's model, one optimizer step at a time.
type Splade struct {
	Optimizer *AdamW
	Rate      Schedule
	Query     Ramp
	Document  Ramp

	model     *engine.Model
	encoder   *encoder
	objective Objective
	loss      *engine.Program
	lambda    [2]engine.Buffer[float32] // scalars
	pad       int
	seed      int64

	keepGradient bool // tests look at the gradient instead of applying it
}

// NewSplade prepares training of a model that has already been rescaled.
func NewSplade(m *engine.Model, cfg sweeps.RunConfig) (*Splade, error) {
	t := cfg.Train
	s := &Splade{model: m, pad: m.Config.PadID, seed: cfg.Seed, Optimizer: NewAdamW(m, t.HeadLRScale)}
	s.Optimizer.WeightDecay, s.Optimizer.Clip = t.WeightDecay, t.Clip
	s.Rate = Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(t.WarmupSteps, t.Warmup, t.Steps), Steps: t.Steps}
	r := cfg.Regularizer
	ramp := RampSteps(r.RampSteps, r.Ramp, t.Steps)
	s.Query = Ramp{Full: r.LambdaQuery, Kind: r.RampKind, Steps: ramp}
	s.Document = Ramp{Full: r.LambdaDocument, Kind: r.RampKind, Steps: ramp}
	var err error
	if s.objective, err = NewObjective(cfg); err != nil {
		return nil, err
	}
	if s.encoder, err = newEncoder(m, models.Rates(m.Config, cfg.Model.Dropout)); err != nil {
		return nil, err
	}
	for i := range s.lambda {
		if s.lambda[i], err = engine.NewBuffer[float32](m.Engine); err != nil {
			return nil, err
		}
	}
	s.loss, err = m.Engine.Program("objective", func(in []*graph.Node) []*graph.Node {
		c := s.objective.Build(in[0], in[1], in[2], in[3])
		out := append(graph.Gradient(c.Total(), in[0], in[1]), c.Scores, c.Contrastive, c.RegQuery, c.RegDocument, c.FlopsQuery, c.FlopsDocument)
		if c.L1Query != nil {
			out = append(out, c.L1Query, c.L1Document)
		}
		return out
	})
	return s, err
}

// scalarNames are the objective's outputs behind gradients and scores.
var scalarNames = [...]string{"loss/contrastive", "loss/reg_query", "loss/reg_document", "flops/query", "flops/document", "l1/query", "l1/document"}

// Close frees programs; the model stays the caller's.
func (s *Splade) Close() {
	s.encoder.close()
	s.loss.Close()
	s.lambda[0].Free()
	s.lambda[1].Free()
}

// Step does the step-th update, 0-based, on a batch of token ids: documents are
// the queries' positives in order. The returned series hold the values from
// before the update.
func (s *Splade) Step(step int, queries, documents [][]int32) (map[string]event.Value, error) {
	values, err := s.step(step, queries, documents)
	if err != nil {
		return nil, fmt.Errorf("train step %d: %w", step, err)
	}
	return values, nil
}

func (s *Splade) step(step int, queries, documents [][]int32) (map[string]event.Value, error) {
	var sides [2]*side
	defer func() { sides[0].free(); sides[1].free() }()
	for i, texts := range [2][][]int32{queries, documents} {
		batch, err := engine.NewBatch(s.model.Engine, texts, s.model.Config.Vocab, s.pad, s.model.Config.MaxTokens())
		if err != nil {
			return nil, err
		}
		defer batch.Free()
		seed, err := randomState(s.model.Engine, s.seed, step, i)
		if err != nil {
			return nil, err
		}
		defer seed.Free()
		if sides[i], err = s.newSide(batch, seed); err != nil {
			return nil, err
		}
	}
	q, d := sides[0], sides[1]
	lambdaQuery, lambdaDocument := s.Query.At(step), s.Document.At(step)
	s.lambda[0].Values[0], s.lambda[1].Values[0] = float32(lambdaQuery), float32(lambdaDocument)
	out, err := s.loss.Call(q.reps.Tensor, d.reps.Tensor, s.lambda[0].Tensor, s.lambda[1].Tensor)
	if err != nil {
		return nil, err
	}
	defer engine.Free(out...)

	values := map[string]event.Value{
		"lr": event.Value(s.Rate.At(step)), "lambda/query": event.Value(lambdaQuery), "lambda/document": event.Value(lambdaDocument),
	}
	total := 0.0
	for i, t := range out[3:] {
		if err := engine.Read(t, func(v []float32) {
			values[scalarNames[i]] = event.Value(v[0])
			if i < 3 {
				total += float64(v[0])
			}
		}); err != nil {
			return nil, err
		}
	}
	values["loss"] = event.Value(total)
	if err := engine.Read(out[2], func(scores []float32) { scoreSeries(values, scores, len(queries), len(documents)) }); err != nil {
		return nil, err
	}
	textSeries(values, "query", q.reps.Values, s.model.Config.Vocab)
	textSeries(values, "document", d.reps.Values, s.model.Config.Vocab)

	for i, part := range sides {
		gradient := make([]float32, len(part.reps.Values))
		if err := engine.Read(out[i], func(v []float32) { copy(gradient, v) }); err != nil {
			return nil, err
		}
		if err := s.backward(part, gradient); err != nil {
			return nil, err
		}
	}
	if s.keepGradient {
		return values, nil
	}
	values["grad_norm"] = event.Value(s.Optimizer.Update(s.Rate.At(step)))
	return values, nil
}
