package host

import (
	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// sumHead is a head under sum pooling.
type sumHead interface {
	Weights(texts []fused.Text, out []float32) error
	Backward(texts []fused.Text, dOut []float32, dHidden [][]float32, dWeight, dBias []float32) error
	Close()
}

// openHead prepares the head that the form needs; plain maxima need none.
func (s *Splade) openHead() error {
	var err error
	if s.form.TokenTopM > 0 {
		if s.top, err = engine.NewTokenHead(s.model, s.form); err == nil && s.form.Sum {
			s.sum = s.top
		}
		return err
	}
	if s.form.Sum {
		s.sum, err = engine.NewSumHead(s.model, s.form)
	}
	return err
}

func (s *Splade) closeHead() {
	switch {
	case s.top != nil:
		s.top.Close()
	case s.sum != nil:
		s.sum.Close()
	}
}

// maxima writes the largest logit of each term to pooled [len(texts), vocab], and the first
// token that has it to arg [len(texts), vocab].
func (s *Splade) maxima(texts []fused.Text, pooled []float32, arg []int32) error {
	if s.top != nil {
		return s.top.Max(texts, pooled, arg)
	}
	return s.model.Head().Max(texts, pooled, arg, s.model.Engine.Threads())
}
