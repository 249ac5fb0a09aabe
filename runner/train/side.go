package train

import (
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// side is one half of a training step: the queries, or the documents.
type side struct {
	parts []*part
	reps  engine.Buffer[float32] // [texts, vocab], term weights
}

// part is a micro-batch of a side.
type part struct {
	first  int // its first text's row in the side
	batch  *engine.Batch
	seed   engine.Buffer[uint64]
	hidden *tensors.Tensor
	pooled []float32 // [texts, vocab], logits behind the maximum; nil for sum pooling, as arg
	arg    []int32   // [texts, vocab]
}

// newSide encodes and pools the queries (which 0) or the documents (1) of a step.
func (s *Splade) newSide(step, which int, texts [][]int32) (_ *side, err error) {
	d := &side{}
	defer func() {
		if err != nil {
			d.free()
		}
	}()
	if d.reps, err = engine.NewBuffer[float32](s.model.Engine, len(texts), s.model.Config.Vocab); err != nil {
		return nil, err
	}
	micro := s.micro
	if micro <= 0 {
		micro = len(texts)
	}
	for first := 0; first < len(texts); first += micro {
		p := &part{first: first}
		d.parts = append(d.parts, p)
		// Sides and micro-batches drop out apart from one another.
		if p.seed, err = randomState(s.model.Engine, s.seed, step, which, len(d.parts)-1); err != nil {
			return nil, err
		}
		if err := s.encode(p, texts[first:min(first+micro, len(texts))], d.reps.Values); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// encode fills a micro-batch and its rows of the side's term weights.
func (s *Splade) encode(p *part, texts [][]int32, reps []float32) (err error) {
	m := s.model
	if p.batch, err = engine.NewBatch(m.Engine, texts, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens()); err != nil {
		return err
	}
	if p.hidden, err = s.encoder.hidden(p.batch, p.seed); err != nil {
		return err
	}
	vocab := m.Config.Vocab
	n := len(texts) * vocab
	own := reps[p.first*vocab : p.first*vocab+n]
	if s.sum != nil {
		if err := p.withTexts(m, func(texts []fused.Text) error { return s.sum.Weights(texts, own) }); err != nil {
			return err
		}
		Parallel(len(texts), m.Engine.Threads(), func(i int) { s.form.Prune(own[i*vocab : (i+1)*vocab]) })
		return nil
	}
	p.pooled, p.arg = make([]float32, n), make([]int32, n)
	if err := p.withTexts(m, func(texts []fused.Text) error {
		return m.Head().Max(texts, p.pooled, p.arg, m.Engine.Threads())
	}); err != nil {
		return err
	}
	Parallel(len(texts), m.Engine.Threads(), func(i int) {
		out := own[i*vocab : (i+1)*vocab]
		for v, z := range p.pooled[i*vocab : (i+1)*vocab] {
			out[v] = s.form.Weight(z * m.LogitScale)
		}
		s.form.Prune(out)
	})
	return nil
}

// withTexts calls fn with the hidden states of the micro-batch, padding left out.
func (p *part) withTexts(m *engine.Model, fn func([]fused.Text) error) error {
	var fault error
	err := m.Engine.Read(p.hidden, func(values []float32) { fault = fn(p.batch.Texts(values, m.Config.Hidden)) })
	if err != nil {
		return err
	}
	return fault
}

// backward adds the gradients that dReps [texts, vocab] causes. dReps is
// overwritten with the gradient by the pooled logits.
func (s *Splade) backward(d *side, dReps []float32) error {
	vocab := s.model.Config.Vocab
	for _, p := range d.parts {
		from, to := p.first*vocab, (p.first+p.batch.Size())*vocab
		if err := s.pull(p, d.reps.Values[from:to], dReps[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// pull goes back through one micro-batch.
func (s *Splade) pull(p *part, reps, dReps []float32) error {
	m := s.model
	vocab := m.Config.Vocab
	Parallel(p.batch.Size(), m.Engine.Threads(), func(i int) {
		row, kept := dReps[i*vocab:(i+1)*vocab], reps[i*vocab:(i+1)*vocab]
		for v := range row {
			switch {
			case kept[v] == 0: // not active, or pruned
				row[v] = 0
			case s.sum == nil:
				row[v] *= m.LogitScale * s.form.Slope(p.pooled[i*vocab+v]*m.LogitScale)
			}
		}
	})
	dHidden, err := engine.NewBuffer[float32](m.Engine, p.batch.Size(), p.batch.Tokens, m.Config.Hidden)
	if err != nil {
		return err
	}
	defer dHidden.Free()
	rows := make([][]float32, p.batch.Size())
	for i, t := range p.batch.Texts(dHidden.Values, m.Config.Hidden) {
		rows[i] = t.Hidden
	}
	weightGrad := s.Optimizer.Grad(m.DecoderWeight())
	biasGrad := make([]float32, m.Config.Vocab)
	if bias := m.DecoderBias(); bias != nil {
		biasGrad = s.Optimizer.Grad(bias)
	}
	if err := p.withTexts(m, func(texts []fused.Text) error {
		if s.sum != nil {
			return s.sum.Backward(texts, dReps, rows, weightGrad, biasGrad)
		}
		return m.Head().Backward(texts, p.arg, dReps, rows, weightGrad, biasGrad, m.Engine.Threads())
	}); err != nil {
		return err
	}
	return s.encoder.pull(p.batch, p.seed, dHidden, s.Optimizer)
}

// free returns the side's memory.
func (d *side) free() {
	if d == nil {
		return
	}
	for _, p := range d.parts {
		engine.Free(p.hidden)
		p.seed.Free()
		if p.batch != nil {
			p.batch.Free()
		}
	}
	d.reps.Free()
}
