package sweeps

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"

	"headroom/metrics/measure"
)

const (
	maxSteps  = 1_000_000_000
	maxCount  = 1_000_000
	maxLength = 1 << 20
)

// runRules has one rule for every key of RunConfig; a test compares the two.
func runRules() []rule {
	const reference = "a reference to training data: a folder or a file (./PATH, /PATH, data:PATH), builtin:demo, family:name"
	const prompt = "a text of at most 10,000 bytes; \"\" is none, also where the backbone's folder has one"
	rules := []rule{
		integer("seed", 0, math.MaxInt64, "integer ≥ 0"),
		text("model.backbone", "a hub name (owner/name[@revision]), a folder (./FOLDER, /FOLDER, data:PATH) or recipe:NAME", wrongReference).asRequired(),
		{key: "model.rescale", allowed: `number > 0, "auto-norm", "auto-score"`, wrong: wrongRescale},
		choice("model.target", "decoder", "decoder+bias", "logits"),
		choice("model.tie", "untie", "keep"),
		choice("model.pooling", "max", "sum"),
		{key: "model.activation", allowed: quoteAll([]string{onceLogged, twiceLogged}), wrong: wrongActivation},
		number("model.shift", func(float64) bool { return true }, "finite number; 0 is none").inFloat32(),
		integer("model.top_k", 0, maxLength, "integer ≥ 0; 0 keeps all terms"),
		integer("model.token_top_m", 0, maxLength, "integer ≥ 0, in terms per token; 0 keeps all logits"),
		text("model.query_prompt", prompt, wrongPrompt),
		text("model.document_prompt", prompt, wrongPrompt),
		number("model.dropout", belowOne, "number, 0 ≤ x < 1"),
		text("data.train", reference, wrongReference).asRequired(),
		integer("data.max_query", 2, maxLength, "integer, 2 … the backbone's positions"),
		integer("data.max_document", 2, maxLength, "integer, 2 … the backbone's positions"),
		choice("data.order", "shuffle", "file"),
		integer("data.negatives", 0, maxCount, "integer ≥ 0"),
		integer("train.steps", 1, maxSteps, "integer ≥ 1").asRequired(),
		integer("train.batch", 1, maxCount, "integer ≥ 1, in queries"),
		integer("train.micro_batch", 0, maxCount, "integer that divides train.batch; 0 is the whole batch"),
		number("train.head_lr_scale", positive, "number > 0").inFloat32(),
		number("train.lr", notNegative, "number ≥ 0").inFloat32(),
		number("train.weight_decay", notNegative, "number ≥ 0").inFloat32(),
		number("train.clip", notNegative, "number ≥ 0; 0 is no clipping").inFloat32(),
		choice("train.schedule", ScheduleKinds()...),
		number("train.warmup", share, "share of train.steps, 0 ≤ x ≤ 1"),
		integer("train.warmup_steps", 0, maxSteps, "integer, 0 … train.steps"),
		choice("train.precision", "float32", "bfloat16"),
		choice("loss.kind", lossKinds()...),
		number("loss.scale", positive, "number > 0").inFloat32(),
		choice("loss.candidates", "all", "in_batch_and_own"),
		number("loss.temperature", positive, "number > 0").inFloat32(),
		choice("loss.hardness", "none", "in_batch_negatives", "hard_negatives", "all_negatives"),
		number("loss.hardness_strength", notNegative, "number ≥ 0").inFloat32(),
		choice("regularizer.kind", regularizerKinds()...),
		number("regularizer.lambda_query", notNegative, "number ≥ 0").inFloat32(),
		number("regularizer.lambda_document", notNegative, "number ≥ 0").inFloat32(),
		number("regularizer.ramp", share, "share of train.steps, 0 ≤ x ≤ 1"),
		integer("regularizer.ramp_steps", 1, maxSteps, "integer ≥ 1"),
		choice("regularizer.ramp_kind", RampKinds()...),
		choice("regularizer.negatives", "concatenated", "averaged"),
		integer("regularizer.threshold_query", 0, maxLength, "integer ≥ 0, in terms; 0 leaves no text out"),
		integer("regularizer.threshold_document", 0, maxLength, "integer ≥ 0, in terms; 0 leaves no text out"),
		number("regularizer.df_alpha", strictlyInside, "share of texts, 0 < x < 1"),
		number("regularizer.df_beta", positive, "number > 0").inFloat32(),
		number("regularizer.anti_zero", notNegative, "number ≥ 0; 0 is none").inFloat32(),
		texts("evaluate.final", "a list of references to data", wrongReference),
		texts("evaluate.full", "a list of references to data", wrongReference),
		texts("evaluate.during", "a list of references to data", wrongReference),
		integer("evaluate.every", 0, maxSteps, "integer ≥ 0, in steps; 0 is never"),
		{key: "evaluate.measures", allowed: "a list of measures as headroom evaluate takes them: nDCG@10, RR@10, R@1000, AP, P(rel=2)@5, …", wrong: wrongMeasures},
		choices("evaluate.baselines", BM25, Untrained),
		counts("evaluate.prune_document", "a list of integers ≥ 1, in terms per document; [] is none"),
		counts("evaluate.prune_query", "a list of integers ≥ 1, in terms per query; [] is none"),
		flag("evaluate.keep_vectors"),
		integer("checkpoint.every", 0, maxSteps, "integer ≥ 0, in steps; 0 is by time"),
		choice("checkpoint.keep", "last+best", "last"),
		choice("checkpoint.select", "last", "best"),
		text("compute.backend", `"auto", "go", "xla", "xla:/path"`, wrongBackend),
		integer("compute.slots", 0, 1024, "integer ≥ 0; 0 is one per GPU, or 1"),
		integer("compute.threads", 0, 4096, "integer ≥ 0; 0 is cores / slots"),
		flag("compute.remat"),
	}
	return append(rules, stabilityRules()...)
}

