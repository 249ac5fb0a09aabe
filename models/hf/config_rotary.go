package hf

import (
	"fmt"

	"headroom/models/family"
)

// The two layer types of a rotary config.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// The values that transformers takes for keys that a ModernBERT config leaves out.
const (
	defaultGlobalTheta    = 160000
	defaultLocalTheta     = 10000
	defaultLocalAttention = 128
	defaultGlobalEvery    = 3
)

// readRotary reads the keys that only ModernBERT has.
func (c *Config) readRotary(f *fields, fam family.Family) {
	c.EmbeddingDropout = f.dropout(fam.Keys.EmbeddingDropout, fam.Defaults.Dropout)
	c.HiddenDropout = c.AttentionDropout // one key for the probabilities and for the attention's output
	c.MLPDropout = f.dropout(fam.Keys.MLPDropout, fam.Defaults.Dropout)
	c.NormBias = f.boolean("norm_bias", false)
	c.AttentionBias = f.boolean("attention_bias", false)
	c.MLPBias = f.boolean("mlp_bias", false)
	c.ClassifierBias = f.boolean("classifier_bias", false)
	c.DecoderBias = f.boolean("decoder_bias", true)
	if c.Hidden > 0 && c.Heads > 0 && c.Hidden%c.Heads == 0 {
		if c.HeadDim()%2 != 0 {
			f.fault(fam.Keys.Heads, fmt.Sprintf("gives heads of odd width %d", c.HeadDim()), "an even width, for RoPE")
		}
		if f.has("head_dim") && f.integer("head_dim", 1, maxHidden) != c.HeadDim() {
			f.fault("head_dim", fmt.Sprintf("contradicts %s / %s", fam.Keys.Hidden, fam.Keys.Heads), fmt.Sprint(c.HeadDim()))
		}
	}
	c.readWindow(f)
	c.readThetas(f)
	c.readLayerTypes(f)
}

// readWindow takes the window from local_attention, or from sliding_window, which is half the window in transformers 5.
func (c *Config) readWindow(f *fields) {
	said := f.has("local_attention")
	c.LocalAttention = f.integerOr("local_attention", defaultLocalAttention, 1, maxPositions)
	if !f.has("sliding_window") {
		return
	}
	half := f.integer("sliding_window", 1, maxPositions/2)
	switch {
	case half == 0 || c.LocalAttention == 0:
	case !said:
		c.LocalAttention = 2 * half
	case half != c.LocalAttention/2:
		f.fault("sliding_window", fmt.Sprintf("%d contradicts local_attention %d", half, c.LocalAttention), "half of it")
	}
}

// readThetas takes the RoPE bases from rope_parameters (transformers 5) or from global_rope_theta and
// local_rope_theta (transformers 4). A file may have both forms if they agree.
func (c *Config) readThetas(f *fields) {
	ropes := f.object("rope_parameters")
	read := func(layers, old string, otherwise float64) float64 {
		theta := f.number(old, otherwise, 1e-6, 1e15)
		if ropes == nil {
			return theta
		}
		rope := ropes.object(layers)
		if rope == nil {
			return theta
		}
		rope.requireValue("rope_type", "default")
		rope.requireValue("type", "default")
		if factor := rope.number("partial_rotary_factor", 1, 0, 1); factor != 1 {
			rope.fault("partial_rotary_factor", fmt.Sprintf("%v is not supported", factor), "1")
		}
		now := rope.number("rope_theta", theta, 1e-6, 1e15)
		if f.has(old) && theta != 0 && now != 0 && theta != now {
			f.fault(old, fmt.Sprintf("%v contradicts rope_parameters.%s.rope_theta %v", theta, layers, now), "one value")
		}
		return now
	}
	c.GlobalTheta = read(fullAttention, "global_rope_theta", defaultGlobalTheta)
	c.LocalTheta = read(slidingAttention, "local_rope_theta", defaultLocalTheta)
	f.refuse("rope_scaling", "scaled rotary embeddings are not supported")
}

// readLayerTypes takes the pattern of layers from layer_types (transformers 5) or from global_attn_every_n_layers.
func (c *Config) readLayerTypes(f *fields) {
	said := f.has("global_attn_every_n_layers")
	every := f.integerOr("global_attn_every_n_layers", defaultGlobalEvery, 1, maxLayers)
	types := f.texts("layer_types")
	switch {
	case every == 0: // a fault
		return
	case types == nil:
		c.LayerGlobal = make([]bool, c.Layers)
		for i := range c.LayerGlobal {
			c.LayerGlobal[i] = i%every == 0
		}
		return
	case len(types) != c.Layers:
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
		if said && c.LayerGlobal[i] != (i%every == 0) {
			f.fault("layer_types", fmt.Sprintf("entry %d contradicts global_attn_every_n_layers %d", i, every), "one pattern")
			return
		}
	}
}
