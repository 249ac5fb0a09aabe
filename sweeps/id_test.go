package sweeps_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/sweeps"
)

func inputs() sweeps.Inputs {
	return sweeps.Inputs{Weights: "sha256:01", Tokenizer: "sha256:02", Data: "sha256:03"}
}

// Ids that earlier programs gave: a change here throws away every user's
// finished runs, and needs a semantics version instead.
func TestIDsStayWhatTheyWere(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "78e07dd5989ebb123658f9d464b5a97e5abe994fa0b893afc2ff61204ddc5104"},
		{[]string{"model.rescale=8", "seed=3", "train.warmup_steps=5"}, "dfc2b905df52b09be59c1d66fe163e5f3943e6885350a73c60030ded16d3dfc0"},
		{[]string{"stability.stop=true", "regularizer.lambda_query=0.5"}, "d784009fcab28ce84cf8cf72bd2ac07fb9d1840c9b50ae88d734d811f83072c5"},
	} {
		if got := string(sweeps.RunID(only(t, base, c.args...), inputs())); got != c.want {
			t.Errorf("%q: %s, want %s", c.args, got, c.want)
		}
	}
}

// otherValues is, for each key, a value that is not its default.
func otherValues() map[string]string {
	return map[string]string{
		"seed": "2", "model.backbone": "recipe:other", "model.rescale": "4", "model.target": "logits", "model.tie": "keep",
		"model.query_prompt": `"query: "`, "model.document_prompt": `"document: "`,
		"model.dropout": "0", "data.train": "beir:other", "data.max_query": "63", "data.max_document": "255", "data.order": "file",
		"train.steps": "99", "train.batch": "16", "train.micro_batch": "8", "train.head_lr_scale": "2", "train.lr": "1e-5",
		"train.weight_decay": "0.01", "train.clip": "0", "train.schedule": "cosine", "train.warmup": "0.2", "train.warmup_steps": "9",
		"data.negatives": "2", "loss.scale": "2", "loss.temperature": "2", "regularizer.kind": "l1", "regularizer.lambda_query": "1",
		"regularizer.lambda_document": "1", "regularizer.ramp": "0.5", "regularizer.ramp_steps": "5", "regularizer.ramp_kind": "linear",
		"stability.stop": "true", "stability.probe": "8", "stability.non_finite.recovery": "6", "stability.empty.share": "0.2", "stability.empty.steps": "6",
		"stability.identical.cosine": "0.9", "stability.identical.slack": "0.1", "stability.identical.score_sd": "0.1",
		"stability.identical.growth": "3", "stability.identical.accuracy": "0.4", "stability.identical.blank": "0.4",
		"stability.identical.steps": "6", "stability.identical.min_steps": "31", "stability.stalled.infonce": "0.8",
		"stability.stalled.accuracy": "0.2", "stability.stalled.falling": "0.3", "stability.stalled.window": "21",
		"stability.stalled.start": "0.6", "stability.stalled.min_steps": "31", "stability.stalled.losses": "['kl']",
		"stability.spike.deviations": "7", "stability.spike.ratio": "3", "stability.spike.window": "127",
		"stability.spike.after": "65", "stability.spike.recovery": "6", "stability.no_progress.accuracy": "0.2",
		"stability.no_progress.low": "0.9", "stability.no_progress.high": "1.1", "stability.no_progress.window": "6",
		"stability.no_progress.share": "0.1", "stability.no_progress.start": "0.2", "stability.no_progress.candidates": "8",
		"stability.no_progress.recovery": "6", "stability.no_progress.min_steps": "31",
		"evaluate.final": "['builtin:demo']", "evaluate.full": "['beir:nq']", "evaluate.measures": "['AP']", "evaluate.baselines": "[]", "evaluate.prune_document": "[]", "evaluate.prune_query": "[4]", "evaluate.keep_vectors": "true",
		"model.pooling": "sum", "model.activation": "log1p_log1p_relu", "model.top_k": "9", "model.token_top_m": "7", "model.shift": "1.5", "train.precision": "bfloat16", "loss.kind": "kl",
		"loss.candidates": "in_batch_and_own", "regularizer.negatives": "averaged", "compute.remat": "true",
		"loss.hardness": "all_negatives", "loss.hardness_strength": "3", "regularizer.threshold_query": "4", "regularizer.threshold_document": "40",
		"regularizer.df_alpha": "0.2", "regularizer.df_beta": "5", "regularizer.anti_zero": "1",
		"checkpoint.every": "10", "checkpoint.keep": "last", "compute.backend": "xla", "compute.slots": "2", "compute.threads": "1",
	}
}