func wrongRescale(v reflect.Value) string {
	r := v.Interface().(Rescale)
	if r.Auto != "" {
		return notOneOf(r.Auto, []string{"auto-norm", "auto-score"})
	}
	if math.IsNaN(r.K) || math.IsInf(r.K, 0) {
		return "not a finite number"
	}
	if r.K <= 0 {
		return "out of range"
	}
	return beyondFloat32(r.K)
}

// wrongReference finds the faults that show without a look at the disk. Package
// data/source finds out whether the reference leads to data.
func wrongReference(s string) string {
	switch {
	case s == "":
		return "empty"
	case strings.TrimSpace(s) != s:
		return "begins or ends with a space"
	case strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return "holds a control character"
	case len(s) > 1000:
		return "longer than 1,000 bytes"
	}
	if kind, name, ok := strings.Cut(s, ":"); ok && name == "" && !strings.Contains(kind, "/") {
		return fmt.Sprintf("nothing after %q", kind+":")
	}
	return ""
}

func wrongPrompt(s string) string {
	if len(s) > 10_000 {
		return fmt.Sprintf("has %d bytes", len(s))
	}
	return ""
}

func wrongMeasures(list reflect.Value) string {
	measures, err := measure.ParseAll(list.Interface().([]string))
	if err == nil {
		err = measure.CheckKept(measures)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func wrongBackend(s string) string {
	if path, ok := strings.CutPrefix(s, "xla:"); ok {
		if !filepath.IsAbs(path) {
			return "the plugin's path must be absolute"
		}
		return ""
	}
	return notOneOf(s, []string{"auto", "go", "xla"})
}

// acrossRun finds faults between several keys of one point.
func acrossRun(c RunConfig) []Fault {
	var faults []Fault
	fault := func(key, value, message string) {
		faults = append(faults, Fault{Key: key, Value: value, Message: message})
	}
	if w := c.Train.WarmupSteps; w != nil && *w > c.Train.Steps && c.Train.Steps > 0 {
		fault("train.warmup_steps", fmt.Sprint(*w), fmt.Sprintf("longer than train.steps = %d", c.Train.Steps))
	}
	if m, b := c.Train.MicroBatch, c.Train.Batch; m > 0 && b > 0 && b%m != 0 {
		fault("train.micro_batch", fmt.Sprint(m), fmt.Sprintf("does not divide train.batch = %d", b))
	}
	if c.Loss.Kind == "infonce" && c.Train.Batch == 1 && c.Data.Negatives == 0 {
		fault("train.batch", "1", "InfoNCE over one candidate is always zero: use a larger batch or data.negatives")
	}
	if l, _ := LossOf(c.Loss.Kind); l.Teacher && c.Data.Negatives == 0 {
		fault("data.negatives", "0", fmt.Sprintf("loss.kind = %q compares the documents of one query: use at least 1 hard negative, with a teacher's scores", l.Kind))
	}
	if c.Loss.Hard() && c.Loss.HardnessStrength == 0 {
		fault("loss.hardness_strength", "0", fmt.Sprintf("loss.hardness = %q adds nothing: use a strength above 0, or \"none\"", c.Loss.Hardness))
	}
	if c.Loss.Hard() && c.Loss.Hardness == "hard_negatives" && c.Data.Negatives == 0 {
		fault("loss.hardness", `"hard_negatives"`, "there are none with data.negatives = 0: use \"in_batch_negatives\", or hard negatives")
	}
	if c.Train.Precision == "bfloat16" && c.Compute.Backend == "go" {
		fault("train.precision", `"bfloat16"`, "the Go backend computes in float32 only: set compute.backend = \"xla\" or \"auto\", or leave train.precision out")
	}
	if c.Model.Rescale.Auto == "auto-score" && c.Model.Pooling == "sum" {
		fault("model.rescale", `"auto-score"`, "is calibrated on maxima over tokens: with model.pooling = \"sum\" use a number or \"auto-norm\"")
	}
	if c.Model.Rescale.Auto == "auto-score" && c.Model.TokenTopM > 0 {
		fault("model.rescale", `"auto-score"`, "is calibrated on maxima over all tokens: with model.token_top_m use a number or \"auto-norm\"")
	}
	if c.Evaluate.Every > 0 && len(c.Evaluate.During) == 0 {
		fault("evaluate.every", fmt.Sprint(c.Evaluate.Every), "evaluate.during names nothing to evaluate on")
	}
	if c.Evaluate.Every == 0 && len(c.Evaluate.During) > 0 {
		fault("evaluate.during", fmt.Sprintf("%q", c.Evaluate.During), "is never evaluated: evaluate.every says after how many steps")
	}
	if len(c.Evaluate.During) > 0 && len(c.Evaluate.Measures) == 0 {
		fault("evaluate.measures", "[]", "evaluate.during needs a measure")
	}
	if len(c.Evaluate.Full) > 0 && len(c.Evaluate.During) == 0 {
		fault("evaluate.full", fmt.Sprintf("%q", c.Evaluate.Full), "needs evaluate.during: the point that is measured on it is chosen by dev data, never by test data")
	}
	if c.Checkpoint.Select == "best" && (len(c.Evaluate.During) == 0 || c.Evaluate.Every == 0) {
		fault("checkpoint.select", `"best"`, "needs evaluate.during and evaluate.every to choose by")
	}
	return faults
}
