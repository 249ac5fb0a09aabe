package host

import (
	"fmt"

	"headroom/models/safetensors"
)

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

// Updates is how many updates the optimizer has done.
func (o *AdamW) Updates() int { return o.updates }
