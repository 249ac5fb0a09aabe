package train

import (
	"fmt"
	"slices"

	"headroom/models/safetensors"
	"headroom/runner/engine"
)

// Weights are the model's parameters as tensors to save: views, not copies.
func Weights(m *engine.Model) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, p := range m.Params {
		out = append(out, safetensors.Tensor{Name: p.Name, Shape: p.Shape, Data: p.Values})
	}
	return out
}

// Moments are the optimizer's moments as tensors to save.
func (o *AdamW) Moments() []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, s := range o.slots {
		out = append(out,
			safetensors.Tensor{Name: "m." + s.param.Name, Shape: s.param.Shape, Data: s.m},
			safetensors.Tensor{Name: "v." + s.param.Name, Shape: s.param.Shape, Data: s.v})
	}
	return out
}

// Restore puts saved weights, moments and the number of updates back, all or nothing.
func (o *AdamW) Restore(updates int, weights, moments *safetensors.File) error {
	type part struct {
		file *safetensors.File
		name string
		into []float32
	}
	var parts []part
	for _, s := range o.slots {
		parts = append(parts, part{weights, s.param.Name, s.param.Values}, part{moments, "m." + s.param.Name, s.m}, part{moments, "v." + s.param.Name, s.v})
	}
	values := make([][]float32, len(parts))
	for i, p := range parts {
		v, err := p.file.Float32(p.name)
		if err != nil {
			return fmt.Errorf("restore training state: %w", err)
		}
		if len(v) != len(p.into) {
			return fmt.Errorf("restore training state: %s: tensor %q has %d values, the model %d", p.file.Path(), p.name, len(v), len(p.into))
		}
		values[i] = v
	}
	for i, p := range parts {
		copy(p.into, values[i])
	}
	for _, s := range o.slots {
		clear(s.grad)
	}
	o.updates = updates
	return nil
}

// Finite says whether every parameter is a finite number, and names the first that is not.
func Finite(m *engine.Model) (name string, ok bool) {
	if names := NonFinite(m); names != nil {
		return names[0], false
	}
	return "", true
}

// NonFinite names every parameter that holds a value that is no finite number.
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

// Updates is how many updates the optimizer has done.
func (o *AdamW) Updates() int { return o.updates }