// choosing are keys that act together only: TestWhatSelectsTheCheckpointEntersTheID.
func choosing(key string) bool {
	return key == "evaluate.during" || key == "evaluate.every" || key == "checkpoint.select"
}

// acting are the settings under which a key acts: without them it decides nothing
// and is not in the id, or is refused.
func acting(key string) []string {
	switch key {
	case "loss.candidates", "regularizer.negatives", "loss.kind":
		return []string{"data.negatives=2"}
	case "loss.hardness":
		return []string{"loss.hardness_strength=2"}
	case "evaluate.full":
		return []string{"evaluate.during=['beir:fiqa']", "evaluate.every=10"}
	case "loss.hardness_strength":
		return []string{"loss.hardness=in_batch_negatives", "loss.hardness_strength=2"}
	case "regularizer.df_alpha", "regularizer.df_beta":
		return []string{"regularizer.kind=df_flops"}
	case "loss.temperature":
		return []string{"data.negatives=2", "loss.kind=kl"}
	}
	return nil
}

// placed are keys that change where, how long or what else is computed, but no
// weight; references, which digests replace, are among them.
func placed(key string) bool {
	table, _, _ := strings.Cut(key, ".")
	switch key {
	case "train.micro_batch", "model.backbone", "data.train":
		return true
	}
	return key == "stability.probe" || table == "evaluate" || table == "compute" || key == "checkpoint.every" || key == "checkpoint.keep"
}

func TestTheIDFollowsExactlyWhatDecidesTheResult(t *testing.T) {
	other := otherValues()
	stopping := only(t, base, "stability.stop=true")
	ids := map[sweeps.ID]string{sweeps.RunID(only(t, base), inputs()): "the base"}
	for _, key := range sweeps.Keys() {
		value, ok := other[key]
		if !ok {
			if !choosing(key) {
				t.Errorf("%s: the test has no other value for it", key)
			}
			continue
		}
		plain := only(t, base, acting(key)...)
		others := slices.DeleteFunc(acting(key), func(arg string) bool { return strings.HasPrefix(arg, key+"=") })
		run := only(t, base, append(others, key+"="+value)...)
		if len(sweeps.Diff(plain, run)) == 0 {
			t.Errorf("%s = %s is the default", key, value)
		}
		id := sweeps.RunID(run, inputs())
		threshold := strings.HasPrefix(key, "stability.") && key != "stability.stop" && key != "stability.probe"
		if same := id == sweeps.RunID(plain, inputs()); same != (placed(key) || threshold) {
			t.Errorf("%s = %s: the id is the same: %t", key, value, same)
		}
		if threshold {
			id = sweeps.RunID(only(t, base, key+"="+value, "stability.stop=true"), inputs())
			if id == sweeps.RunID(stopping, inputs()) {
				t.Errorf("%s does not enter the id of a run that it may stop", key)
			}
		}
		if twin := ids[id]; twin != "" && !placed(key) {
			t.Errorf("%s and %s have one id", key, twin)
		}
		ids[id] = key
	}
}

func TestWritingADefaultOutChangesNoID(t *testing.T) {
	text := string(only(t, base).TOML())
	run, err := sweeps.ParseRun([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if sweeps.RunID(run, inputs()) != sweeps.RunID(only(t, base), inputs()) {
		t.Error("the id of a configuration with all defaults written out differs")
	}
	// What an older program wrote, before the newest options existed.
	var old []string
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "head_lr_scale") && !strings.HasPrefix(line, "order") {
			old = append(old, line)
		}
	}
	run, err = sweeps.ParseRun([]byte(strings.Join(old, "\n")))
	if err != nil || sweeps.RunID(run, inputs()) != sweeps.RunID(only(t, base), inputs()) {
		t.Errorf("a text that lacks options changes the id (%v)", err)
	}
}

