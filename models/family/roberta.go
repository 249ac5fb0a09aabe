package family

// roberta is RoBERTa: BERT's layers, positions behind the padding id, and a head whose function is always GELU.
func roberta() Family {
	params := postNormParams("roberta.")
	params.HeadDense, params.HeadNorm = "lm_head.dense", "lm_head.layer_norm"
	params.Decoder, params.DecoderBias, params.SecondBias = "lm_head.decoder.weight", "lm_head.bias", "lm_head.decoder.bias"
	return Family{
		Name: "roberta", Class: "RobertaForMaskedLM", Graph: PostNorm,
		Keys:              postNormKeys(),
		Defaults:          Defaults{Positions: 512, TypeVocab: 2, NormEps: 1e-12, Pad: 1, Dropout: 0.1},
		Params:            params,
		PositionsAfterPad: true,
		HeadActivation:    "gelu",
		BareRoots:         []string{"embeddings.", "encoder.", "pooler."},
		Ignorable:         []string{"roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids", "roberta.pooler.*"},
	}
}
