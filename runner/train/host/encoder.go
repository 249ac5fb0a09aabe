package host

import (
	"github.com/gomlx/gomlx/core/graph"

	"headroom/models"
	"headroom/models/layers"
	"headroom/runner/engine"
)

// encoder runs a model's encoder forward and, given the gradient by its output,
// backward. The head runs in between, outside the graph. The activations that the
// backward pass needs are kept if they are small. Otherwise the backward program
// computes the forward pass again, because the activations of a whole batch would limit
// the size of batches.
type encoder struct {
	model             *engine.Model
	rates             layers.Rates
	forward, backward [2]*engine.Program // the second forward program keeps activations, and the second backward program takes them
}

// newEncoder prepares the programs. With remat, a backward program that computes the forward
// pass again holds the activations of one layer at a time.
func newEncoder(m *engine.Model, rates layers.Rates, remat bool) (_ *encoder, err error) {
	e := &encoder{model: m, rates: rates}
	// build returns the hidden states, and the nodes by which the gradient is taken.
	build := func(in []*graph.Node, tape *layers.Tape, remat bool) (hidden *graph.Node, by, rest []*graph.Node) {
		get, rest := m.EncoderNodes(in)
		lookup := &layers.Lookup{}
		mode := layers.TapedTraining(tape, lookup, layers.NewDropout(rates, rest[2]), remat)
		hidden = models.Transformed(get, m.Config, rest[0], rest[1], mode)
		by = []*graph.Node{lookup.Rows}
		for i, p := range m.Encoder() {
			if p.Name != m.Config.EmbeddingName() {
				by = append(by, in[i])
			}
		}
		return hidden, by, rest[3:]
	}
	for i := range e.forward {
		keep := i == 1
		e.forward[i], err = m.Engine.Program("train forward", func(in []*graph.Node) []*graph.Node {
			tape := layers.NewTape()
			hidden, _, _ := build(in, tape, false)
			if keep {
				return append([]*graph.Node{hidden}, tape.Kept()...)
			}
			return []*graph.Node{hidden}
		})
		if err != nil {
			return nil, err
		}
		e.backward[i], err = m.Engine.Program("train backward", func(in []*graph.Node) []*graph.Node {
			tape := layers.NewTape()
			if first := len(m.Encoder()) + 4; keep {
				tape = layers.KeptTape(in[first:])
			}
			hidden, by, rest := build(in, tape, remat && !keep)
			return tape.Gradient(hidden, rest[0], by...)
		})
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *encoder) close() {
	for i := range e.forward {
		e.forward[i].Close()
		e.backward[i].Close()
	}
}

// keptBytes estimates the memory that a forward pass keeps per token, for texts of the given
// padded length.
func (e *encoder) keptBytes(tokens int) int {
	c := e.model.Config
	return 4 * c.Layers * (9*c.Hidden + 3*c.Intermediate + 3*c.Heads*tokens)
}

// run encodes a part.
func (e *encoder) run(p *part) error {
	out, err := e.forward[p.program()].Call(engine.Inputs(e.model.Encoder(), p.batch.IDs.Tensor, p.batch.Lengths.Tensor, p.seed.Tensor)...)
	if err != nil {
		return err
	}
	p.hidden, p.kept = out[0], out[1:]
	return nil
}
