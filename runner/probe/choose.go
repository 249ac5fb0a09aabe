package probe

import (
	"fmt"

	"headroom/models/mlmhead"
	"headroom/runner/engine"
)

// The automatic choices of model.rescale.
const (
	AutoNorm  = "auto-norm"
	AutoScore = "auto-score"
)

// ChooseK returns the factor of an automatic choice for a model that has not been
// rescaled. It calls batches only for AutoScore, and restores the model before it
// returns.
func ChooseK(auto string, m *engine.Model, form Form, batches func() ([]Batch, error)) (float64, error) {
	switch auto {
	case AutoNorm:
		return mlmhead.AutoNorm(mlmhead.RowNorms(m.DecoderWeight().Values, m.Config.Embedding).Mean)
	case AutoScore:
		list, err := batches()
		if err != nil {
			return 0, err
		}
		if m.Tied && form.Target != mlmhead.Logits {
			return chooseTied(m, list, form)
		}
		p, err := project(m, list)
		if err != nil {
			return 0, err
		}
		return p.choose(form)
	default:
		return 0, fmt.Errorf("choose k: %q is unknown: allowed are %q and %q", auto, AutoNorm, AutoScore)
	}
}

func (p *projection) choose(form Form) (float64, error) {
	return mlmhead.AutoScore(p.candidates(), func(k float64) (float64, error) { return p.startAt(k, form).infonce, nil })
}

// chooseTied runs the encoder again for every k, since dividing the decoder also
// divides the input embeddings.
func chooseTied(m *engine.Model, batches []Batch, form Form) (float64, error) {
	return mlmhead.AutoScore(len(batches[0].Documents), func(k float64) (float64, error) {
		s, err := tiedAt(m, batches, form, k)
		return s.infonce, err
	})
}
