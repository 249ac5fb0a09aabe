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
	for _, root := range c.bareRoots() {
		if strings.HasPrefix(name, root) {
			return c.Prefix() + name
		}
	}
	return name
}

// bareRoots are the beginnings of names in files of the encoder alone, which have no family prefix.
func (c Config) bareRoots() []string {
	switch c.ModelType {
	case BERT, RoBERTa:
		return []string{"embeddings.", "encoder.", "pooler."}
	case DistilBERT:
		return []string{"embeddings.", "transformer."}
	default:
		return []string{"embeddings.", "layers.", "final_norm."}
	}
}

// ignorable tells whether a tensor with this canonical name may be in a file without being a parameter of the
// masked language model: heads of other tasks that pretraining leaves behind, and buffers that old versions wrote.
func (c Config) ignorable(name string) bool {
	var exact, under []string
	switch c.ModelType {
	case BERT:
		exact = []string{"bert.embeddings.position_ids", "bert.embeddings.token_type_ids"}
		under = []string{"bert.pooler.", "cls.seq_relationship."}
	case RoBERTa:
		exact = []string{"roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids"}
		under = []string{"roberta.pooler."}
	case DistilBERT:
		exact = []string{"distilbert.embeddings.position_ids"}
	case ModernBERT:
		return strings.HasPrefix(name, "model.") && strings.HasSuffix(name, "rotary_emb.inv_freq")
	}
	for _, e := range exact {
		if name == e {
			return true
		}
	}
	for _, u := range under {
		if strings.HasPrefix(name, u) {
			return true
		}
	}
	return false
}
