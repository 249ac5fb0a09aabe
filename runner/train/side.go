package train

import (
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// side is one half of a training step: the queries, or the documents.
type side struct {
	batch  *engine.Batch
	seed   engine.Buffer[uint64]
	hidden *tensors.Tensor
	pooled []float32              // [texts, vocab], logits behind the maximum
	arg    []int32                // [texts, vocab]
	reps   engine.Buffer[float32] // [texts, vocab], term weights
}

// newSide encodes and pools a batch.
func (s *Splade) newSide(batch *engine.Batch, seed engine.Buffer[uint64]) (*side, error) {
	m := s.model
	hidden, err := s.encoder.hidden(batch, seed)
	if err != nil {
		return nil, err
	}
	n := batch.Size() * m.Config.Vocab
	d := &side{batch: batch, seed: seed, hidden: hidden, pooled: make([]float32, n), arg: make([]int32, n)}
	if err := d.withTexts(m, func(texts []fused.Text) error {
		return m.Head().Max(texts, d.pooled, d.arg, m.Engine.Threads())
	}); err != nil {
		return nil, err
	}
	if d.reps, err = engine.NewBuffer[float32](m.Engine, batch.Size(), m.Config.Vocab); err != nil {
		return nil, err
	}
	vocab := m.Config.Vocab
	Parallel(batch.Size(), m.Engine.Threads(), func(i int) {
		out := d.reps.Values[i*vocab : (i+1)*vocab]
		for v, z := range d.pooled[i*vocab : (i+1)*vocab] {
			out[v] = weight(z * m.LogitScale)
		}
	})
	return d, nil
}

// weight is log(1 + relu(z)). NaN stays NaN.
func weight(z float32) float32 {
	if z <= 0 {
		return 0
	}
	return float32(math.Log1p(float64(z)))
}

// withTexts calls fn with the hidden states of the batch, padding left out.
func (d *side) withTexts(m *engine.Model, fn func([]fused.Text) error) error {
	var fault error
	err := engine.Read(d.hidden, func(values []float32) { fault = fn(d.batch.Texts(values, m.Config.Hidden)) })
	if err != nil {
		return err
	}
	return fault
}

// backward adds the gradients that dReps [texts, vocab] causes. dReps is
// overwritten with the gradient by the pooled logits.
func (s *Splade) backward(d *side, dReps []float32) error {
	m := s.model
	vocab := m.Config.Vocab
	Parallel(d.batch.Size(), m.Engine.Threads(), func(i int) {
		row := dReps[i*vocab : (i+1)*vocab]
		for v, z := range d.pooled[i*vocab : (i+1)*vocab] {
			if z = z * m.LogitScale; z <= 0 {
				row[v] = 0
			} else {
				row[v] *= m.LogitScale / (1 + z)
			}
		}
	})
	dHidden, err := engine.NewBuffer[float32](m.Engine, d.batch.Size(), d.batch.Tokens, m.Config.Hidden)
	if err != nil {
		return err
	}
	defer dHidden.Free()
	rows := make([][]float32, d.batch.Size())
	for i, t := range d.batch.Texts(dHidden.Values, m.Config.Hidden) {
		rows[i] = t.Hidden
	}
	weightGrad := s.Optimizer.Grad(m.DecoderWeight())
	biasGrad := make([]float32, m.Config.Vocab)
	if bias := m.DecoderBias(); bias != nil {
		biasGrad = s.Optimizer.Grad(bias)
	}
	if err := d.withTexts(m, func(texts []fused.Text) error {
		return m.Head().Backward(texts, d.arg, dReps, rows, weightGrad, biasGrad, m.Engine.Threads())
	}); err != nil {
		return err
	}
	return s.encoder.pull(d.batch, d.seed, dHidden, s.Optimizer)
}

// free returns the side's memory.
func (d *side) free() {
	if d != nil {
		engine.Free(d.hidden)
		d.reps.Free()
	}
}
