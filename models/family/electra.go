package family

// electra is ELECTRA's generator: BERT's encoder behind embeddings that may be narrower than it, and a head that goes
// back to their width. A folder of the discriminator alone has an encoder and no MLM head.
func electra() Family {
	keys := postNormKeys()
	keys.Embedding = "embedding_size"
	keys.Harmless = append(keys.Harmless, "summary_activation", "summary_last_dropout", "summary_type", "summary_use_proj")
	params := postNormParams("electra.")
	params.Project = "electra.embeddings_project"
	params.HeadDense, params.HeadNorm = "generator_predictions.dense", "generator_predictions.LayerNorm"
	params.Decoder, params.DecoderBias = "generator_lm_head.weight", "generator_lm_head.bias"
	return Family{
		Name: "electra", Class: "ElectraForMaskedLM", Graph: PostNorm, TokenTypes: true,
		Keys:           keys,
		Defaults:       Defaults{Positions: 512, TypeVocab: 2, NormEps: 1e-12, Pad: 0, Dropout: 0.1, Embedding: 128},
		Params:         params,
		HeadActivation: "gelu",
		BareRoots:      []string{"embeddings.", "embeddings_project.", "encoder."},
		Ignorable: []string{"electra.embeddings.position_ids", "electra.embeddings.token_type_ids",
			"discriminator_predictions.*"},
	}
}
