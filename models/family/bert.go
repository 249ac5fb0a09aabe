package family

// bert is BERT, as google-bert's checkpoints and most small models have it.
func bert() Family {
	params := postNormParams("bert.")
	params.HeadDense, params.HeadNorm = "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"
	params.Decoder = "cls.predictions.decoder.weight"
	params.DecoderBias, params.SecondBias = "cls.predictions.bias", "cls.predictions.decoder.bias"
	return Family{
		Name: "bert", Class: "BertForMaskedLM", Graph: PostNorm, New: true, TokenTypes: true,
		Keys:      postNormKeys(),
		Defaults:  Defaults{Positions: 512, TypeVocab: 2, NormEps: 1e-12, Pad: 0, Dropout: 0.1},
		Params:    params,
		BareRoots: []string{"embeddings.", "encoder.", "pooler."},
		Ignorable: []string{"bert.embeddings.position_ids", "bert.embeddings.token_type_ids", "bert.pooler.*", "cls.seq_relationship.*"},
	}
}

// postNormKeys are the spellings that BERT shares with its descendants.
func postNormKeys() Keys {
	return Keys{
		Hidden: "hidden_size", Layers: "num_hidden_layers", Heads: "num_attention_heads", Intermediate: "intermediate_size",
		TypeVocab: "type_vocab_size", NormEps: "layer_norm_eps", Activation: "hidden_act",
		HiddenDropout: "hidden_dropout_prob", AttentionDropout: "attention_probs_dropout_prob",
		// The pooler's keys are those that the first BERT's configurations have.
		Harmless: []string{"classifier_dropout", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
			"pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"},
	}
}

// postNormParams are the names behind the prefix that BERT shares with its descendants.
func postNormParams(prefix string) Params {
	return Params{
		Prefix:        prefix,
		Word:          prefix + "embeddings.word_embeddings",
		Position:      prefix + "embeddings.position_embeddings",
		Types:         prefix + "embeddings.token_type_embeddings",
		EmbeddingNorm: prefix + "embeddings.LayerNorm",
		Layer:         prefix + "encoder.layer.%d.",
		Query:         "attention.self.query", Key: "attention.self.key", Value: "attention.self.value",
		Output: "attention.output.dense", AttentionNorm: "attention.output.LayerNorm",
		Up: "intermediate.dense", Down: "output.dense", FeedNorm: "output.LayerNorm",
	}
}
