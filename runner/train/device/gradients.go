package device

import (
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/layers"
	"headroom/runner/engine"
)

// modelGradients returns the gradient of every parameter, in the order of m.Params. params
// are the parameters' nodes. The encoder's gradients are those of the scalar total; lookups
// are the token embeddings of its passes. decoder and bias are gradients that were computed
// by hand (bias is nil if the model has none). If the decoder is tied to the token
// embeddings, both gradients are added.
func modelGradients(m *engine.Model, params []*Node, total *Node, lookups []*layers.Lookup, decoder, bias *Node) []*Node {
	grads := make([]*Node, len(m.Params))
	var wrt []*Node
	for _, l := range lookups {
		wrt = append(wrt, l.Rows)
	}
	encoder := map[*engine.Param]bool{}
	for _, p := range m.Encoder() {
		encoder[p] = p.Name != m.Config.EmbeddingName()
	}
	for i, p := range m.Params {
		if encoder[p] {
			wrt = append(wrt, params[i])
		}
	}
	found := Gradient(total, wrt...)
	table := layers.TableGradient(m.Config.Vocab, lookups, found[:len(lookups)])
	found = found[len(lookups):]
	for i, p := range m.Params {
		switch {
		case encoder[p]:
			grads[i], found = found[0], found[1:]
		case p.Name == m.Config.EmbeddingName():
			grads[i] = table
		}
		if p == m.DecoderWeight() {
			grads[i] = sumOf(grads[i], decoder)
		}
		if p == m.DecoderBias() {
			grads[i] = sumOf(grads[i], bias)
		}
	}
	return grads
}

// sumOf is a + b, or the one of them that is not nil.
func sumOf(a, b *Node) *Node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return Add(a, b)
}
