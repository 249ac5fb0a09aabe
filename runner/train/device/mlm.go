package device

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/layers"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// MLM trains a masked language model on a device with memory of its own.
// Parameters and moments stay there, and a step is one program.
type MLM struct {
	memory
	Rate      train.Schedule
	rates     layers.Rates
	dtype     dtypes.DType
	remat     bool
	flops     float64 // weight of FLOPS of pooled logits
	seed      int64
	limit     int // the most tokens that a text may have
	optimizer adamW
	program   *engine.Program
}

// NewMLM prepares pretraining of a model by a recipe.
func NewMLM(m *engine.Model, recipe sweeps.Recipe, remat bool) (*MLM, error) {
	settings, rate, err := train.RecipeOptimizer(recipe)
	if err != nil {
		return nil, err
	}
	s := &MLM{
		memory: memory{model: m}, seed: recipe.Seed, remat: remat, flops: recipe.Train.FLOPS, limit: recipe.Data.MaxLength,
		rates: models.Rates(m.Config, &recipe.Model.Dropout), optimizer: newAdamW(m, settings), Rate: rate,
	}
	if s.dtype, err = m.Engine.ComputeType(recipe.Train.Precision); err != nil {
		return nil, err
	}
	s.program, err = m.Engine.Program("mlm step", s.build)
	return s, err
}

// entropyBytes bounds the float32 logits of the rows that are compared with their labels
// at a time. Several tensors of that size exist at once.
const entropyBytes = 1 << 29

// build is a step. Inputs: parameters, m, v; those of maskedInputs; scalars. Outputs: the
// new parameters, m, v; losses and gradient norm.
func (s *MLM) build(in []*Node) []*Node {
	m, n := s.model, len(s.model.Params)
	get, _ := m.AllNodes(in)
	rest := in[3*n:]
	ids, lengths, seed, chosen, labels, weights, places, scalars := rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]
	lookup := &layers.Lookup{}
	mode := layers.Training(layers.NewDropout(s.rates, seed), s.dtype, s.remat, lookup)
	hidden := models.Transformed(get, m.Config, ids, lengths, mode)
	head := m.GraphHead(get)
	head.Bytes = entropyBytes
	texts := hidden
	hidden = Reshape(hidden, -1, m.Config.Embedding)
	e := head.CrossEntropy(Gather(hidden, InsertAxes(chosen, -1)), labels, weights)
	// Back to the tokens: each takes the gradient of its row, most of them the row of zeros.
	none := Zeros(hidden.Graph(), shapes.Make(hidden.DType(), 1, m.Config.Embedding))
	dHidden := Gather(Concatenate([]*Node{e.Hidden, none}, 0), InsertAxes(places, -1))
	total, losses := withGradient(hidden, dHidden), []*Node{e.Loss}
	decoder, bias := e.Decoder, e.Bias
	if s.flops > 0 {
		flops := train.NewPooledFLOPS(head, texts, lengths, s.flops)
		total, losses = Add(total, withGradient(texts, flops.Hidden)), append(losses, flops.Value)
		decoder, bias = sumOf(decoder, flops.Decoder), sumOf(bias, flops.Bias)
	}
	grads := modelGradients(m, in[:n], total, []*layers.Lookup{lookup}, decoder, bias)
	state, recorded := s.optimizer.update(in[:n], in[n:2*n], in[2*n:3*n], grads, scalars)
	return append(state, vector(append(losses, recorded...)))
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
	if err := s.load(); err != nil {
		return nil, err
	}
	in, err := s.inputs(step, masked)
	if err != nil {
		return nil, err
	}
	defer in.free()
	out, err := s.program.Call(slices.Concat(s.state, in.tensors())...)
	if err != nil {
		return nil, err
	}
	n := len(out) - 1
	defer engine.Free(out[n])
	series, err := readFloat64(s.model.Engine, out[n])
	if err != nil {
		engine.Free(out[:n]...)
		return nil, err
	}
	s.replace(out[:n])
	last := len(series) - recordedCount()
	values := map[string]event.Value{"lr": event.Value(s.Rate.At(step))}
	s.optimizer.record(values, series[last:])
	train.RecordMLM(values, series[:last], s.flops)
	return values, nil
}

// Build compiles a step for a number of texts, their padded length and the padded number of
// chosen tokens, without running it; the model may be an outline.
func (s *MLM) Build(texts, tokens, chosen int) error {
	list := slices.Concat(s.model.Shapes(), s.model.Shapes(), s.model.Shapes())
	whole, real := dtypes.Int32, dtypes.Float32
	return s.program.Compile(append(list, shapes.Make(whole, texts, tokens), shapes.Make(whole, texts), shapes.Make(dtypes.Uint64, 3),
		shapes.Make(whole, chosen), shapes.Make(whole, chosen), shapes.Make(real, chosen), shapes.Make(whole, texts*tokens), shapes.Make(real, scalars))...)
}

// Close frees the program and the device's memory; the model stays the caller's.
func (s *MLM) Close() {
	s.program.Close()
	s.free()
}
