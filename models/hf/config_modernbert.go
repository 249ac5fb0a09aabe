package hf

import "fmt"

// The two layer types of a ModernBERT config.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

func (c *Config) readModernBERT(f *fields) {
	c.readShape(f)
	c.NormEps = f.number("norm_eps", required, 1e-20, 0.1)
	c.Activation = f.activation("hidden_activation", "")
	c.HeadActivation = f.activation("classifier_activation", GELU)
	c.EmbeddingDropout = f.dropout("embedding_dropout", 0)
	c.AttentionDropout = f.dropout("attention_dropout", 0)
	c.HiddenDropout = c.AttentionDropout // one key for the probabilities and for the attention's output
	c.MLPDropout = f.dropout("mlp_dropout", 0)
	c.readCommon(f, 50283)
	c.LocalAttention = f.integer("local_attention", 1, maxPositions)
	c.NormBias = f.boolean("norm_bias", false)
	c.AttentionBias = f.boolean("attention_bias", false)
	c.MLPBias = f.boolean("mlp_bias", false)
	c.ClassifierBias = f.boolean("classifier_bias", false)
	c.DecoderBias = f.boolean("decoder_bias", true)
	if f.checkHeads("hidden_size", c.Hidden, "num_attention_heads", c.Heads) && c.HeadDim()%2 != 0 {
		f.fault("num_attention_heads", fmt.Sprintf("gives heads of odd width %d", c.HeadDim()), "an even width, for RoPE")
	}
	c.readThetas(f)
	c.readLayerTypes(f)
}

// readThetas takes the RoPE bases from rope_parameters (transformers 5) or from global_rope_theta and
// local_rope_theta (before). A file may carry both forms if they agree.
func (c *Config) readThetas(f *fields) {
	ropes := f.object("rope_parameters")
	read := func(layers, old string) float64 {
		theta := f.optionalNumber(old, 1e-6, 1e15)
		if ropes == nil {
			if theta == 0 && !f.has(old) {
				f.missing(old, "or rope_parameters."+layers+".rope_theta")
			}
			return theta
		}
		rope := ropes.object(layers)
		if rope == nil {
			if theta == 0 {
				ropes.missing(layers, "or "+old)
			}
			return theta
		}
		rope.requireValue("rope_type", "default")
		rope.requireValue("type", "default")
		if factor := rope.optionalNumber("partial_rotary_factor", 0, 1); factor != 0 && factor != 1 {
			rope.fault("partial_rotary_factor", fmt.Sprintf("%v is not supported", factor), "1")
		}
		if !rope.has("rope_theta") && theta != 0 {
			return theta
		}
		now := rope.number("rope_theta", required, 1e-6, 1e15)
		if theta != 0 && now != 0 && theta != now {
			f.fault(old, fmt.Sprintf("%v contradicts rope_parameters.%s.rope_theta %v", theta, layers, now), "one value")
		}
		return now
	}
	c.GlobalTheta = read(fullAttention, "global_rope_theta")
	c.LocalTheta = read(slidingAttention, "local_rope_theta")
	f.refuse("rope_scaling", "scaled rotary embeddings are not supported")
}

// readLayerTypes takes the pattern of layers from layer_types (transformers 5) or from global_attn_every_n_layers.
func (c *Config) readLayerTypes(f *fields) {
	every := 0
	if f.has("global_attn_every_n_layers") {
		every = f.integer("global_attn_every_n_layers", 1, maxLayers)
	}
	types := f.texts("layer_types")
	if types == nil {
		if every == 0 {
			f.missing("global_attn_every_n_layers", "or layer_types")
			return
		}
		c.LayerGlobal = make([]bool, c.Layers)
		for i := range c.LayerGlobal {
			c.LayerGlobal[i] = i%every == 0
		}
		return
	}
	if len(types) != c.Layers {
		f.fault("layer_types", fmt.Sprintf("has %d entries", len(types)), fmt.Sprintf("num_hidden_layers %d", c.Layers))
		return
	}
	c.LayerGlobal = make([]bool, c.Layers)
	for i, t := range types {
		switch t {
		case fullAttention:
			c.LayerGlobal[i] = true
		case slidingAttention:
		default:
			f.fault(fmt.Sprintf("layer_types[%d]", i), fmt.Sprintf("%q is not a known layer type", t), fullAttention+", "+slidingAttention)
			continue
		}
		if every != 0 && c.LayerGlobal[i] != (i%every == 0) {
			f.fault("layer_types", fmt.Sprintf("entry %d contradicts global_attn_every_n_layers %d", i, every), "one pattern")
			return
		}
	}
}
