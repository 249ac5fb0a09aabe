package hf

import "fmt"

// ParamSpec is one parameter that a config implies.
type ParamSpec struct {
	Name  string // canonical
	Shape []int  // matrices are [out, in]
	Head  bool   // belongs to the MLM head
}

// Params lists every parameter of the model in the order of its forward pass. The decoder's weight is in it, tied or
// not.
func (c Config) Params() []ParamSpec {
	var out []ParamSpec
	add := func(head bool, name string, shape ...int) {
		out = append(out, ParamSpec{Name: name, Shape: shape, Head: head})
	}
	linear := func(head bool, name string, rows, columns int, bias bool) {
		add(head, name+".weight", rows, columns)
		if bias {
			add(head, name+".bias", rows)
		}
	}
	norm := func(head bool, name string) {
		add(head, name+".weight", c.Hidden)
		if c.NormBias {
			add(head, name+".bias", c.Hidden)
		}
	}
	h, i := c.Hidden, c.Intermediate
	prefix := c.Prefix()
	switch c.ModelType {
	case BERT, RoBERTa:
		add(false, c.EmbeddingName(), c.Vocab, h)
		add(false, prefix+"embeddings.position_embeddings.weight", c.Positions, h)
		add(false, prefix+"embeddings.token_type_embeddings.weight", c.TypeVocab, h)
		norm(false, prefix+"embeddings.LayerNorm")
		for n := range c.Layers {
			layer := fmt.Sprintf("%sencoder.layer.%d.", prefix, n)
			linear(false, layer+"attention.self.query", h, h, true)
			linear(false, layer+"attention.self.key", h, h, true)
			linear(false, layer+"attention.self.value", h, h, true)
			linear(false, layer+"attention.output.dense", h, h, true)
			norm(false, layer+"attention.output.LayerNorm")
			linear(false, layer+"intermediate.dense", i, h, true)
			linear(false, layer+"output.dense", h, i, true)
			norm(false, layer+"output.LayerNorm")
		}
		if c.ModelType == BERT {
			linear(true, "cls.predictions.transform.dense", h, h, true)
			norm(true, "cls.predictions.transform.LayerNorm")
		} else {
			linear(true, "lm_head.dense", h, h, true)
			norm(true, "lm_head.layer_norm")
		}
	case DistilBERT:
		add(false, c.EmbeddingName(), c.Vocab, h)
		add(false, prefix+"embeddings.position_embeddings.weight", c.Positions, h)
		norm(false, prefix+"embeddings.LayerNorm")
		for n := range c.Layers {
			layer := fmt.Sprintf("%stransformer.layer.%d.", prefix, n)
			linear(false, layer+"attention.q_lin", h, h, true)
			linear(false, layer+"attention.k_lin", h, h, true)
			linear(false, layer+"attention.v_lin", h, h, true)
			linear(false, layer+"attention.out_lin", h, h, true)
			norm(false, layer+"sa_layer_norm")
			linear(false, layer+"ffn.lin1", i, h, true)
			linear(false, layer+"ffn.lin2", h, i, true)
			norm(false, layer+"output_layer_norm")
		}
		linear(true, "vocab_transform", h, h, true)
		norm(true, "vocab_layer_norm")
	case ModernBERT:
		add(false, c.EmbeddingName(), c.Vocab, h)
		norm(false, prefix+"embeddings.norm")
		for n := range c.Layers {
			layer := fmt.Sprintf("%slayers.%d.", prefix, n)
			if n > 0 { // the first layer reads the embeddings' own norm
				norm(false, layer+"attn_norm")
			}
			linear(false, layer+"attn.Wqkv", 3*h, h, c.AttentionBias)
			linear(false, layer+"attn.Wo", h, h, c.AttentionBias)
			norm(false, layer+"mlp_norm")
			linear(false, layer+"mlp.Wi", 2*i, h, c.MLPBias)
			linear(false, layer+"mlp.Wo", h, i, c.MLPBias)
		}
		norm(false, prefix+"final_norm")
		linear(true, "head.dense", h, h, c.ClassifierBias)
		norm(true, "head.norm")
	}
	add(true, c.DecoderName(), c.Vocab, h)
	if c.DecoderBias {
		add(true, c.DecoderBiasName(), c.Vocab)
	}
	return out
}

// ParameterCount is the number of trained values; a tied decoder counts once.
func (c Config) ParameterCount(tied bool) int64 {
	var n int64
	for _, p := range c.Params() {
		if tied && p.Name == c.DecoderName() {
			continue
		}
		size := int64(1)
		for _, d := range p.Shape {
			size *= int64(d)
		}
		n += size
	}
	return n
}

// Prefix stands before the encoder's parameters, with its dot.
func (c Config) Prefix() string {
	if c.ModelType == ModernBERT {
		return "model."
	}
	return c.ModelType + "."
}

// EmbeddingName is the canonical name of the input embeddings, [vocab, hidden].
func (c Config) EmbeddingName() string {
	if c.ModelType == ModernBERT {
		return "model.embeddings.tok_embeddings.weight"
	}
	return c.Prefix() + "embeddings.word_embeddings.weight"
}

// DecoderName is the canonical name of the decoder's weight, [vocab, hidden].
func (c Config) DecoderName() string {
	switch c.ModelType {
	case BERT:
		return "cls.predictions.decoder.weight"
	case RoBERTa:
		return "lm_head.decoder.weight"
	case DistilBERT:
		return "vocab_projector.weight"
	default:
		return "decoder.weight"
	}
}

// DecoderBiasName is the canonical name of the decoder's bias, [vocab].
func (c Config) DecoderBiasName() string {
	switch c.ModelType {
	case BERT:
		return "cls.predictions.bias"
	case RoBERTa:
		return "lm_head.bias"
	case DistilBERT:
		return "vocab_projector.bias"
	default:
		return "decoder.bias"
	}
}

// secondBiasName is the other name of the decoder's bias, "" where the family has one only. Where a file has both,
// this one is what transformers adds to the logits.
func (c Config) secondBiasName() string {
	switch c.ModelType {
	case BERT:
		return "cls.predictions.decoder.bias"
	case RoBERTa:
		return "lm_head.decoder.bias"
	default:
		return ""
	}
}
