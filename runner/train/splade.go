// Package train trains SPLADE encoders and masked language models. What is
// minimized, and how, is exactly what a configuration lists: losses and
// regularizers are named components, learning rate and λ pure functions of the
// global step.
package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/safetensors"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// Splade trains a model whose parameters graphs and Go code share: the Go backend's.
//
// A step encodes queries and documents in micro-batches and keeps only the hidden
// states and term weights, takes the whole batch's objective and its gradient by the
// term weights, and goes back through the micro-batches one by one. So the gradient,
// FLOPS statistics included, is the whole batch's whatever the micro-batch
// (gradient caching, arXiv 2101.06983).
type Splade struct {
	Optimizer *AdamW
	Rate      Schedule
	Query     Ramp
	Document  Ramp

	model     *engine.Model
	encoder   *encoder
	form      splade.Form
	sum       *engine.SumHead // nil but for sum pooling
	objective Objective
	loss      *engine.Program
	lambda    [2]engine.Buffer[float32] // scalars
	micro     int                       // texts encoded at a time
	remat     bool
	seed      int64

	keepGradient bool // tests look at the gradient instead of applying it
}

// NewSplade prepares training of a model that has already been rescaled.
func NewSplade(m *engine.Model, cfg sweeps.RunConfig) (*Splade, error) {
	t := cfg.Train
	s := &Splade{model: m, seed: cfg.Seed, micro: t.MicroBatch, remat: cfg.Compute.Remat, Optimizer: NewAdamW(m, t.HeadLRScale),
		form: splade.NewForm(cfg.Model.Pooling, cfg.Model.Activation, cfg.Model.TopK)}
	s.Optimizer.WeightDecay, s.Optimizer.Clip = t.WeightDecay, t.Clip
	s.Rate, s.Query, s.Document = schedules(cfg)
	var err error
	if s.objective, err = NewObjective(cfg); err != nil {
		return nil, err
	}
	if s.encoder, err = newEncoder(m, models.Rates(m.Config, cfg.Model.Dropout), cfg.Compute.Remat); err != nil {
		return nil, err
	}
	if s.form.Sum {
		if s.sum, err = engine.NewSumHead(m, s.form); err != nil {
			return nil, err
		}
	}
	for i := range s.lambda {
		if s.lambda[i], err = engine.NewBuffer[float32](m.Engine); err != nil {
			return nil, err
		}
	}
	s.loss, err = m.Engine.Program("objective", func(in []*graph.Node) []*graph.Node {
		var teacher *graph.Node
		if s.objective.Teacher() {
			teacher = in[4]
		}
		c := s.objective.Build(in[0], in[1], teacher, in[2], in[3])
		out := append(graph.Gradient(c.Total(), in[0], in[1]), c.Scores, c.Ranking, c.RegQuery, c.RegDocument, c.FlopsQuery, c.FlopsDocument)
		if c.L1Query != nil {
			out = append(out, c.L1Query, c.L1Document)
		}
		return out
	})
	return s, err
}

// scalarNames are the objective's outputs behind gradients and scores, the ranking loss's left out.
var scalarNames = [...]string{"loss/reg_query", "loss/reg_document", "flops/query", "flops/document", "l1/query", "l1/document"}

// Close frees programs; the model stays the caller's.
func (s *Splade) Close() {
	s.encoder.close()
	s.loss.Close()
	if s.sum != nil {
		s.sum.Close()
	}
	s.lambda[0].Free()
	s.lambda[1].Free()
}

// Sync has nothing to do: the parameters are in the program's memory.
func (s *Splade) Sync() error { return nil }

// Updates is how many updates the optimizer has done.
func (s *Splade) Updates() int { return s.Optimizer.Updates() }

// Moments are the optimizer's moments as tensors to save: views, not copies.
func (s *Splade) Moments() ([]safetensors.Tensor, error) { return s.Optimizer.Moments(), nil }

// Restore puts saved weights, moments and the number of updates back, all or nothing.
func (s *Splade) Restore(updates int, weights, moments *safetensors.File) error {
	return s.Optimizer.Restore(updates, weights, moments)
}

// Step does the step-th update, 0-based, on a batch of token ids. The returned
// series hold the values from before the update.
func (s *Splade) Step(step int, b loader.Batch) (map[string]event.Value, error) {
	values, err := s.step(step, b)
	if err != nil {
		return nil, fmt.Errorf("train step %d: %w", step, err)
	}
	return values, nil
}

func (s *Splade) step(step int, b loader.Batch) (map[string]event.Value, error) {
	if err := s.objective.check(b); err != nil {
		return nil, err
	}
	sides, err := s.newSides(step, b.Queries, b.Documents)
	if err != nil {
		return nil, err
	}
	defer free(sides)
	out, err := s.minimize(step, sides, b)
	if err != nil {
		return nil, err
	}
	defer engine.Free(out...)
	values, err := s.series(step, sides, out, b)
	if err != nil {
		return nil, err
	}
	gradients := make([][]float32, len(sides))
	for i := range sides {
		if err := s.model.Engine.Read(out[i], func(v []float32) { gradients[i] = slices.Clone(v) }); err != nil {
			return nil, err
		}
	}
	if err := s.backward(sides, gradients); err != nil {
		return nil, err
	}
	if s.keepGradient {
		return values, nil
	}
	values["grad_norm"] = event.Value(s.Optimizer.Update(s.Rate.At(step)))
	return values, nil
}
