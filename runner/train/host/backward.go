package host

import (
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/internal/parallel"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// backward takes the gradients by the sides' term weights, dReps [texts, vocab], back to
// all parameters. It overwrites dReps with the gradients by the pooled logits.
func (s *Splade) backward(sides []*side, dReps [][]float32) error {
	var parts []*part
	for i, d := range sides {
		if err := s.backwardHead(d, dReps[i]); err != nil {
			return err
		}
		parts = append(parts, d.parts...)
	}
	order := newTurns()
	return s.eachPart(parts, func(i int, p *part) error {
		out, err := s.encoder.gradients(p)
		defer engine.Free(out...)
		// Gradients are summed over the parts in order.
		order.take(i, func() {
			if err == nil {
				err = s.encoder.add(p, out, s.Optimizer)
			}
		})
		return err
	})
}

// backwardHead goes back through the head, to the decoder and the hidden states.
func (s *Splade) backwardHead(d *side, dReps []float32) error {
	m := s.model
	vocab, dim := m.Config.Vocab, m.Config.Embedding
	parallel.For(len(dReps)/vocab, m.Engine.Threads(), func(i int) {
		row, kept := dReps[i*vocab:(i+1)*vocab], d.reps.Values[i*vocab:(i+1)*vocab]
		for v := range row {
			switch {
			case kept[v] == 0: // not active, or pruned
				row[v] = 0
			case s.sum == nil:
				row[v] *= m.LogitScale * s.form.Slope(d.pooled[i*vocab+v]*m.LogitScale)
			}
		}
	})
	var rows [][]float32
	for _, p := range d.parts {
		var err error
		if p.dHidden, err = engine.NewBuffer[float32](m.Engine, p.batch.Size(), p.batch.Tokens, dim); err != nil {
			return err
		}
		for _, t := range p.batch.Texts(p.dHidden.Values, dim) {
			rows = append(rows, t.Hidden)
		}
	}
	weightGrad := s.Optimizer.Grad(m.DecoderWeight())
	biasGrad := make([]float32, vocab)
	if bias := m.DecoderBias(); bias != nil {
		biasGrad = s.Optimizer.Grad(bias)
	}
	return d.withTexts(m, func(texts []fused.Text) error {
		if s.sum != nil {
			return s.sum.Backward(texts, dReps, rows, weightGrad, biasGrad)
		}
		return m.Head().Backward(texts, d.arg, dReps, rows, weightGrad, biasGrad, m.Engine.Threads())
	})
}

// gradients takes the part's dHidden back through the encoder and returns the gradients
// that add expects.
func (e *encoder) gradients(p *part) ([]*tensors.Tensor, error) {
	in := engine.Inputs(e.model.Encoder(), p.batch.IDs.Tensor, p.batch.Lengths.Tensor, p.seed.Tensor, p.dHidden.Tensor)
	out, err := e.backward[p.program()].Call(append(in, p.kept...)...)
	engine.Free(p.kept...)
	p.kept = nil
	return out, err
}

// add adds a part's gradients to the optimizer's buffers. The gradient by the word
// embeddings has one row per token of the part: one row per word would be mostly zeros.
func (e *encoder) add(p *part, gradients []*tensors.Tensor, o *AdamW) error {
	name, dim := e.model.Config.EmbeddingName(), e.model.Config.Embedding
	table := o.Grad(e.model.Param(name))
	if err := e.model.Engine.Read(gradients[0], func(values []float32) {
		for i, id := range p.batch.IDs.Values {
			addTo(table[int(id)*dim:(int(id)+1)*dim], values[i*dim:(i+1)*dim])
		}
	}); err != nil {
		return err
	}
	rest := gradients[1:]
	for _, param := range e.model.Encoder() {
		if param.Name == name {
			continue
		}
		if err := e.model.Engine.Read(rest[0], func(values []float32) { addTo(o.Grad(param), values) }); err != nil {
			return err
		}
		rest = rest[1:]
	}
	return nil
}

func addTo(sum, values []float32) {
	sum = sum[:len(values)]
	for i, x := range values {
		sum[i] += x
	}
}
