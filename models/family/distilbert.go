package family

// distilbert is DistilBERT: BERT's layers under other names, no token types, an epsilon that no key of config.json gives.
func distilbert() Family {
	return Family{
		Name: "distilbert", Class: "DistilBertForMaskedLM", Graph: PostNorm,
		Keys: Keys{
			Hidden: "dim", Layers: "n_layers", Heads: "n_heads", Intermediate: "hidden_dim", Activation: "activation",
			HiddenDropout: "dropout", AttentionDropout: "attention_dropout",
			Aliases: map[string]string{"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
			// sinusoidal_pos_embds says how the position table began, not what is in it now.
			Harmless: []string{"output_past", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"},
		},
		Defaults: Defaults{Positions: 512, NormEps: 1e-12, Pad: 0, Dropout: 0.1},
		Params: Params{
			Prefix:        "distilbert.",
			Word:          "distilbert.embeddings.word_embeddings",
			Position:      "distilbert.embeddings.position_embeddings",
			EmbeddingNorm: "distilbert.embeddings.LayerNorm",
			Layer:         "distilbert.transformer.layer.%d.",
			Query:         "attention.q_lin", Key: "attention.k_lin", Value: "attention.v_lin",
			Output: "attention.out_lin", AttentionNorm: "sa_layer_norm",
			Up: "ffn.lin1", Down: "ffn.lin2", FeedNorm: "output_layer_norm",
			HeadDense: "vocab_transform", HeadNorm: "vocab_layer_norm",
			Decoder: "vocab_projector.weight", DecoderBias: "vocab_projector.bias",
		},
		BareRoots: []string{"embeddings.", "transformer."},
		Ignorable: []string{"distilbert.embeddings.position_ids"},
	}
}
