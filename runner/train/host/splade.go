// Package host trains models whose parameters graphs and Go code share: on the Go backend.
package host

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/safetensors"
	"headroom/models/splade"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// Splade trains a SPLADE encoder.
//
// A step encodes queries and documents in micro-batches and keeps only the hidden
// states and term weights. Then it computes the whole batch's objective and its gradient
// by the term weights, and goes back through the micro-batches one by one. So the
// gradient, FLOPS statistics included, is that of the whole batch for every size of
// micro-batches (gradient caching, arXiv 2101.06983).
type Splade struct {
	Optimizer *AdamW
	Rate      train.Schedule
	Query     train.Ramp
	Document  train.Ramp

	model     *engine.Model
	encoder   *encoder
	form      splade.Form
	sum       sumHead           // only for sum pooling, else nil
	top       *engine.TokenHead // only if tokens keep some of their logits, else nil
	sparse    bool              // whether the step before had few positive logits
	screen    *fused.Screen     // nil until then
	objective train.Objective
	loss      *engine.Program
	lambda    [2]engine.Buffer[float32] // scalars
	micro     int                       // texts encoded at a time
	remat     bool
	seed      int64

	keepGradient bool // tests look at the gradient instead of applying it
}

// New prepares the training of a model whose head has already been rescaled.
func New(m *engine.Model, cfg sweeps.RunConfig) (*Splade, error) {
	t := cfg.Train
	s := &Splade{model: m, seed: cfg.Seed, micro: t.MicroBatch, remat: cfg.Compute.Remat, Optimizer: NewAdamW(m, train.Optimizer(cfg)),
		form: splade.NewForm(cfg.Model.Pooling, cfg.Model.Activation, cfg.Model.TopK, cfg.Model.TokenTopM)}
	var err error
	if s.Rate, s.Query, s.Document, err = train.Schedules(cfg); err != nil {
		return nil, err
	}
	if _, err = m.Engine.ComputeType(t.Precision); err != nil {
		return nil, err
	}
	if s.objective, err = train.NewObjective(cfg); err != nil {
		return nil, err
	}
	if s.encoder, err = newEncoder(m, models.Rates(m.Config, cfg.Model.Dropout), cfg.Compute.Remat); err != nil {
		return nil, err
	}
	if err = s.openHead(); err != nil {
		return nil, err
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
		return append(append(graph.Gradient(c.Total(), in[0], in[1]), c.Scores), c.Scalars()...)
	})
	return s, err
}

// Close frees programs; the model stays the caller's.
func (s *Splade) Close() {
	s.encoder.close()
	s.loss.Close()
	s.closeHead()
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
	if err := s.objective.Check(b); err != nil {
		return nil, err
	}
	sides, err := s.newSides(step, b.Queries, b.Documents)
	if err != nil {
		return nil, err
	}
	defer free(sides)
	out, err := s.runObjective(step, sides, b)
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
	norm, sums := s.Optimizer.Update(s.Rate.At(step))
	values["grad_norm"] = event.Value(norm)
	train.RecordGroups(values, sums)
	return values, nil
}
