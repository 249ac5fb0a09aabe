// Package trainers opens the trainer of a model's backend.
package trainers

import (
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/device"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// New prepares the training of a model whose head has already been rescaled, on the model's own backend.
// A precision that the backend does not have is an error.
func New(m *engine.Model, cfg sweeps.RunConfig) (train.Trainer, error) {
	if !m.Engine.Shared() {
		return device.New(m, cfg)
	}
	return host.New(m, cfg)
}

// NewPretrainer prepares the pretraining of a model by a recipe, on the model's own backend.
// A precision that the backend does not have is an error. remat has the meaning of compute.remat.
func NewPretrainer(m *engine.Model, recipe sweeps.Recipe, remat bool) (train.Pretrainer, error) {
	if !m.Engine.Shared() {
		return device.NewMLM(m, recipe, remat)
	}
	return host.NewMLM(m, recipe, remat)
}