func TestTheIDFollowsInputsAndSemantics(t *testing.T) {
	run := only(t, base)
	seen := map[sweeps.ID]bool{sweeps.RunID(run, inputs()): true}
	for _, in := range []sweeps.Inputs{
		{Weights: "sha256:0x", Tokenizer: "sha256:02", Data: "sha256:03"},
		{Weights: "sha256:01", Tokenizer: "sha256:0x", Data: "sha256:03"},
		{Weights: "sha256:01", Tokenizer: "sha256:02", Data: "sha256:0x"},
		{Weights: "sha256:01", Tokenizer: "sha256:03", Data: "sha256:02"},
		{Weights: "a\"\ninput tokenizer = \"b", Tokenizer: "c"},
		{Weights: "a", Tokenizer: "b\"\ninput tokenizer = \"c"},
	} {
		id := sweeps.RunID(run, in)
		if seen[id] {
			t.Errorf("inputs %+v have the id of others", in)
		}
		seen[id] = true
	}
	now := sweeps.RunID(run, inputs())
	if (sweeps.Semantics{"optimizer": 1}).RunID(run, inputs()) != now {
		t.Error("version 1 is not left out")
	}
	if (sweeps.Semantics{"optimizer": 2}).RunID(run, inputs()) == now {
		t.Error("another optimizer has the same id")
	}
	if (sweeps.Semantics{"loss.kl": 2}).RunID(run, inputs()) != now {
		t.Error("a loss that the run does not use changes its id")
	}
}

func TestLabels(t *testing.T) {
	id := sweeps.ID("4f2a" + strings.Repeat("0", 60))
	for _, c := range []struct{ backbone, k, want string }{
		{"answerdotai/ModernBERT-base", "8", "modernbert-base-k8-s1-4f2a"},
		{"recipe:demo-bert", "0.125", "demo-bert-k0.125-s1-4f2a"},
		{"data:checkpoints/splade-tiny", "1", "splade-tiny-k1-s1-4f2a"},
		{"/models/My Model/", "4", "my-model-k4-s1-4f2a"},
		{"owner/name@v1.0", "1e-25", "name-k1e-25-s1-4f2a"},
		{"./..", "1", "backbone-k1-s1-4f2a"},
		{"./héé", "1", "h-k1-s1-4f2a"},
	} {
		run := only(t, base, "model.rescale="+c.k, "model.backbone="+c.backbone)
		if got := sweeps.Label(run, id); got != c.want {
			t.Errorf("%s: %s, want %s", c.backbone, got, c.want)
		}
	}
	if got := sweeps.Label(only(t, base), ""); got != "demo-bert-k1-s1" {
		t.Errorf("without an id: %s", got)
	}
	if got := id.Short(); got != "4f2a0000" || !id.Valid() || sweeps.ID("4F2A").Valid() {
		t.Errorf("short %s", got)
	}
}

