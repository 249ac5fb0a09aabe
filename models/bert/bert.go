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

// Hidden returns the last hidden states [batch, tokens, hidden] of ids
// [batch, tokens] int32; lengths [batch] int32 counts each text's tokens.
func Hidden(p layers.Params, cfg hf.Config, ids, lengths *Node, mode layers.Mode) *Node {
	drop := mode.Dropout
	n := namesOf(cfg)
	linear := func(prefix string, x *Node) *Node { return layers.Linear(x, p(prefix+".weight"), p(prefix+".bias")) }
	norm := func(prefix string, x *Node) *Node {
		return layers.LayerNorm(x, p(prefix+".weight"), p(prefix+".bias"), cfg.NormEps)
	}
	tokens := ids.Shape().Dimensions[1]

	x := mode.Embed(p(n.word+".weight"), ids)
	rows := Slice(p(n.position+".weight"), AxisRange(n.firstPosition, n.firstPosition+tokens), AxisRange())
	if n.types != "" {
		rows = Add(rows, BroadcastToShape(Slice(p(n.types+".weight"), AxisRange(0, 1), AxisRange()), rows.Shape()))
	}
	x = Add(x, BroadcastToShape(ExpandLeftToRank(rows, 3), x.Shape()))
	x = mode.Compute(drop.Embedding(norm(n.norm, x)))

	bias := layers.AttentionBias(lengths, tokens, 0)
	for i := range cfg.Layers {
		layer := fmt.Sprintf(n.layer, i)
		x = mode.LayerInput(x)
		heads := func(prefix string) *Node {
			return Reshape(linear(layer+prefix, x), ids.Shape().Dimensions[0], tokens, cfg.Heads, cfg.Hidden/cfg.Heads)
		}
		attended := layers.Attention(heads(n.query), heads(n.key), heads(n.value), bias, drop)
		x = norm(layer+n.outputNorm, Add(x, drop.Hidden(linear(layer+n.output, attended))))
		inner := layers.Activation(cfg.Activation, linear(layer+n.up, x))
		x = norm(layer+n.downNorm, Add(x, drop.Hidden(linear(layer+n.down, inner))))
	}
	return mode.LastOutput(x)
}

// Transform is the MLM head before its decoder: norm(act(dense·x)), [batch, tokens, hidden].
func Transform(p layers.Params, cfg hf.Config, x *Node) *Node {
	n := namesOf(cfg)
	x = layers.Activation(cfg.HeadActivation, layers.Linear(x, p(n.headDense+".weight"), p(n.headDense+".bias")))
	return layers.LayerNorm(x, p(n.headNorm+".weight"), p(n.headNorm+".bias"), cfg.NormEps)
}
