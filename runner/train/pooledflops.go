package train

import (
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/splade"
)

// PooledFLOPS is FLOPS of texts' SPLADE vectors as a term of pretraining, with the gradients
// of weight·FLOPS.
type PooledFLOPS struct {
	Value                 *Node // FLOPS, a scalar
	Hidden, Decoder, Bias *Node // gradients; Bias is nil without one
}

// NewPooledFLOPS pools hidden states [texts, tokens, dim], the output of the head's transform,
// to log(1+ReLU(max over tokens)). Tokens after lengths [texts] are left out.
func NewPooledFLOPS(head splade.Head, hidden, lengths *Node, weight float64) PooledFLOPS {
	form := splade.Form{}
	pooled := head.Pool(hidden, lengths, form)
	weights := head.Weights(pooled, form)
	p := PooledFLOPS{Value: FLOPS(weights)}
	dWeights := Gradient(MulScalar(p.Value, weight), weights)[0]
	p.Hidden, p.Decoder, p.Bias = head.Gradients(hidden, lengths, form, pooled, weights, dWeights)
	return p
}
