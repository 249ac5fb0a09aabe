package sweeps

// Defaults is the configuration of a run whose file sets nothing. Required keys
// are left at their zero value.
func Defaults() RunConfig {
	return RunConfig{
		Seed: 1,
		Model: ModelConfig{
			Rescale: Rescale{K: 1}, Target: "decoder", Tie: "untie",
			Pooling: "max", Activation: "log1p_relu",
		},
		Data: DataConfig{MaxQuery: 64, MaxDocument: 256, Order: "shuffle"},
		Train: TrainConfig{
			Batch: 32, HeadLRScale: 1, LR: 2e-5, Clip: 1,
			Schedule: "linear", Warmup: 0.1, Precision: "float32",
		},
		Loss: LossConfig{Kind: "infonce", Scale: 1, Candidates: "all", Temperature: 1, Hardness: "none"},
		Regularizer: RegularizerConfig{
			Kind: "flops", LambdaQuery: 5e-5, LambdaDocument: 1e-3,
			Ramp: 1.0 / 3, RampKind: "quadratic", Negatives: "concatenated", DFAlpha: 0.1, DFBeta: 10,
		},
		Stability: StabilityDefaults(),
		Evaluate: EvaluateConfig{
			Final: []string{}, Full: []string{}, During: []string{},
			Measures:  []string{"nDCG@10", "RR@10", "R@1000"},
			Baselines: []string{BM25},
		},
		Checkpoint: CheckpointConfig{Keep: "last+best", Select: "last"},
		Compute:    ComputeConfig{Backend: "auto"},
	}
}

// RecipeDefaults is the recipe whose file sets nothing. The model's shape stays
// zero: it is required, or taken from the checkpoint that the recipe starts from.
func RecipeDefaults() Recipe {
	return Recipe{
		Seed:  1,
		Model: RecipeModel{Positions: 512, LocalAttention: 128, GlobalEvery: 3, Tie: true, InitStd: 0.02},
		Start: RecipeStart{Head: "keep"},
		Data:  RecipeData{MaxLength: 128},
		Mask:  RecipeMask{Share: 0.15, Mask: 0.8, Random: 0.1, Keep: 0.1},
		Train: RecipeTrain{
			Batch: 32, LR: 1e-3, Schedule: "linear", Warmup: 0.1, Clip: 1,
			WeightDecay: 0.01, Beta1: 0.9, Beta2: 0.999, Precision: "float32",
		},
	}
}
