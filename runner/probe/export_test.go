package probe

import "headroom/runner/engine"

// At is the start of a model under a factor, computed from one projection.
func At(m *engine.Model, batches []Batch, k float64, form Form) (Step0, error) {
	p, err := project(m, batches)
	if err != nil {
		return Step0{}, err
	}
	return p.startAt(k, form).report(), nil
}
