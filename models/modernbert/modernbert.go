// Package modernbert builds the encoder graph of ModernBERT; Ettin's encoders
// are checkpoints of it. Pre-norm layers, rotary positions, GeGLU, and
// attention that alternates between a window and the whole text.
package modernbert

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"headroom/models/hf"
	"headroom/models/layers"
)

// Hidden returns the last hidden states [batch, tokens, hidden], behind the
// final norm, of ids [batch, tokens] int32; lengths [batch] int32 counts each
// text's tokens.
func Hidden(p layers.Params, cfg hf.Config, ids, lengths *Node, mode layers.Mode) *Node {
	drop := mode.Dropout
	g := ids.Graph()
	batch, tokens := ids.Shape().Dimensions[0], ids.Shape().Dimensions[1]
	heads, dim := cfg.Heads, cfg.Hidden/cfg.Heads
	bias := func(on bool, name string) *Node {
		if !on {
			return nil
		}
		return p(name)
	}
	norm := func(prefix string, x *Node) *Node {
		return layers.LayerNorm(x, p(prefix+".weight"), bias(cfg.NormBias, prefix+".bias"), cfg.NormEps)
	}

	x := mode.Embed(p("model.embeddings.tok_embeddings.weight"), ids)
	x = mode.Compute(drop.Embedding(norm("model.embeddings.norm", x)))

	globalBias := layers.AttentionBias(lengths, tokens, 0)
	localBias := layers.AttentionBias(lengths, tokens, cfg.LocalAttention)
	globalTurn, localTurn := newRotation(g, tokens, dim, cfg.GlobalTheta), newRotation(g, tokens, dim, cfg.LocalTheta)
	for i := range cfg.Layers {
		layer := fmt.Sprintf("model.layers.%d.", i)
		x = mode.LayerInput(x)
		mask, turn := localBias, localTurn
		if cfg.LayerGlobal[i] {
			mask, turn = globalBias, globalTurn
		}
		a := x
		if i > 0 { // the embeddings' norm stands in for the first one
			a = norm(layer+"attn_norm", x)
		}
		weight, shift := p(layer+"attn.Wqkv.weight"), bias(cfg.AttentionBias, layer+"attn.Wqkv.bias")
		project := func(part int) *Node {
			rows := AxisRange(part*cfg.Hidden, (part+1)*cfg.Hidden)
			var b *Node
			if shift != nil {
				b = Slice(shift, rows)
			}
			// Slicing the weight is cheaper than slicing [batch, tokens, 3·hidden].
			return Reshape(layers.Linear(a, Slice(weight, rows, AxisRange()), b), batch, tokens, heads, dim)
		}
		attended := layers.Attention(turn.apply(project(0)), turn.apply(project(1)), project(2), mask, drop)
		x = Add(x, drop.Hidden(layers.Linear(attended, p(layer+"attn.Wo.weight"), bias(cfg.AttentionBias, layer+"attn.Wo.bias"))))

		m := norm(layer+"mlp_norm", x)
		in, inBias := p(layer+"mlp.Wi.weight"), bias(cfg.MLPBias, layer+"mlp.Wi.bias")
		half := func(part int) *Node {
			rows := AxisRange(part*cfg.Intermediate, (part+1)*cfg.Intermediate)
			var b *Node
			if inBias != nil {
				b = Slice(inBias, rows)
			}
			return layers.Linear(m, Slice(in, rows, AxisRange()), b)
		}
		gated := drop.MLP(Mul(layers.Activation(cfg.Activation, half(0)), half(1)))
		x = Add(x, layers.Linear(gated, p(layer+"mlp.Wo.weight"), bias(cfg.MLPBias, layer+"mlp.Wo.bias")))
	}
	return norm("model.final_norm", mode.LastOutput(x))
}

// Transform is the MLM head before its decoder: norm(gelu(dense·x)), [batch, tokens, hidden].
func Transform(p layers.Params, cfg hf.Config, x *Node) *Node {
	var denseBias, normBias *Node
	if cfg.ClassifierBias {
		denseBias = p("head.dense.bias")
	}
	if cfg.NormBias {
		normBias = p("head.norm.bias")
	}
	x = layers.Activation(cfg.HeadActivation, layers.Linear(x, p("head.dense.weight"), denseBias))
	return layers.LayerNorm(x, p("head.norm.weight"), normBias, cfg.NormEps)
}

// rotation holds rotary position tables [1, tokens, 1, dim], computed in the
// graph: as literals they would be written once per layer and shape.
type rotation struct{ cos, sin *Node }

func newRotation(g *Graph, tokens, dim int, theta float64) rotation {
	// Float64: at thousands of positions a float32 angle is off by more than its own rounding.
	shape := shapes.Make(dtypes.Float64, tokens, dim/2)
	position := Iota(g, shape, 0)
	// θ^(−2j/dim)
	frequency := Exp(MulScalar(Iota(g, shape, 1), -2*math.Log(theta)/float64(dim)))
	angle := Mul(position, frequency)
	wide := func(x *Node) *Node {
		return StopGradient(Reshape(ConvertDType(Concatenate([]*Node{x, x}, -1), dtypes.Float32), 1, tokens, 1, dim))
	}
	return rotation{wide(Cos(angle)), wide(Sin(angle))}
}

// apply turns x [batch, tokens, heads, dim]: x·cos + (−x₂, x₁)·sin, in float32.
func (r rotation) apply(x *Node) *Node {
	if own := x.DType(); own != dtypes.Float32 {
		return ConvertDType(r.apply(ConvertDType(x, dtypes.Float32)), own)
	}
	dim := x.Shape().Dimensions[3]
	first := SliceAxis(x, 3, AxisRange(0, dim/2))
	second := SliceAxis(x, 3, AxisRange(dim/2, dim))
	turned := Concatenate([]*Node{Neg(second), first}, -1)
	return Add(Mul(x, BroadcastToShape(r.cos, x.Shape())), Mul(turned, BroadcastToShape(r.sin, x.Shape())))
}
