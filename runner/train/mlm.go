package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/layers"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// MLM trains a masked language model, one optimizer step at a time.
type MLM struct {
	Optimizer *AdamW
	Rate      Schedule

	model   *engine.Model
	seed    int64
	program *engine.Program
}

// NewMLM prepares pretraining of a model by a recipe; remat is as compute.remat.
func NewMLM(m *engine.Model, recipe sweeps.Recipe, remat bool) (*MLM, error) {
	t := recipe.Train
	dtype, err := m.Engine.ComputeType(t.Precision)
	if err != nil {
		return nil, err
	}
	s := &MLM{model: m, seed: recipe.Seed, Optimizer: NewAdamW(m, 1)}
	s.Optimizer.Beta1, s.Optimizer.Beta2 = t.Beta1, t.Beta2
	s.Optimizer.WeightDecay, s.Optimizer.Clip = t.WeightDecay, t.Clip
	s.Rate = Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(nil, t.Warmup, t.Steps), Steps: t.Steps}
	rates := models.Rates(m.Config, &recipe.Model.Dropout)
	s.program, err = m.Engine.Program("mlm step", func(in []*Node) []*Node {
		get, rest := m.AllNodes(in)
		ids, lengths, places, labels, weights, seed := rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]
		hidden := models.Transformed(get, m.Config, ids, lengths, layers.Mode{Dropout: layers.NewDropout(rates, seed), DType: dtype, Remat: remat})
		loss := mlmLoss(get, m, Gather(hidden, places), labels, weights)
		return append(Gradient(loss, in[:len(m.Params)]...), loss)
	})
	return s, err
}

// mlmLoss is the weighted mean cross-entropy of hidden [n, hidden] against
// labels [n, 1]; weights [n] are 1 for real rows, 0 for padding.
func mlmLoss(get layers.Params, m *engine.Model, hidden, labels, weights *Node) *Node {
	decoder := get(m.DecoderWeight().Name)
	logits := layers.Linear(hidden, decoder, nil)
	// The label's logit is one dot product of its own: picking it out of the
	// logits would be another pass over [n, vocab].
	own := ReduceSum(Mul(hidden, Gather(decoder, labels)), -1)
	if bias := m.DecoderBias(); bias != nil {
		logits = Add(logits, ExpandLeftToRank(get(bias.Name), 2))
		own = Add(own, Gather(get(bias.Name), labels))
	}
	top := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	total := Add(Log(ReduceSum(Exp(Sub(logits, top)), -1)), Squeeze(top, -1))
	return Div(ReduceAllSum(Mul(Sub(total, own), weights)), ReduceAllSum(weights))
}

// paddedPlaces rounds the number of chosen tokens up, so that few shapes are compiled:
// to multiples of 64, and of larger steps where there are many. Where compiling takes
// long the steps are coarser still.
func paddedPlaces(n int, costly bool) int {
	parts := 16 // sizes between two powers of two
	if costly {
		parts = 8
	}
	step := 64
	for step*parts < n {
		step *= 2
	}
	return (n + step - 1) / step * step
}

// Step does the step-th update, 0-based, on a masked batch.
func (s *MLM) Step(step int, masked Masked) (map[string]event.Value, error) {
	values, err := s.step(step, masked)
	if err != nil {
		return nil, fmt.Errorf("pretrain step %d: %w", step, err)
	}
	return values, nil
}

func (s *MLM) step(step int, masked Masked) (map[string]event.Value, error) {
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
	if err := m.Engine.Read(out[len(m.Params)], func(v []float32) { values["loss"] = event.Value(v[0]) }); err != nil {
		return nil, err
	}
	values["grad_norm"] = event.Value(s.Optimizer.Update(s.Rate.At(step)))
	return values, nil
}

// maskedBatch is a step's batch as the program takes it.
type maskedBatch struct {
	batch          *engine.Batch
	places, labels engine.Buffer[int32]
	weights        engine.Buffer[float32]
	seed           engine.Buffer[uint64]
}

// newMaskedBatch pads the texts of a step.
func newMaskedBatch(m *engine.Model, seed int64, step int, masked Masked) (_ *maskedBatch, err error) {
	b := &maskedBatch{}
	defer func() {
		if err != nil {
			b.free()
		}
	}()
	if b.batch, err = engine.NewBatch(m.Engine, masked.Texts, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens()); err != nil {
		return nil, err
	}
	n := paddedPlaces(len(masked.Places), false)
	if b.places, err = engine.NewBuffer[int32](m.Engine, n, 2); err != nil {
		return nil, err
	}
	if b.labels, err = engine.NewBuffer[int32](m.Engine, n, 1); err != nil {
		return nil, err
	}
	if b.weights, err = engine.NewBuffer[float32](m.Engine, n); err != nil {
		return nil, err
	}
	for i, place := range masked.Places {
		b.places.Values[2*i], b.places.Values[2*i+1] = place[0], place[1]
		b.labels.Values[i], b.weights.Values[i] = masked.Labels[i], 1
	}
	b.seed, err = randomState(m.Engine, seed, step, 0, 0)
	return b, err
}

// inputs are ids, lengths, places, labels, weights and seed.
func (b *maskedBatch) inputs() []*tensors.Tensor {
	return []*tensors.Tensor{b.batch.IDs.Tensor, b.batch.Lengths.Tensor, b.places.Tensor, b.labels.Tensor, b.weights.Tensor, b.seed.Tensor}
}

func (b *maskedBatch) free() {
	if b.batch != nil {
		b.batch.Free()
	}
	engine.Free(b.places.Tensor, b.labels.Tensor, b.weights.Tensor, b.seed.Tensor)
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
