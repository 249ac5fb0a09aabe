package hf_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headroom/models/hf"
	"headroom/models/safetensors"
)

// TestRealCheckpoints loads three published models as their users have them.
func TestRealCheckpoints(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real checkpoints are not at hand")
	}
	for name, want := range map[string]struct {
		noHead     bool
		parameters int64 // of a tied masked language model of this shape
		sample     string
		ignored    int
	}{
		"splade-tiny":            {false, 4416698, "bert.encoder.layer.1.output.LayerNorm.weight", 0},
		"minilm-l6":              {true, 22744506, "bert.encoder.layer.5.output.LayerNorm.weight", 3},
		"lightning-ir-bert-test": {true, 33758, "bert.encoder.layer.0.output.LayerNorm.weight", 2},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(root, "checkpoints", name)
			ck, err := hf.Load(folder, hf.Options{})
			if want.noHead {
				if !errors.Is(err, hf.ErrMissingHead) {
					t.Fatalf("without an option the error is %v", err)
				}
				ck, err = hf.Load(folder, hf.Options{WithoutHead: true})
			}
			if err != nil {
				t.Fatal(err)
			}
			checkComplete(t, ck)
			if ck.MissingHead != want.noHead || ck.Tied == want.noHead || len(ck.Ignored) != want.ignored {
				t.Errorf("missing head %v, tied %v, ignored %v", ck.MissingHead, ck.Tied, ck.Ignored)
			}
			if n := ck.Config.ParameterCount(true); n != want.parameters {
				t.Errorf("%d parameters, want %d", n, want.parameters)
			}
			// A trained LayerNorm's scales are near 1: values in the wrong place or type would not be.
			mean := 0.0
			for _, x := range ck.Tensors[want.sample].Data {
				mean += float64(x) / float64(len(ck.Tensors[want.sample].Data))
			}
			if math.IsNaN(mean) || mean < 0.3 || mean > 3 {
				t.Errorf("%s has mean %v", want.sample, mean)
			}
		})
	}
}

// BenchmarkLoadBERTBase loads a random-weight folder of BERT-base's shapes, 438 MB.
func BenchmarkLoadBERTBase(b *testing.B) {
	c, err := hf.ParseConfig("c", []byte(bertBase))
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	put(b, filepath.Join(folder, "config.json"), bertBase)
	var tensors []safetensors.Tensor
	for _, s := range c.Params() {
		if s.Name == c.DecoderName() {
			continue
		}
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		tensors = append(tensors, safetensors.Tensor{Name: s.Name, Shape: s.Shape, Data: make([]float32, n)})
	}
	if err := safetensors.Write(filepath.Join(folder, "model.safetensors"), tensors, nil); err != nil {
		b.Fatal(err)
	}
	tensors = nil
	for b.Loop() {
		if _, err := hf.Load(folder, hf.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
