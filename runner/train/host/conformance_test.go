package host_test

import (
	"testing"

	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Backend{
		Engine:  conformance.Host(t, 2),
		Trainer: func(m *engine.Model, cfg sweeps.RunConfig) (train.Trainer, error) { return host.New(m, cfg) },
		Pretrainer: func(m *engine.Model, r sweeps.Recipe, remat bool) (train.Pretrainer, error) {
			return host.NewMLM(m, r, remat)
		},
	})
}
