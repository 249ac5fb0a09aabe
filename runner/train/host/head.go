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

// screenedShare is the share of positive logits in one step up to which the next step's head
// is screened. Of more terms, preparing the screen and proving the others inactive cost what
// they save.
const screenedShare = 0.1

// prepareScreen gets the screen ready if the step before had few positive logits. What it
// computes has the same bits, so that no result depends on it.
func (s *Splade) prepareScreen() (err error) {
	threads := s.model.Engine.Threads()
	switch {
	case !s.sparse:
	case s.screen == nil:
		s.screen, err = fused.NewScreen(s.model.Head(), threads)
	default:
		err = s.screen.Renew(s.model.Head(), threads)
	}
	return err
}

// chooseScreening decides whether the next step's head is screened.
func (s *Splade) chooseScreening(sides []*side) {
	positive, all := 0, 0
	for _, d := range sides {
		positive, all = positive+d.positive, all+len(d.pooled)
	}
	s.sparse = s.sum == nil && s.top == nil && float64(positive) <= screenedShare*float64(all)
}

// positives is maxima for callers that read positive logits alone: it may write 0 for the others.
func (s *Splade) positives(texts []fused.Text, pooled []float32, arg []int32) error {
	if s.sparse {
		return s.screen.PositiveAt(texts, pooled, arg, s.model.Engine.Threads())
	}
	return s.maxima(texts, pooled, arg)
}

// maxima writes the largest logit of each term to pooled [len(texts), vocab], and the first
// token that has it to arg [len(texts), vocab].
func (s *Splade) maxima(texts []fused.Text, pooled []float32, arg []int32) error {
	if s.top != nil {
		return s.top.Max(texts, pooled, arg)
	}
	return s.model.Head().Max(texts, pooled, arg, s.model.Engine.Threads())
}
