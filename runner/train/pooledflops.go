package train

import (
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/splade"
)

// PooledFLOPS is FLOPS of texts' SPLADE vectors, as a term of pretraining, with the gradients
// of weight times it.
type PooledFLOPS struct {
	Value                 *Node // FLOPS, a scalar
	Hidden, Decoder, Bias *Node // gradients; Bias is nil without one
}

// NewPooledFLOPS pools hidden states [texts, tokens, dim], behind the head's transform and
// with the tokens behind lengths [texts] left out, to log(1+ReLU(max over tokens)).
func NewPooledFLOPS(head splade.Head, hidden, lengths *Node, weight float64) PooledFLOPS {
	form := splade.Form{}
	pooled := head.Pool(hidden, lengths, form)
	weights := head.Weights(pooled, form)
	p := PooledFLOPS{Value: FLOPS(weights)}
	dWeights := Gradient(MulScalar(p.Value, weight), weights)[0]
	p.Hidden, p.Decoder, p.Bias = head.Gradients(hidden, lengths, form, pooled, weights, dWeights)
	return p
}
