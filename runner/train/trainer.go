package train

import (
	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// Trainer is one run's training on some backend, one optimizer step at a time.
type Trainer interface {
	// Step does the step-th update, 0-based. The series it returns hold the values
	// from before the update, as scalars.
	Step(step int, b loader.Batch) (map[string]event.Value, error)
	// Updates is how many updates the optimizer has done.
	Updates() int
	// Sync brings the model's parameters in the program's memory up to date. What
	// reads them between steps calls it first.
	Sync() error
	// Moments are the optimizer's moments as tensors to save.
	Moments() ([]safetensors.Tensor, error)
	// Restore puts saved weights, moments and the number of updates back, all or nothing.
	Restore(updates int, weights, moments *safetensors.File) error
	Close()
}

// New prepares training of a model that has already been rescaled, on its own backend.
func New(m *engine.Model, cfg sweeps.RunConfig) (Trainer, error) {
	if !m.Engine.Shared() {
		return NewDevice(m, cfg)
	}
	if _, err := m.Engine.ComputeType(cfg.Train.Precision); err != nil {
		return nil, err
	}
	return NewSplade(m, cfg)
}

// RampEnd is the first step at which λ has its full value.
func RampEnd(cfg sweeps.RunConfig) int {
	return RampSteps(cfg.Regularizer.RampSteps, cfg.Regularizer.Ramp, cfg.Train.Steps)
}

// schedules are a configuration's learning rate and λ of queries and documents.
func schedules(cfg sweeps.RunConfig) (rate Schedule, query, document Ramp) {
	t, r := cfg.Train, cfg.Regularizer
	rate = Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(t.WarmupSteps, t.Warmup, t.Steps), Steps: t.Steps}
	query = Ramp{Full: r.LambdaQuery, Kind: r.RampKind, Steps: RampEnd(cfg)}
	document = Ramp{Full: r.LambdaDocument, Kind: r.RampKind, Steps: RampEnd(cfg)}
	return rate, query, document
}
