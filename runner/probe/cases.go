package probe

import (
	"errors"
	"math"

	"headroom/models/mlmhead"
	"headroom/runner/engine"
)

// Case is a way to make a SPLADE model from the probed model.
type Case struct {
	K    float64
	Form Form
	// Keep is true if the decoder stays tied to the input embeddings, so that dividing one divides the other.
	Keep bool
}

// known reports whether a start can be computed. It cannot be under sum pooling, nor if tokens
// keep a few logits, because these depend on k.
func (c Case) known() bool { return !c.Form.Splade.Sum && c.Form.Splade.TokenTopM == 0 }

// infonces returns InfoNCE at step 0 over ln(candidates) for each case; NaN if it cannot be
// computed. Equal cases are computed once.
func (p *projection) infonces(m *engine.Model, batches []Batch, cases []Case) ([]float64, error) {
	found := map[Case]float64{}
	out := make([]float64, len(cases))
	for i, c := range cases {
		c.Keep = c.Keep && m.Tied && c.Form.Target == mlmhead.Decoder
		v, ok := found[c]
		if !ok {
			s := start{infonce: math.NaN(), lnCandidates: 1}
			var err error
			switch {
			case !c.known():
			case c.Keep:
				s, err = tiedAt(m, batches, c.Form, c.K)
			default:
				s = p.startAt(c.K, c.Form)
			}
			if err != nil {
				return nil, err
			}
			v = s.infonce / s.lnCandidates
			found[c] = v
		}
		out[i] = v
	}
	return out, nil
}

// tiedAt returns the start of a model whose embeddings are divided with its decoder. It
// restores the model before it returns.
func tiedAt(m *engine.Model, batches []Batch, form Form, k float64) (s start, err error) {
	values := m.DecoderWeight().Values
	loaded := append([]float32(nil), values...)
	defer func() {
		copy(values, loaded)
		err = errors.Join(err, m.Changed())
	}()
	if _, err := mlmhead.Rescale(values, nil, k, mlmhead.Decoder); err != nil {
		return s, err
	}
	if err := m.Changed(); err != nil {
		return s, err
	}
	p, err := project(m, batches)
	if err != nil {
		return s, err
	}
	_, bias := form.divisors(k)
	return p.startUnder(1, bias, form), nil
}
