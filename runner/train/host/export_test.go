package host

import (
	"headroom/data/loader"
	"headroom/runner/engine"
)

// Gradients exposes the optimizer's accumulated gradients and skips the update,
// so that tests compare gradients themselves.
func (o *AdamW) Gradients() map[string][]float32 {
	out := map[string][]float32{}
	for _, s := range o.slots {
		out[s.param.Name] = append([]float32(nil), s.grad...)
	}
	return out
}

// Gradients does a step's forward and backward passes without its update.
func (s *Splade) Gradients(step int, b loader.Batch) (map[string][]float32, error) {
	s.keepGradient = true
	defer func() { s.keepGradient = false }()
	if _, err := s.Step(step, b); err != nil {
		return nil, err
	}
	out := s.Optimizer.Gradients()
	for _, slot := range s.Optimizer.slots {
		clear(slot.grad)
	}
	return out, nil
}

// Forward is the total loss of a step's batch, with the step's dropout.
func (s *Splade) Forward(step int, b loader.Batch) (float64, error) {
	s.keepGradient = true
	defer func() { s.keepGradient = false }()
	v, err := s.Step(step, b)
	for _, slot := range s.Optimizer.slots {
		clear(slot.grad)
	}
	return float64(v["loss"]), err
}

// Weights are texts' term weights [len(texts), vocab] by the forward pass of training.
func (s *Splade) Weights(texts [][]int32) ([]float32, error) {
	sides, err := s.newSides(0, texts)
	if err != nil {
		return nil, err
	}
	defer free(sides)
	return append([]float32(nil), sides[0].reps.Values...), nil
}

// Parts is the number of parts that a side of these texts is encoded in.
func (s *Splade) Parts(texts [][]int32) int {
	d, err := s.newSide(0, 0, texts)
	if err != nil {
		return 0
	}
	defer d.free()
	return len(d.parts)
}

// Recording returns a function that does again what step records: the series of a
// batch whose forward pass is done.
func (s *Splade) Recording(step int, b loader.Batch) (again func() error, done func(), err error) {
	sides, err := s.newSides(step, b.Queries, b.Documents)
	if err != nil {
		return nil, nil, err
	}
	out, err := s.runObjective(step, sides, b)
	if err != nil {
		return nil, nil, err
	}
	return func() error {
			_, err := s.series(step, sides, out, b)
			return err
		}, func() {
			free(sides)
			engine.Free(out...)
		}, nil
}

// Screen says whether the next step's head is to be screened, whatever the step before was
// like. It returns whether that step would have had it so.
func (s *Splade) Screen(on bool) (would bool) {
	would, s.sparse = s.sparse, on
	return would
}
