package sweeps

// RunConfig is one point of a sweep: everything that a single run reads.
// Field comments give the consequence, the default and the meaning of zero.
// Keys are the TOML keys of a sweep file. `id:"no"` marks a field that does not
// enter the run's identity; `id:"select"` marks a field that enters it only if
// the field decides which checkpoint is selected.
type RunConfig struct {
	Seed        int64             `toml:"seed"`
	Model       ModelConfig       `toml:"model"`
	Data        DataConfig        `toml:"data"`
	Train       TrainConfig       `toml:"train"`
	Loss        LossConfig        `toml:"loss"`
	Regularizer RegularizerConfig `toml:"regularizer"`
	Stability   StabilityConfig   `toml:"stability"`
	Evaluate    EvaluateConfig    `toml:"evaluate"`
	Checkpoint  CheckpointConfig  `toml:"checkpoint"`
	Compute     ComputeConfig     `toml:"compute"`
}

// ModelConfig says what is trained and how its MLM head is turned into an encoder.
type ModelConfig struct {
	// Backbone is a reference: hub name, folder, data:PATH or recipe:NAME. Required.
	Backbone string `toml:"backbone"`
	// Rescale is k: the MLM-head projection is divided by k before training. Default 1.
	Rescale Rescale `toml:"rescale"`
	// Target is the part that is divided: "decoder" (default), "decoder+bias" or "logits".
	Target string `toml:"target"`
	// Tie is "untie" (default: the decoder becomes its own parameter) or "keep".
	Tie string `toml:"tie"`
	// Pooling over tokens: "max" (default) or "sum".
	Pooling string `toml:"pooling"`
	// Activation: "log1p_relu" (default) or "log1p_log1p_relu".
	Activation string `toml:"activation"`
	// Shift is subtracted from every logit: log(1+ReLU(x − shift)); 0 (default) is none.
	Shift float64 `toml:"shift"`
	// TopK is the number of terms that a text keeps; 0 (default) keeps all.
	TopK int `toml:"top_k"`
	// TokenTopM is the number of greatest logits that each token of a text, special ones
	// included, keeps before pooling. Of equal logits those with the lowest term ids stay.
	// 0 (default) keeps all.
	TokenTopM int `toml:"token_top_m"`
	// QueryPrompt and DocumentPrompt are put before each query and document, in training, evaluation and the
	// exported folder. nil (default) takes the prompts of the backbone's folder, "" is no prompt.
	QueryPrompt    *string `toml:"query_prompt"`
	DocumentPrompt *string `toml:"document_prompt"`
	// Dropout replaces the backbone's own rate; nil (default) keeps it.
	Dropout *float64 `toml:"dropout"`
}

// Prompts are the texts before each query and each document; "" is none.
func (m ModelConfig) Prompts() (query, document string) {
	if m.QueryPrompt != nil {
		query = *m.QueryPrompt
	}
	if m.DocumentPrompt != nil {
		document = *m.DocumentPrompt
	}
	return query, document
}

// WithPrompts returns the configuration with its prompts filled in; query and document are the prompts of the
// backbone's folder. No prompt becomes nil, wherever it was said, so that it leaves no trace in an id.
func (c RunConfig) WithPrompts(query, document string) RunConfig {
	resolve := func(said *string, folder string) *string {
		if said == nil {
			said = &folder
		}
		if *said == "" {
			return nil
		}
		return said
	}
	c.Model.QueryPrompt, c.Model.DocumentPrompt = resolve(c.Model.QueryPrompt, query), resolve(c.Model.DocumentPrompt, document)
	return c
}

// Rescale is a number > 0, or one of the automatic choices "auto-norm", "auto-score".
type Rescale struct {
	// K is the factor; 0 exactly if Auto is set.
	K float64
	// Auto is "", "auto-norm" or "auto-score".
	Auto string
}

// DataConfig says which texts and pairs a run trains on.
type DataConfig struct {
	// Train is a reference to a training collection. Required.
	Train string `toml:"train"`
	// MaxQuery and MaxDocument truncate texts, in tokens with the special ones. Defaults 64, 256.
	MaxQuery    int `toml:"max_query"`
	MaxDocument int `toml:"max_document"`
	// Order is "shuffle" (default) or "file".
	Order string `toml:"order"`
	// Negatives is the number of hard negatives per query; 0 (default) is in-batch only.
	Negatives int `toml:"negatives"`
}

