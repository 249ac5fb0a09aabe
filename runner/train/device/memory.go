package device

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/safetensors"
	"headroom/runner/engine"
)

// memory holds the tensors that an optimizer updates; they stay on a device between steps.
type memory struct {
	model   *engine.Model
	updates int
	stale   bool              // the program's memory lacks the last updates
	state   []*tensors.Tensor // parameters, then m, then v; nil: the program's memory holds them
	moments [][]float32       // m, then v, to begin with; nil: zeros
}

// replace replaces the state by that after another update, and frees the old one.
func (d *memory) replace(state []*tensors.Tensor) {
	engine.Free(d.state...)
	d.state, d.stale = state, true
	d.updates++
}

func (d *memory) free() {
	engine.Free(d.state...)
	d.state = nil
}

// Updates is how many updates the optimizer has done.
func (d *memory) Updates() int { return d.updates }

// load copies parameters and moments to the device, unless they are there already.
func (d *memory) load() error {
	if d.state != nil {
		return nil
	}
	list := make([]*tensors.Tensor, 0, 3*len(d.model.Params))
	add := func(p *engine.Param, values []float32) error {
		t, err := d.model.Engine.Upload(values, p.Shape...)
		if err != nil {
			return fmt.Errorf("load training state: parameter %q: %w", p.Name, err)
		}
		list = append(list, t)
		return nil
	}
	for _, p := range d.model.Params {
		if err := add(p, p.Values); err != nil {
			engine.Free(list...)
			return err
		}
	}
	for i := range 2 * len(d.model.Params) {
		p := d.model.Params[i%len(d.model.Params)]
		values := make([]float32, len(p.Values))
		if d.moments != nil {
			values = d.moments[i]
		}
		if err := add(p, values); err != nil {
			engine.Free(list...)
			return err
		}
	}
	// Copies that inference may have made would only take memory.
	if err := d.model.Changed(); err != nil {
		engine.Free(list...)
		return err
	}
	d.state, d.moments = list, nil
	return nil
}

// Sync brings the model's parameters in the program's memory up to date.
func (d *memory) Sync() error {
	if !d.stale {
		return nil
	}
	for i, p := range d.model.Params {
		if err := d.model.Engine.Download(d.state[i], p.Values); err != nil {
			return fmt.Errorf("fetch parameter %q: %w", p.Name, err)
		}
	}
	d.stale = false
	return d.model.Changed()
}

// Moments are the optimizer's moments as tensors to save.
func (d *memory) Moments() ([]safetensors.Tensor, error) {
	var out []safetensors.Tensor
	n := len(d.model.Params)
	for i, p := range d.model.Params {
		for j, prefix := range []string{"m.", "v."} {
			values := make([]float32, len(p.Values))
			switch at := i + j*n; {
			case d.state != nil:
				if err := d.model.Engine.Download(d.state[n+at], values); err != nil {
					return nil, fmt.Errorf("fetch moments of %q: %w", p.Name, err)
				}
			case d.moments != nil:
				copy(values, d.moments[at])
			}
			out = append(out, safetensors.Tensor{Name: prefix + p.Name, Shape: p.Shape, Data: values})
		}
	}
	return out, nil
}

// Restore puts saved weights, moments and the number of updates back, all or nothing.
func (d *memory) Restore(updates int, weights, moments *safetensors.File) error {
	read := func(file *safetensors.File, name string, size int) ([]float32, error) {
		v, err := file.Float32(name)
		if err == nil && len(v) != size {
			err = fmt.Errorf("%s: tensor %q has %d values, the model %d", file.Path(), name, len(v), size)
		}
		return v, err
	}
	n := len(d.model.Params)
	values, saved := make([][]float32, n), make([][]float32, 2*n)
	var faults []error
	for i, p := range d.model.Params {
		for _, part := range []struct {
			file *safetensors.File
			name string
			into *[]float32
		}{{weights, p.Name, &values[i]}, {moments, "m." + p.Name, &saved[i]}, {moments, "v." + p.Name, &saved[n+i]}} {
			v, err := read(part.file, part.name, len(p.Values))
			faults = append(faults, err)
			// The file may be unmapped before the first step.
			*part.into = slices.Clone(v)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("restore training state: %w", err)
	}
	for i, p := range d.model.Params {
		copy(p.Values, values[i])
	}
	engine.Free(d.state...)
	d.state, d.moments, d.stale, d.updates = nil, saved, false, updates
	return d.model.Changed()
}

func readFloat64(e *engine.Engine, t *tensors.Tensor) (values []float64, err error) {
	err = e.Read64(t, func(v []float64) { values = slices.Clone(v) })
	return values, err
}
