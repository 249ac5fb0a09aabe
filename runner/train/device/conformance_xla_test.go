//go:build xla

package device_test

import (
	"testing"

	"headroom/internal/xlatest"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/device"
	"headroom/sweeps"
)

// The first trajectory of each backbone covers both architectures and both ties; the others
// are one of each term, of each schedule and of each further way of pooling and family.
func TestXLAConformance(t *testing.T) {
	conformance.Run(t, conformance.Backend{
		Engine:  xlatest.Open(t),
		Trainer: func(m *engine.Model, cfg sweeps.RunConfig) (train.Trainer, error) { return device.New(m, cfg) },
		Pretrainer: func(m *engine.Model, r sweeps.Recipe, remat bool) (train.Pretrainer, error) {
			return device.NewMLM(m, r, remat)
		},
		Trajectories: []string{"training-bert-tied", "training-modernbert-untied-4",
			"training-hardness-all-bert-untied-4", "training-hardness-hard-modernbert-untied-4", "training-l0-bert-untied-4",
			"training-df-flops-modernbert-untied-4", "training-anti-zero-bert-untied-4",
			"training-optimizer-cosine-modernbert-untied-4", "training-optimizer-constant-bert-untied-4",
			"training-electra-untied-4", "training-top-m-bert-untied-4", "training-top-m-sum-modernbert-tied"},
	})
}