func TestDiffNamesWhatDiffersAndWhetherItMatters(t *testing.T) {
	a, b := only(t, base), only(t, base, "seed=2", "compute.threads=4", "train.warmup_steps=3")
	want := []sweeps.Change{
		{Key: "seed", A: "1", B: "2", Semantic: true},
		{Key: "train.warmup_steps", A: "", B: "3", Semantic: true},
		{Key: "compute.threads", A: "0", B: "4"},
	}
	if got := sweeps.Diff(a, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestPromptsAreInTheIDOnlyWhereThereAreSome(t *testing.T) {
	run, in := only(t, base), sweeps.Inputs{Weights: "w", Tokenizer: "t", Data: "d"}
	id := func(c sweeps.RunConfig) sweeps.ID { return sweeps.RunID(c, in) }
	said, none := only(t, base, `model.query_prompt="q: "`), only(t, base, `model.query_prompt=""`)
	for name, pair := range map[string][2]sweeps.RunConfig{
		"nobody says one":            {run, run.WithPrompts("", "")},
		"the sweep says none":        {run, none.WithPrompts("", "")},
		"the sweep takes one away":   {run, none.WithPrompts("folder: ", "")},
		"the folder's is the same":   {said, run.WithPrompts("q: ", "")},
		"the sweep's stands":         {said, said.WithPrompts("folder: ", "")},
		"both roles, said or folder": {said.WithPrompts("", "d: "), run.WithPrompts("q: ", "d: ")},
	} {
		if id(pair[0]) != id(pair[1]) {
			t.Errorf("%s: %+v and %+v are two runs", name, pair[0].Model, pair[1].Model)
		}
	}
	ids := map[sweeps.ID]string{}
	for name, c := range map[string]sweeps.RunConfig{"none": run, "query": said, "document": run.WithPrompts("", "q: "), "another": run.WithPrompts("q:", "")} {
		if twin := ids[id(c)]; twin != "" {
			t.Errorf("%s and %s are one run", name, twin)
		}
		ids[id(c)] = name
	}
	if query, document := said.WithPrompts("", "d: ").Model.Prompts(); query != "q: " || document != "d: " {
		t.Errorf("prompts %q and %q", query, document)
	}
}

func TestEvaluationsAreToldApart(t *testing.T) {
	run := only(t, base)
	id := func(weights string, run sweeps.RunConfig, data, split string, measures int) string {
		return sweeps.EvaluationID(sweeps.EncoderID(weights, sweeps.EncodingOf(run)), data, split, measures)
	}
	seen := map[string]string{}
	for name, id := range map[string]string{
		"itself":          id("run", run, "data", "test", 1),
		"weights":         id("other", run, "data", "test", 1),
		"data":            id("run", run, "other", "test", 1),
		"split":           id("run", run, "data", "dev", 1),
		"measures":        id("run", run, "data", "test", 2),
		"query":           id("run", only(t, base, "data.max_query=32"), "data", "test", 1),
		"document":        id("run", only(t, base, "data.max_document=32"), "data", "test", 1),
		"top k":           id("run", only(t, base, "model.top_k=10"), "data", "test", 1),
		"token top m":     id("run", only(t, base, "model.token_top_m=10"), "data", "test", 1),
		"pooling":         id("run", only(t, base, "model.pooling=sum"), "data", "test", 1),
		"activation":      id("run", only(t, base, "model.activation=log1p_log1p_relu"), "data", "test", 1),
		"precision":       id("run", only(t, base, "train.precision=bfloat16", "compute.backend=xla"), "data", "test", 1),
		"query prompt":    id("run", only(t, base, `model.query_prompt="q: "`), "data", "test", 1),
		"document prompt": id("run", only(t, base, `model.document_prompt="q: "`), "data", "test", 1),
	} {
		if twin := seen[id]; twin != "" || len(id) != 64 {
			t.Errorf("%s and %s: %s", name, twin, id)
		}
		seen[id] = name
	}
}

// A key that nothing reads under the other keys makes no other run.
func TestAnIdleKeyIsNotInTheID(t *testing.T) {
	for _, c := range []struct{ with, idle []string }{
		{nil, []string{"loss.candidates=in_batch_and_own"}},
		{[]string{"data.negatives=2", "loss.kind=kl"}, []string{"loss.candidates=in_batch_and_own"}},
		{nil, []string{"loss.temperature=2"}},
		{[]string{"data.negatives=2", "loss.kind=margin_mse"}, []string{"loss.temperature=2"}},
		{nil, []string{"regularizer.negatives=averaged"}},
		{[]string{"regularizer.kind=none"}, []string{"regularizer.lambda_query=1", "regularizer.lambda_document=1"}},
	} {
		if sweeps.RunID(only(t, base, c.with...), inputs()) != sweeps.RunID(only(t, base, append(c.with, c.idle...)...), inputs()) {
			t.Errorf("%q with %q is another run", c.with, c.idle)
		}
	}
	faults := faultsOf(t, base+"[grid]\n\"loss.candidates\" = [\"all\", \"in_batch_and_own\"]\n")
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "two points are the same run") {
		t.Errorf("an axis that nothing reads: %v", faults)
	}
}
