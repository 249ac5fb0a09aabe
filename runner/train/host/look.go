package host

import (
	"fmt"
	"slices"

	"headroom/runner/train"
)

// Look runs texts of token ids forward without dropout, and changes nothing.
func (s *Splade) Look(texts [][]int32) (v train.Vectors, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("look at texts: %w", err)
		}
	}()
	d, err := s.newSide(0, 0, texts) // without dropout the step and the side do not matter
	if err != nil {
		return v, err
	}
	defer d.free()
	if err := s.eachPart(d.parts, func(_ int, p *part) (err error) {
		p.hidden, err = s.model.Hidden(p.batch)
		return err
	}); err != nil {
		return v, err
	}
	if err := s.pool(d, s.maxima); err != nil {
		return v, err
	}
	v = train.Vectors{Weights: slices.Clone(d.reps.Values), Logits: d.pooled, Positions: d.arg}
	for i := range v.Logits {
		v.Logits[i] *= s.model.LogitScale
	}
	return v, nil
}
