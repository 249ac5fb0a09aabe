package train

import (
	"fmt"
	"slices"

	"headroom/models/safetensors"
	"headroom/runner/engine"
)

// Weights returns the model's parameters as tensors to save: views, not copies.
func Weights(m *engine.Model) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, p := range m.Params {
		out = append(out, safetensors.Tensor{Name: p.Name, Shape: p.Shape, Data: p.Values})
	}
	return out
}

// Finite reports whether all values of every parameter are finite, and names the first parameter if one is not.
func Finite(m *engine.Model) (name string, ok bool) {
	if names := NonFinite(m); names != nil {
		return names[0], false
	}
	return "", true
}

// NonFinite names every parameter with a value that is not finite.
func NonFinite(m *engine.Model) []string {
	var names []string
	for _, p := range m.Params {
		if slices.ContainsFunc(p.Values, func(x float32) bool { return x-x != 0 }) {
			names = append(names, p.Name)
		}
	}
	return names
}

// RestoreWeights puts saved weights back, all or nothing.
func RestoreWeights(m *engine.Model, weights *safetensors.File) error {
	values := make([][]float32, len(m.Params))
	for i, p := range m.Params {
		v, err := weights.Float32(p.Name)
		if err != nil {
			return fmt.Errorf("restore weights: %w", err)
		}
		if len(v) != len(p.Values) {
			return fmt.Errorf("restore weights: %s: tensor %q has %d values, the model %d", weights.Path(), p.Name, len(v), len(p.Values))
		}
		values[i] = v
	}
	for i, p := range m.Params {
		copy(p.Values, values[i])
	}
	return m.Changed()
}
