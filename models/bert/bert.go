// Package bert builds the encoder graphs of the BERT family: BERT, DistilBERT
// and RoBERTa. They share the post-norm layer; names and position numbering differ.
package bert

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models/hf"
	"headroom/models/layers"
)

// names lists where a family keeps its tensors; each entry is a prefix of .weight and .bias.
type names struct {
	word, position, types, norm           string
	layer                                 string // with %d
	query, key, value, output, outputNorm string // behind layer
	up, down, downNorm                    string
	headDense, headNorm                   string
	firstPosition                         int
}

func namesOf(cfg hf.Config) names {
	n := names{
		query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
		output: "attention.output.dense", outputNorm: "attention.output.LayerNorm",
		up: "intermediate.dense", down: "output.dense", downNorm: "output.LayerNorm",
	}
	switch cfg.ModelType {
	case "bert":
		n.word, n.position, n.types = "bert.embeddings.word_embeddings", "bert.embeddings.position_embeddings", "bert.embeddings.token_type_embeddings"
		n.norm, n.layer = "bert.embeddings.LayerNorm", "bert.encoder.layer.%d."
		n.headDense, n.headNorm = "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"
	case "roberta":
		n.word, n.position, n.types = "roberta.embeddings.word_embeddings", "roberta.embeddings.position_embeddings", "roberta.embeddings.token_type_embeddings"
		n.norm, n.layer = "roberta.embeddings.LayerNorm", "roberta.encoder.layer.%d."
		n.headDense, n.headNorm = "lm_head.dense", "lm_head.layer_norm"
		// RoBERTa counts positions from behind the padding id.
		n.firstPosition = cfg.PadID + 1
	case "distilbert":
		n.word, n.position = "distilbert.embeddings.word_embeddings", "distilbert.embeddings.position_embeddings"
		n.norm, n.layer = "distilbert.embeddings.LayerNorm", "distilbert.transformer.layer.%d."
		n.query, n.key, n.value, n.output = "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"
		n.outputNorm, n.up, n.down, n.downNorm = "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm"
		n.headDense, n.headNorm = "vocab_transform", "vocab_layer_norm"
	default:
		panic(fmt.Errorf("build graph: model_type %q is not of the BERT family", cfg.ModelType))
	}
	return n
}

// Hidden returns the last hidden states [batch·tokens, hidden] of ids
// [batch, tokens] int32; lengths [batch] int32 counts each text's tokens.
func Hidden(p layers.Params, cfg hf.Config, ids, lengths *Node, mode layers.Mode) *Node {
	n := namesOf(cfg)
	tokens := ids.Shape().Dimensions[1]

	tables := []*Node{p(n.position + ".weight")}
	positions := Slice(tables[0], AxisRange(n.firstPosition, n.firstPosition+tokens), AxisRange())
	if n.types != "" {
		tables = append(tables, p(n.types+".weight"))
		positions = Add(positions, BroadcastToShape(Slice(tables[1], AxisRange(0, 1), AxisRange()), positions.Shape()))
	}
	x := mode.Input(p(n.word+".weight"), ids, positions, tables...)
	x = mode.Compute(mode.DropEmbedding(norm(p, cfg, mode, n.norm, x)))

	bias := layers.AttentionBias(lengths, tokens, 0)
	for i := range cfg.Layers {
		x = mode.Layer(x, func(mode layers.Mode, x *Node) *Node {
			return n.oneLayer(p, cfg, fmt.Sprintf(n.layer, i), x, bias, mode)
		})
	}
	return mode.LastOutput(x)
}

func (n names) oneLayer(p layers.Params, cfg hf.Config, layer string, x, bias *Node, mode layers.Mode) *Node {
	weights := func(name string) (weight, bias *Node) { return p(layer + name + ".weight"), p(layer + name + ".bias") }
	linear := func(name string, x *Node) *Node {
		weight, bias := weights(name)
		return mode.Linear(x, weight, bias)
	}
	// Scaling the weights is less than scaling what comes of them.
	scale := layers.AttentionScale(cfg.Hidden / cfg.Heads)
	weight, shift := weights(n.query)
	query := mode.Linear(x, mode.Scale(weight, scale), mode.Scale(shift, scale))
	attended := mode.Attention(query, linear(n.key, x), linear(n.value, x), bias, cfg.Heads, nil)
	x = norm(p, cfg, mode, layer+n.outputNorm, mode.Add(x, mode.DropHidden(linear(n.output, attended))))
	inner := mode.Activation(cfg.Activation, linear(n.up, x))
	return norm(p, cfg, mode, layer+n.downNorm, mode.Add(x, mode.DropHidden(linear(n.down, inner))))
}

func norm(p layers.Params, cfg hf.Config, mode layers.Mode, prefix string, x *Node) *Node {
	return mode.Norm(x, p(prefix+".weight"), p(prefix+".bias"), cfg.NormEps)
}

// Transform is the MLM head before its decoder: norm(act(dense·x)), [batch·tokens, hidden].
func Transform(p layers.Params, cfg hf.Config, x *Node, mode layers.Mode) *Node {
	n := namesOf(cfg)
	x = mode.Activation(cfg.HeadActivation, mode.Linear(x, p(n.headDense+".weight"), p(n.headDense+".bias")))
	return norm(p, cfg, mode, n.headNorm, x)
}
