//go:build xla

package device_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/device"
	"headroom/sweeps"
)

// stubbed opens a plugin that shows what a GPU would be given.
func stubbed(t *testing.T) *engine.Engine {
	t.Helper()
	plugin, err := pjrtstub.Build(t.TempDir(), "cuda")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XLA_FLAGS", os.Getenv("XLA_FLAGS"))
	t.Setenv("GOPJRT_CUDA_CHECKS", "0")
	e, err := engine.Open("xla:"+plugin, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func outline(t *testing.T, e *engine.Engine, shape hf.Shape, tied bool) *engine.Model {
	t.Helper()
	shape.CLS, shape.SEP, shape.PAD = 1, 2, 0
	cfg, err := hf.NewConfig(shape)
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Outline(e, cfg, tied)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var logitsProduct = regexp.MustCompile(`(?s)stablehlo\.dot_general.*?: \(tensor<[^>]*>, tensor<[^>]*>\) -> tensor<\d+x(\d+)x(f32|bf16)>`)

// A step of pretraining of real size, 256 texts of 128 tokens of which 30 % are chosen:
// every product in bfloat16, and a group's logits instead of the 2 GB of all.
func TestXLAPretrainingProgramsOfRealSize(t *testing.T) {
	e := stubbed(t)
	for _, name := range []string{"BERT-base", "Ettin-17m"} {
		for _, remat := range []bool{false, true} {
			recipe := conformance.MLMRecipe(func(r *sweeps.Recipe) {
				r.Train.Precision, r.Data.MaxLength, r.Model.Dropout = "bfloat16", 128, realShapes[name].Dropout
			})
			s, err := device.NewMLM(outline(t, e, realShapes[name], true), recipe, remat)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			text := program(t, func() error { return s.Build(256, 128, 10240) })
			checkProgram(t, text, 0)
			logits := map[string]int{} // products that give them, by their type
			for _, found := range logitsProduct.FindAllStringSubmatch(text, -1) {
				if found[1] == fmt.Sprint(realShapes[name].Vocab) {
					logits[found[2]]++
				}
			}
			if logits["f32"] < 2 || len(logits) != 1 {
				t.Errorf("%s: logits come of products of these types: %v; want float32, some rows at a time", name, logits)
			}
			noScatter(t, text)
		}
	}
}

// With repeated places a sum is either of no fixed order or, if it must be, a sort of all
// numbers or a loop: no step of training has such a thing.
func TestXLAStepsHaveNoScatter(t *testing.T) {
	e := stubbed(t)
	for _, name := range []string{"BERT-base", "Ettin-17m"} {
		for _, tied := range []bool{true, false} {
			run := conformance.Config(100)
			run.Train.Precision = "bfloat16"
			s, err := device.New(outline(t, e, realShapes[name], tied), run)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			noScatter(t, program(t, func() error { return s.Build(16, 32, 16, 128) }))
		}
	}
}

func noScatter(t *testing.T, text string) {
	t.Helper()
	if n := strings.Count(text, "scatter"); n > 0 {
		t.Errorf("%d scatters", n)
	}
}
