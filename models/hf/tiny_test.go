package hf_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/models/hf"
	"headroom/models/safetensors"
)

// tiny is a small BERT folder that a test can damage: its config and its tensors as a file has them.
type tiny struct {
	config  map[string]string
	tensors map[string]safetensors.Tensor
}

const tinyBERT = `{"model_type":"bert","vocab_size":11,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,
	"intermediate_size":6,"max_position_embeddings":8,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu"}`

func newTiny(t testing.TB) *tiny {
	t.Helper()
	c, err := hf.ParseConfig("c", []byte(tinyBERT))
	if err != nil {
		t.Fatal(err)
	}
	m := &tiny{config: map[string]string{}, tensors: map[string]safetensors.Tensor{}}
	for i, s := range c.Params() {
		m.put(s.Name, float32(i), s.Shape...)
	}
	delete(m.tensors, c.DecoderName())
	return m
}

// put adds a tensor with values that tell it from others.
func (m *tiny) put(name string, base float32, shape ...int) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = base + float32(i)/1000
	}
	m.tensors[name] = safetensors.Tensor{Name: name, Shape: shape, Data: data}
}

func (m *tiny) list() []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, tensor := range m.tensors {
		out = append(out, tensor)
	}
	return out
}

func (m *tiny) rename(prefix, with string) {
	for name, tensor := range maps.Clone(m.tensors) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			delete(m.tensors, name)
			tensor.Name = with + rest
			m.tensors[tensor.Name] = tensor
		}
	}
}

func (m *tiny) write(t testing.TB, folder string) string {
	t.Helper()
	put(t, filepath.Join(folder, "config.json"), string(edit(t, tinyBERT, m.config)))
	if err := safetensors.Write(filepath.Join(folder, "model.safetensors"), m.list(), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return folder
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
