package hf

import "strings"

// canonical turns a tensor's name in a file into transformers' name in the *ForMaskedLM class: legacy LayerNorm
// names, encoders saved without their prefix, the second name of the decoder's bias excepted (see Load).
func (c Config) canonical(name string) string {
	for _, old := range [...][2]string{{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}} {
		if stem, ok := strings.CutSuffix(name, old[0]); ok {
			name = stem + old[1]
		}
	}
	for _, root := range c.family().BareRoots {
		if strings.HasPrefix(name, root) {
			return c.Names().Prefix + name
		}
	}
	return name
}

// EmbeddingName is the canonical name of the input embeddings, [vocab, embedding].
func (c Config) EmbeddingName() string { return c.Names().Word + ".weight" }

// DecoderName is the canonical name of the decoder's weight, [vocab, embedding].
func (c Config) DecoderName() string { return c.Names().Decoder }

// DecoderBiasName is the canonical name of the decoder's bias, [vocab].
func (c Config) DecoderBiasName() string { return c.Names().DecoderBias }
