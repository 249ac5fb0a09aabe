package train

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/layers"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// Pretrainer is one recipe's training on some backend, one optimizer step at a time.
type Pretrainer interface {
	// Step does the step-th update, 0-based, on texts of token ids.
	Step(step int, texts [][]int32) (map[string]event.Value, error)
	// Updates, Sync, Moments and Restore are as Trainer's.
	Updates() int
	Sync() error
	Moments() ([]safetensors.Tensor, error)
	Restore(updates int, weights, moments *safetensors.File) error
	Close()
}

// NewPretrainer prepares pretraining of a model by a recipe, on the model's own backend.
func NewPretrainer(m *engine.Model, recipe sweeps.Recipe, masking Masking) (Pretrainer, error) {
	if !m.Engine.Shared() {
		return NewDeviceMLM(m, recipe, masking)
	}
	return NewMLM(m, recipe, masking)
}

// DeviceMLM trains a masked language model on a device with memory of its own.
type DeviceMLM struct {
	deviceState
	Rate      Schedule
	masking   Masking
	optimizer deviceAdamW
	program   *engine.Program
}

// NewDeviceMLM prepares pretraining of a model by a recipe.
func NewDeviceMLM(m *engine.Model, recipe sweeps.Recipe, masking Masking) (*DeviceMLM, error) {
	t := recipe.Train
	s := &DeviceMLM{deviceState: deviceState{model: m}, masking: masking, optimizer: newDeviceAdamW(m, 1)}
	s.optimizer.beta1, s.optimizer.beta2 = t.Beta1, t.Beta2
	s.optimizer.weightDecay, s.optimizer.clip = t.WeightDecay, t.Clip
	s.Rate = Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(nil, t.Warmup, t.Steps), Steps: t.Steps}
	rates := models.Rates(m.Config, &recipe.Model.Dropout)
	n := len(m.Params)
	var err error
	s.program, err = m.Engine.Program("mlm step", func(in []*Node) []*Node {
		get, _ := m.AllNodes(in)
		ids, lengths, places, labels, weights, seed, scalars := in[3*n], in[3*n+1], in[3*n+2], in[3*n+3], in[3*n+4], in[3*n+5], in[3*n+6]
		hidden := models.Transformed(get, m.Config, ids, lengths, layers.Mode{Dropout: layers.NewDropout(rates, seed)})
		loss := mlmLoss(get, m, Gather(hidden, places), labels, weights)
		state, norm := s.optimizer.update(in[:n], in[n:2*n], in[2*n:3*n], Gradient(loss, in[:n]...), scalars)
		return append(state, vector([]*Node{loss, norm}))
	})
	return s, err
}

// Step does the step-th update, 0-based, on texts of token ids.
func (s *DeviceMLM) Step(step int, texts [][]int32) (map[string]event.Value, error) {
	values, err := s.step(step, texts)
	if err != nil {
		return nil, fmt.Errorf("pretrain step %d: %w", step, err)
	}
	return values, nil
}

func (s *DeviceMLM) step(step int, texts [][]int32) (map[string]event.Value, error) {
	if err := s.load(); err != nil {
		return nil, err
	}
	in, err := newMaskedBatch(s.model, s.masking, step, texts)
	if err != nil {
		return nil, err
	}
	defer in.free()
	scalar, err := engine.NewBuffer[float32](s.model.Engine, scalars)
	if err != nil {
		return nil, err
	}
	defer scalar.Free()
	s.optimizer.scalars(s.Rate.At(step), s.updates+1, scalar.Values)
	out, err := s.program.Call(slices.Concat(s.state, append(in.inputs(), scalar.Tensor))...)
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
	return map[string]event.Value{"lr": event.Value(s.Rate.At(step)), "loss": event.Value(series[0]), "grad_norm": event.Value(series[1])}, nil
}

// Close frees the program and the device's memory; the model stays the caller's.
func (s *DeviceMLM) Close() {
	s.program.Close()
	s.free()
}
