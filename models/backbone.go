// Package models is the one closed switch over graphs: a checkpoint's
// configuration in, the graph of its encoder and MLM transform out. What
// distinguishes families of one graph is data, in package family.
package models

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"headroom/models/bert"
	"headroom/models/family"
	"headroom/models/hf"
	"headroom/models/layers"
	"headroom/models/modernbert"
)

// Transformed builds the hidden states that the decoder multiplies: the encoder
// and the head's transform. ids is [batch, tokens] int32, lengths [batch] int32
// counts each text's tokens from the left; the result is [batch, tokens, embedding],
// arbitrary at padding, in the type that mode computes in.
func Transformed(p layers.Params, cfg hf.Config, ids, lengths *graph.Node, mode layers.Mode) *graph.Node {
	x := rows(p, cfg, ids, lengths, mode)
	y := graph.Reshape(x, ids.Shape().Dimensions[0], ids.Shape().Dimensions[1], cfg.Embedding)
	mode.Tape.Reshaped(y, x)
	return y
}

func rows(p layers.Params, cfg hf.Config, ids, lengths *graph.Node, mode layers.Mode) *graph.Node {
	switch cfg.Graph() {
	case family.PostNorm:
		return bert.Transform(p, cfg, bert.Hidden(p, cfg, ids, lengths, mode), mode)
	case family.Rotary:
		return modernbert.Transform(p, cfg, modernbert.Hidden(p, cfg, ids, lengths, mode), mode)
	}
	panic(fmt.Errorf("build graph: model_type %q is not known (allowed: %s)", cfg.ModelType, family.Names()))
}

// Rates are the dropout rates of a configuration; override, where not nil,
// replaces every rate.
func Rates(cfg hf.Config, override *float64) layers.Rates {
	if override != nil {
		r := *override
		rates := layers.Rates{Embedding: r, Hidden: r, Attention: r}
		if cfg.Graph() == family.Rotary {
			rates.MLP = r
		}
		return rates
	}
	return layers.Rates{Embedding: cfg.EmbeddingDropout, Hidden: cfg.HiddenDropout, Attention: cfg.AttentionDropout, MLP: cfg.MLPDropout}
}
