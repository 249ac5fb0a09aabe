// Package models builds the graph of a checkpoint's encoder and MLM transform. It is the only switch over kinds of
// graphs; how families of one kind differ is data, in package family.
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
// counts each text's tokens from the left. The result is [batch, tokens, embedding] in
// the mode's type; its values at padding are arbitrary.
func Transformed(p layers.Params, cfg hf.Config, ids, lengths *graph.Node, mode layers.Mode) *graph.Node {
	x := transformedRows(p, cfg, ids, lengths, mode)
	return mode.Reshape(graph.Reshape(x, ids.Shape().Dimensions[0], ids.Shape().Dimensions[1], cfg.Embedding), x)
}

// transformedRows is Transformed with texts and tokens on one axis: [batch·tokens, embedding].
func transformedRows(p layers.Params, cfg hf.Config, ids, lengths *graph.Node, mode layers.Mode) *graph.Node {
	switch cfg.Graph() {
	case family.PostNorm:
		return bert.Transform(p, cfg, bert.Hidden(p, cfg, ids, lengths, mode), mode)
	case family.Rotary:
		return modernbert.Transform(p, cfg, modernbert.Hidden(p, cfg, ids, lengths, mode), mode)
	}
	panic(fmt.Errorf("build graph: model_type %q is not known (allowed: %s)", cfg.ModelType, family.Names()))
}

// Rates are the dropout rates of a configuration; override, if not nil,
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
