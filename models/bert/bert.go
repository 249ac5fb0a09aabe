// Package bert builds the encoder graph of BERT and of the families that share
// its post-norm layer. Package family says how each of them names its tensors and
// where its positions begin.
package bert

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/hf"
	"headroom/models/layers"
)

// Hidden returns the last hidden states [batch·tokens, hidden] of ids
// [batch, tokens] int32; lengths [batch] int32 counts each text's tokens.
func Hidden(p layers.Params, cfg hf.Config, ids, lengths *Node, mode layers.Mode) *Node {
	n := cfg.Names()
	tokens := ids.Shape().Dimensions[1]

	tables := []*Node{p(n.Position + ".weight")}
	positions := positionRows(cfg, tables[0], ids)
	if n.Types != "" {
		tables = append(tables, p(n.Types+".weight"))
		positions = Add(positions, BroadcastToShape(Slice(tables[1], AxisRange(0, 1), AxisRange()), positions.Shape()))
	}
	x := mode.Input(p(n.Word+".weight"), ids, positions, tables...)
	x = mode.Compute(mode.DropEmbedding(norm(p, cfg, mode, n.EmbeddingNorm, x)))
	if cfg.Projects() {
		x = mode.Linear(x, p(n.Project+".weight"), p(n.Project+".bias"))
	}

	bias := layers.AttentionBias(lengths, tokens, 0)
	for i := range cfg.Layers {
		x = mode.Layer(x, func(mode layers.Mode, x *Node) *Node {
			return oneLayer(p, cfg, fmt.Sprintf(n.Layer, i), x, bias, mode)
		})
	}
	return mode.LastOutput(x)
}

// positionRows returns the rows of a position table [positions, embedding] that belong to the tokens. Most families
// number positions from 0 in every text; the result is then [tokens, embedding]. Families with PositionsAfterPad number
// them from PadID+1 and skip padding tokens, which take row PadID (a text may spell one out); the result is then
// [batch·tokens, embedding].
func positionRows(cfg hf.Config, table, ids *Node) *Node {
	batch, tokens := ids.Shape().Dimensions[0], ids.Shape().Dimensions[1]
	if !cfg.PositionsAfterPad() {
		return Slice(table, AxisRange(0, tokens), AxisRange())
	}
	real := ConvertDType(NotEqual(ids, Scalar(ids.Graph(), ids.DType(), cfg.PadID)), dtypes.Int32)
	number := Mul(CumSum(real, 1), real) // 0 at padding, else from 1
	// A product, because its gradient is a product too: a gather's gradient would add up rows in no fixed order.
	chosen := OneHot(Reshape(number, batch*tokens), tokens+1, table.DType())
	return layers.Product(chosen, []int{1}, nil, Slice(table, AxisRange(cfg.PadID, cfg.PadID+tokens+1), AxisRange()), []int{0}, nil)
}

func oneLayer(p layers.Params, cfg hf.Config, layer string, x, bias *Node, mode layers.Mode) *Node {
	n := cfg.Names()
	weights := func(name string) (weight, bias *Node) { return p(layer + name + ".weight"), p(layer + name + ".bias") }
	linear := func(name string, x *Node) *Node {
		weight, bias := weights(name)
		return mode.Linear(x, weight, bias)
	}
	// Scaling the weights costs less than scaling the queries.
	scale := layers.AttentionScale(cfg.HeadDim())
	weight, shift := weights(n.Query)
	query := mode.Linear(x, mode.Scale(weight, scale), mode.Scale(shift, scale))
	attended := mode.Attention(query, linear(n.Key, x), linear(n.Value, x), bias, cfg.Heads, nil)
	x = norm(p, cfg, mode, layer+n.AttentionNorm, mode.Add(x, mode.DropHidden(linear(n.Output, attended))))
	inner := mode.Activation(cfg.Activation, linear(n.Up, x))
	return norm(p, cfg, mode, layer+n.FeedNorm, mode.Add(x, mode.DropHidden(linear(n.Down, inner))))
}

func norm(p layers.Params, cfg hf.Config, mode layers.Mode, prefix string, x *Node) *Node {
	return mode.Norm(x, p(prefix+".weight"), p(prefix+".bias"), cfg.NormEps)
}

// Transform is the MLM head before its decoder: norm(act(dense·x)), [batch·tokens, embedding].
func Transform(p layers.Params, cfg hf.Config, x *Node, mode layers.Mode) *Node {
	n := cfg.Names()
	x = mode.Activation(cfg.HeadActivation, mode.Linear(x, p(n.HeadDense+".weight"), p(n.HeadDense+".bias")))
	return norm(p, cfg, mode, n.HeadNorm, x)
}
