package family

// modernbert is ModernBERT; Ettin's encoders are checkpoints of it. Its windows, layer types and rotary bases have
// keys of their own, which package hf reads with the graph's other settings.
func modernbert() Family {
	return Family{
		Name: "modernbert", Class: "ModernBertForMaskedLM", Graph: Rotary, New: true,
		Keys: Keys{
			Hidden: "hidden_size", Layers: "num_hidden_layers", Heads: "num_attention_heads", Intermediate: "intermediate_size",
			NormEps: "norm_eps", Activation: "hidden_activation", HeadActivation: "classifier_activation",
			AttentionDropout: "attention_dropout", EmbeddingDropout: "embedding_dropout", MLPDropout: "mlp_dropout",
			// layer_norm_eps and position_embedding_type are in published files and are not read by the class.
			Harmless: []string{"classifier_dropout", "classifier_pooling", "deterministic_flash_attn", "initializer_cutoff_factor",
				"layer_norm_eps", "position_embedding_type", "reference_compile", "repad_logits_with_grad",
				"sparse_pred_ignore_index", "sparse_prediction"},
		},
		Defaults: Defaults{Positions: 8192, NormEps: 1e-5, Pad: 50283},
		Params: Params{
			Prefix:        "model.",
			Word:          "model.embeddings.tok_embeddings",
			EmbeddingNorm: "model.embeddings.norm",
			Layer:         "model.layers.%d.",
			AttentionNorm: "attn_norm", QueryKeyValue: "attn.Wqkv", Output: "attn.Wo",
			FeedNorm: "mlp_norm", Up: "mlp.Wi", Down: "mlp.Wo",
			FinalNorm: "model.final_norm",
			HeadDense: "head.dense", HeadNorm: "head.norm",
			Decoder: "decoder.weight", DecoderBias: "decoder.bias",
		},
		BareRoots: []string{"embeddings.", "layers.", "final_norm."},
		Ignorable: []string{"model.*rotary_emb.inv_freq"},
	}
}
