package train

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models"
	"headroom/models/layers"
	"headroom/runner/engine"
)

// encoder runs a model's encoder forward and, given the gradient by its output,
// backward. The backward program computes the forward pass again: the head in
// between runs outside the graph, and holding the activations of a whole batch
// across two programs is what limits batch sizes.
type encoder struct {
	model    *engine.Model
	rates    layers.Rates
	forward  *engine.Program
	backward *engine.Program
}

// newEncoder prepares both programs. With remat the backward one keeps the activations of
// one layer at a time.
func newEncoder(m *engine.Model, rates layers.Rates, remat bool) (*encoder, error) {
	e := &encoder{model: m, rates: rates}
	var err error
	e.forward, err = m.Engine.Program("train forward", func(in []*graph.Node) []*graph.Node {
		get, rest := m.EncoderNodes(in)
		mode := layers.Mode{Dropout: layers.NewDropout(rates, rest[2]), Fused: true}
		return []*graph.Node{models.Transformed(get, m.Config, rest[0], rest[1], mode)}
	})
	if err != nil {
		return nil, err
	}
	e.backward, err = m.Engine.Program("train backward", func(in []*graph.Node) []*graph.Node {
		get, rest := m.EncoderNodes(in)
		tape, lookup := layers.NewTape(), &layers.Lookup{}
		mode := layers.Mode{Dropout: layers.NewDropout(rates, rest[2]), Remat: remat, Lookup: lookup, Fused: true, Tape: tape}
		hidden := models.Transformed(get, m.Config, rest[0], rest[1], mode)
		wrt := []*graph.Node{lookup.Rows}
		for i, p := range m.Encoder() {
			if p.Name != m.Config.EmbeddingName() {
				wrt = append(wrt, in[i])
			}
		}
		return tape.Gradient(hidden, rest[3], wrt...)
	})
	return e, err
}

func (e *encoder) close() {
	e.forward.Close()
	e.backward.Close()
}

// hidden is [batch, tokens, hidden]; seed is the dropout's random state.
func (e *encoder) hidden(b *engine.Batch, seed engine.Buffer[uint64]) (*tensors.Tensor, error) {
	out, err := e.forward.Call(engine.Inputs(e.model.Encoder(), b.IDs.Tensor, b.Lengths.Tensor, seed.Tensor)...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// pull returns the gradients that the part's dHidden causes, for add.
func (e *encoder) pull(p *part) ([]*tensors.Tensor, error) {
	return e.backward.Call(engine.Inputs(e.model.Encoder(),
		p.batch.IDs.Tensor, p.batch.Lengths.Tensor, p.seed.Tensor, p.dHidden.Tensor)...)
}

// add adds a part's gradients to the optimizer's buffers. That by the words' embeddings
// comes by token: by row of the table it would be mostly zeros.
func (e *encoder) add(p *part, gradients []*tensors.Tensor, o *AdamW) error {
	name, dim := e.model.Config.EmbeddingName(), e.model.Config.Hidden
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
