package host

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/layers"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// MLM trains a masked language model, one optimizer step at a time.
type MLM struct {
	Optimizer *AdamW
	Rate      train.Schedule

	model   *engine.Model
	seed    int64
	flops   float64 // weight of FLOPS of pooled logits
	program *engine.Program
}

// NewMLM prepares the pretraining of a model by a recipe. remat has the meaning of compute.remat.
func NewMLM(m *engine.Model, recipe sweeps.Recipe, remat bool) (*MLM, error) {
	dtype, err := m.Engine.ComputeType(recipe.Train.Precision)
	if err != nil {
		return nil, err
	}
	settings, rate, err := train.RecipeOptimizer(recipe)
	if err != nil {
		return nil, err
	}
	s := &MLM{model: m, seed: recipe.Seed, flops: recipe.Train.FLOPS, Optimizer: NewAdamW(m, settings), Rate: rate}
	rates := models.Rates(m.Config, &recipe.Model.Dropout)
	s.program, err = m.Engine.Program("mlm step", func(in []*Node) []*Node {
		get, rest := m.AllNodes(in)
		ids, lengths, places, labels, weights, seed := rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]
		hidden := models.Transformed(get, m.Config, ids, lengths, layers.Training(layers.NewDropout(rates, seed), dtype, remat, nil))
		loss := mlmLoss(get, m, Gather(hidden, places), labels, weights)
		params := in[:len(m.Params)]
		if recipe.Train.FLOPS == 0 {
			return append(Gradient(loss, params...), loss)
		}
		head := m.GraphHead(get)
		head.Bytes = pooledBytes
		flops := train.NewPooledFLOPS(head, hidden, lengths, recipe.Train.FLOPS)
		grads := Gradient(Add(loss, ReduceAllSum(Mul(hidden, StopGradient(flops.Hidden)))), params...)
		for i, p := range m.Params {
			switch p {
			case m.DecoderWeight():
				grads[i] = Add(grads[i], flops.Decoder)
			case m.DecoderBias():
				grads[i] = Add(grads[i], flops.Bias)
			}
		}
		return append(grads, loss, flops.Value)
	})
	return s, err
}

// pooledBytes bounds the float32 logits of the texts that are pooled at a time.
const pooledBytes = 1 << 26

// mlmLoss is the weighted mean cross-entropy of hidden [n, hidden] against
// labels [n, 1]; weights [n] are 1 for real rows, 0 for padding.
func mlmLoss(get layers.Params, m *engine.Model, hidden, labels, weights *Node) *Node {
	decoder := get(m.DecoderWeight().Name)
	logits := layers.Linear(hidden, decoder, nil)
	// The label's logit is computed by a dot product of its own: picking it out of
	// the logits would be another pass over [n, vocab].
	own := ReduceSum(Mul(hidden, Gather(decoder, labels)), -1)
	if bias := m.DecoderBias(); bias != nil {
		logits = Add(logits, ExpandLeftToRank(get(bias.Name), 2))
		own = Add(own, Gather(get(bias.Name), labels))
	}
	top := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	total := Add(Log(ReduceSum(Exp(Sub(logits, top)), -1)), Squeeze(top, -1))
	return Div(ReduceAllSum(Mul(Sub(total, own), weights)), ReduceAllSum(weights))
}

// Step does the step-th update, 0-based, on a masked batch.
func (s *MLM) Step(step int, masked train.Masked) (map[string]event.Value, error) {
	values, err := s.step(step, masked)
	if err != nil {
		return nil, fmt.Errorf("pretrain step %d: %w", step, err)
	}
	return values, nil
}

func (s *MLM) step(step int, masked train.Masked) (map[string]event.Value, error) {
	m := s.model
	in, err := newMaskedBatch(m, s.seed, step, masked)
	if err != nil {
		return nil, err
	}
	defer in.free()
	out, err := s.program.Call(engine.Inputs(m.Params, in.inputs()...)...)
	if err != nil {
		return nil, err
	}
	defer engine.Free(out...)
	values := map[string]event.Value{"lr": event.Value(s.Rate.At(step))}
	for i, p := range m.Params {
		if err := m.Engine.Read(out[i], func(v []float32) { copy(s.Optimizer.Grad(p), v) }); err != nil {
			return nil, err
		}
	}
	var losses []float64
	for _, scalar := range out[len(m.Params):] {
		if err := m.Engine.Read(scalar, func(v []float32) { losses = append(losses, float64(v[0])) }); err != nil {
			return nil, err
		}
	}
	train.RecordMLM(values, losses, s.flops)
	norm, sums := s.Optimizer.Update(s.Rate.At(step))
	values["grad_norm"] = event.Value(norm)
	train.RecordGroups(values, sums)
	return values, nil
}

// Updates is how many updates the optimizer has done.
func (s *MLM) Updates() int { return s.Optimizer.Updates() }

// Sync has nothing to do: the parameters are in the program's memory.
func (s *MLM) Sync() error { return nil }

// Moments are the optimizer's moments as tensors to save: views, not copies.
func (s *MLM) Moments() ([]safetensors.Tensor, error) { return s.Optimizer.Moments(), nil }

// Restore puts saved weights, moments and the number of updates back, all or nothing.
func (s *MLM) Restore(updates int, weights, moments *safetensors.File) error {
	return s.Optimizer.Restore(updates, weights, moments)
}

// Close frees the program; the model stays the caller's.
func (s *MLM) Close() { s.program.Close() }