// TrainConfig is the optimization recipe.
type TrainConfig struct {
	Steps       int     `toml:"steps"`               // optimizer steps; required
	Batch       int     `toml:"batch"`               // queries per step; default 32
	MicroBatch  int     `toml:"micro_batch" id:"no"` // queries per forward; 0 (default) = Batch
	HeadLRScale float64 `toml:"head_lr_scale"`       // learning-rate factor of the decoder; default 1
	LR          float64 `toml:"lr"`                  // peak learning rate; default 2e-5
	WeightDecay float64 `toml:"weight_decay"`        // decoupled, none on norms and biases; default 0
	Clip        float64 `toml:"clip"`                // global gradient norm; 0 is none; default 1
	Schedule    string  `toml:"schedule"`            // "linear" (default), "cosine", "constant"
	Warmup      float64 `toml:"warmup"`              // share of Steps; default 0.1; unused if WarmupSteps is set
	WarmupSteps *int    `toml:"warmup_steps"`        // nil (default): Warmup decides
	Precision   string  `toml:"precision"`           // "float32" (default), "bfloat16"
}

// LossConfig chooses the ranking loss.
type LossConfig struct {
	Kind        string  `toml:"kind"`        // "infonce" (default), "margin_mse", "kl"
	Scale       float64 `toml:"scale"`       // multiplies scores; default 1
	Candidates  string  `toml:"candidates"`  // "all" (default), "in_batch_and_own"
	Temperature float64 `toml:"temperature"` // of KL; default 1
	// Hardness adds HardnessStrength times a negative's own unscaled score to its scaled
	// one, without a gradient: "none" (default), "in_batch_negatives", "hard_negatives",
	// "all_negatives". InfoNCE alone reads it.
	Hardness         string  `toml:"hardness"`
	HardnessStrength float64 `toml:"hardness_strength"` // default 0, which only "none" allows
}

// RegularizerConfig chooses the sparsity regularizer and its ramp.
type RegularizerConfig struct {
	Kind           string  `toml:"kind"`            // "flops" (default), "l1", "df_flops", "none"
	LambdaQuery    float64 `toml:"lambda_query"`    // default 5e-5
	LambdaDocument float64 `toml:"lambda_document"` // default 1e-3
	Ramp           float64 `toml:"ramp"`            // share of Steps until the full λ; default 1/3; unused if RampSteps is set
	RampSteps      *int    `toml:"ramp_steps"`      // nil (default): Ramp decides
	RampKind       string  `toml:"ramp_kind"`       // "quadratic" (default), "linear", "constant"
	Negatives      string  `toml:"negatives"`       // "concatenated" (default), "averaged"
	// ThresholdQuery and ThresholdDocument leave texts with at most so many terms out of
	// FLOPS; 0 (default) leaves none out.
	ThresholdQuery    int     `toml:"threshold_query"`
	ThresholdDocument int     `toml:"threshold_document"`
	DFAlpha           float64 `toml:"df_alpha"`  // of df_flops: the share of texts at which a term's weight is 1/2; default 0.1
	DFBeta            float64 `toml:"df_beta"`   // of df_flops: how steeply the weight rises there; default 10
	AntiZero          float64 `toml:"anti_zero"` // weight of 1/(Σq)² + 1/(Σd)²; 0 (default) is none
}

// EvaluateConfig says on which data a run is measured. None of its fields enters the id but
// those that select the checkpoint: During (as a digest), Every and the first of Measures.
type EvaluateConfig struct {
	Final []string `toml:"final" id:"no"` // references; default none
	// Full are references to collections on whose test split only one point of each backbone
	// is measured: the best by During's figures, once all its runs are finished. Default none.
	Full      []string `toml:"full" id:"no"`
	During    []string `toml:"during" id:"select"`   // references, dev split; default none
	Every     int      `toml:"every" id:"select"`    // steps between evaluations of During; 0 (default) is never
	Measures  []string `toml:"measures" id:"select"` // ir_measures' names; the first selects; default nDCG@10, RR@10, R@1000
	Baselines []string `toml:"baselines" id:"no"`    // "bm25", "untrained"; default ["bm25"]
	// PruneDocument and PruneQuery list numbers of terms. The evaluation at the end is repeated
	// for each number, with the vectors of that side cut to so many terms. nil (default) leaves
	// the numbers to the program.
	PruneDocument *[]int `toml:"prune_document" id:"no"`
	PruneQuery    *[]int `toml:"prune_query" id:"no"`
	// KeepVectors keeps the documents' vectors of every evaluation at the end; default false.
	KeepVectors bool `toml:"keep_vectors" id:"no"`
}

