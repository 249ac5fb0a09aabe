package train

import (
	"errors"

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
	build := func(in []*graph.Node, remat bool) (hidden *graph.Node, params, rest []*graph.Node) {
		get, rest := m.EncoderNodes(in)
		drop := layers.NewDropout(rates, rest[2])
		return models.Transformed(get, m.Config, rest[0], rest[1], layers.Mode{Dropout: drop, Remat: remat}), in[:len(m.Encoder())], rest[3:]
	}
	var err error
	e.forward, err = m.Engine.Program("train forward", func(in []*graph.Node) []*graph.Node {
		hidden, _, _ := build(in, false)
		return []*graph.Node{hidden}
	})
	if err != nil {
		return nil, err
	}
	e.backward, err = m.Engine.Program("train backward", func(in []*graph.Node) []*graph.Node {
		hidden, params, rest := build(in, remat)
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(hidden, rest[0])), params...)
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

// pull adds to the optimizer's buffers the gradients that dHidden
// [batch, tokens, hidden] causes; seed must be the forward pass's.
func (e *encoder) pull(b *engine.Batch, seed engine.Buffer[uint64], dHidden engine.Buffer[float32], o *AdamW) error {
	out, err := e.backward.Call(engine.Inputs(e.model.Encoder(), b.IDs.Tensor, b.Lengths.Tensor, seed.Tensor, dHidden.Tensor)...)
	if err != nil {
		return err
	}
	defer engine.Free(out...)
	list := e.model.Encoder()
	faults := make([]error, len(list))
	Parallel(len(list), e.model.Engine.Threads(), func(i int) {
		grad := o.Grad(list[i])
		faults[i] = e.model.Engine.Read(out[i], func(values []float32) {
			for j, g := range values {
				grad[j] += g
			}
		})
	})
	return errors.Join(faults...)
}
