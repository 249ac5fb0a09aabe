// Package modernbert builds the encoder graph of ModernBERT; Ettin's encoders
// are checkpoints of it. Pre-norm layers, rotary positions, GeGLU, and
// attention that alternates between a window and the whole text.
package modernbert

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/hf"
	"headroom/models/layers"
)

// Hidden returns the last hidden states [batch·tokens, hidden], behind the
// final norm, of ids [batch, tokens] int32; lengths [batch] int32 counts each
// text's tokens.
func Hidden(p layers.Params, cfg hf.Config, ids, lengths *Node, mode layers.Mode) *Node {
	g, tokens := ids.Graph(), ids.Shape().Dimensions[1]
	n, dim := cfg.Names(), cfg.HeadDim()

	x := mode.Input(p(n.Word+".weight"), ids, nil)
	x = mode.Compute(mode.DropEmbedding(norm(p, cfg, mode, n.EmbeddingNorm, x)))

	globalBias := layers.AttentionBias(lengths, tokens, 0)
	localBias := layers.AttentionBias(lengths, tokens, cfg.LocalAttention)
	globalTurn, localTurn := layers.NewRotation(g, tokens, dim, cfg.GlobalTheta), layers.NewRotation(g, tokens, dim, cfg.LocalTheta)
	for i := range cfg.Layers {
		mask, turn := localBias, localTurn
		if cfg.LayerGlobal[i] {
			mask, turn = globalBias, globalTurn
		}
		x = mode.Layer(x, func(mode layers.Mode, x *Node) *Node { return oneLayer(p, cfg, i, x, mask, turn, mode) })
	}
	return norm(p, cfg, mode, n.FinalNorm, mode.LastOutput(x))
}

func oneLayer(p layers.Params, cfg hf.Config, number int, x, mask *Node, turn *layers.Rotation, mode layers.Mode) *Node {
	n := cfg.Names()
	layer := fmt.Sprintf(n.Layer, number)
	a := x
	if number > 0 { // the embeddings' norm stands in for the first one
		a = norm(p, cfg, mode, layer+n.AttentionNorm, x)
	}
	// Splitting and scaling the weights costs less than splitting and scaling their product.
	w := mode.Split(p(layer+n.QueryKeyValue+".weight"), 3)
	b := mode.Split(bias(p, cfg.AttentionBias, layer+n.QueryKeyValue+".bias"), 3)
	scale := layers.AttentionScale(cfg.HeadDim())
	q := mode.Linear(a, mode.Scale(w[0], scale), mode.Scale(b[0], scale))
	attended := mode.Attention(q, mode.Linear(a, w[1], b[1]), mode.Linear(a, w[2], b[2]), mask, cfg.Heads, turn)
	out := mode.Linear(attended, p(layer+n.Output+".weight"), bias(p, cfg.AttentionBias, layer+n.Output+".bias"))
	x = mode.Add(x, mode.DropHidden(out))

	m := norm(p, cfg, mode, layer+n.FeedNorm, x)
	w = mode.Split(p(layer+n.Up+".weight"), 2)
	b = mode.Split(bias(p, cfg.MLPBias, layer+n.Up+".bias"), 2)
	gated := mode.DropMLP(mode.Mul(mode.Activation(cfg.Activation, mode.Linear(m, w[0], b[0])), mode.Linear(m, w[1], b[1])))
	return mode.Add(x, mode.Linear(gated, p(layer+n.Down+".weight"), bias(p, cfg.MLPBias, layer+n.Down+".bias")))
}

// bias is a parameter that only some models have, or nil.
func bias(p layers.Params, on bool, name string) *Node {
	if !on {
		return nil
	}
	return p(name)
}

func norm(p layers.Params, cfg hf.Config, mode layers.Mode, prefix string, x *Node) *Node {
	return mode.Norm(x, p(prefix+".weight"), bias(p, cfg.NormBias, prefix+".bias"), cfg.NormEps)
}

// Transform is the MLM head before its decoder: norm(gelu(dense·x)), [batch·tokens, hidden].
func Transform(p layers.Params, cfg hf.Config, x *Node, mode layers.Mode) *Node {
	n := cfg.Names()
	x = mode.Activation(cfg.HeadActivation, mode.Linear(x, p(n.HeadDense+".weight"), bias(p, cfg.ClassifierBias, n.HeadDense+".bias")))
	return norm(p, cfg, mode, n.HeadNorm, x)
}