// CheckpointConfig says when training state is saved and which checkpoints are kept.
type CheckpointConfig struct {
	Every  int    `toml:"every" id:"no"` // steps; 0 (default) is by time
	Keep   string `toml:"keep" id:"no"`  // "last+best" (default): the best on dev data beside the last; "last"
	Select string `toml:"select"`        // whose weights are the result: "last" (default), "best" on dev data
}

// Selects reports whether dev data choose the step whose weights are the result.
func (c RunConfig) Selects() bool { return c.Checkpoint.Select == "best" }

// ComputeConfig says where a run computes; it never changes an id.
type ComputeConfig struct {
	Backend string `toml:"backend" id:"no"` // "auto" (default), "go", "xla", "xla:/path"
	Slots   int    `toml:"slots" id:"no"`   // runs at a time; 0 (default): GPUs, or 1
	Threads int    `toml:"threads" id:"no"` // per run; 0 (default): cores / slots
	Remat   bool   `toml:"remat" id:"no"`   // recompute layers in the backward pass; default false
}

// Recipe is a pretraining recipe for a small MLM backbone; every key is in its id.
type Recipe struct {
	Name      string      `toml:"name"`
	Seed      int64       `toml:"seed"`
	Model     RecipeModel `toml:"model"`
	Start     RecipeStart `toml:"start"`
	Tokenizer string      `toml:"tokenizer"` // reference, "builtin:demo", or "" = of Start
	Data      RecipeData  `toml:"data"`
	Mask      RecipeMask  `toml:"mask"`
	Train     RecipeTrain `toml:"train"`
}

// RecipeModel is the shape; zero fields are taken from Start's checkpoint.
type RecipeModel struct {
	Architecture   string  `toml:"architecture"` // one of family.New
	Hidden         int     `toml:"hidden"`
	Layers         int     `toml:"layers"`
	Heads          int     `toml:"heads"`
	Intermediate   int     `toml:"intermediate"`
	Positions      int     `toml:"positions"`       // default 512, or Start's
	LocalAttention int     `toml:"local_attention"` // default 128
	GlobalEvery    int     `toml:"global_every"`    // default 3
	Tie            bool    `toml:"tie"`             // default true
	InitStd        float64 `toml:"init_std"`        // default 0.02
	Dropout        float64 `toml:"dropout"`         // default 0
}

// RecipeStart warm-starts from a checkpoint folder.
type RecipeStart struct {
	Folder string `toml:"folder"` // reference; "" is none
	Head   string `toml:"head"`   // "keep" (default), "new"
}

// RecipeData is the pretraining text.
type RecipeData struct {
	Text            References `toml:"text"`              // collections whose documents are read; required
	ExtraTexts      int        `toml:"extra_texts"`       // unindexed texts of the built-in world beside them; default 0
	ExtraQueryShare float64    `toml:"extra_query_share"` // share of those that are short and query-like; default 0
	MaxLength       int        `toml:"max_length"`        // default 128
}

// RecipeMask chooses a Share of the tokens; of these, the share Mask become [MASK], Random become a random token, and
// Keep stay as they are.
type RecipeMask struct {
	Share  float64 `toml:"share"`
	Mask   float64 `toml:"mask"`
	Random float64 `toml:"random"`
	Keep   float64 `toml:"keep"`
}

// RecipeTrain is the optimization of a recipe.
type RecipeTrain struct {
	Steps       int     `toml:"steps"`
	Batch       int     `toml:"batch"`
	LR          float64 `toml:"lr"`
	Schedule    string  `toml:"schedule"`
	Warmup      float64 `toml:"warmup"`
	Clip        float64 `toml:"clip"`
	WeightDecay float64 `toml:"weight_decay"`
	FLOPS       float64 `toml:"flops"` // weight of FLOPS of the texts' pooled logits; 0 (default) is none
	Beta1       float64 `toml:"beta1"`
	Beta2       float64 `toml:"beta2"`
	Precision   string  `toml:"precision"`
}
