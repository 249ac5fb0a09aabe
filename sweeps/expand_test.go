package sweeps_test

import (
	"fmt"
	"strings"
	"testing"

	"headroom/sweeps"
)

func TestTheLastAxisVariesFastestInTheOrderOfTheFile(t *testing.T) {
	text := `
name = "order"
[grid]
"train.lr" = [1e-3, 1e-4]
model.rescale = [4, 0.5]
"seed" = [2, 1]
` + strings.ReplaceAll(base, `name = "base"`, "")
	spec := parse(t, text)
	var got []string
	for _, run := range expand(t, spec) {
		got = append(got, fmt.Sprintf("%g/%s/%d", run.Train.LR, run.Model.Rescale, run.Seed))
	}
	want := "0.001/4/2 0.001/4/1 0.001/0.5/2 0.001/0.5/1 0.0001/4/2 0.0001/4/1 0.0001/0.5/2 0.0001/0.5/1"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	axes := spec.Axes()
	if len(axes) != 3 || axes[1].Key != "model.rescale" || strings.Join(axes[1].Values, " ") != "4 0.5" {
		t.Errorf("axes = %+v", axes)
	}
}

func TestAnAxisHasTheTypeOfItsKey(t *testing.T) {
	grid := func(line string) string { return base + "[grid]\n" + line + "\n" }
	for line, runs := range map[string]int{
		`"model.rescale" = [1, 0.5, 2.0]`:  3,
		`"train.lr" = [1, 0.5]`:            2,
		`"model.dropout" = [0, 0.1]`:       2,
		`"train.warmup_steps" = [0, 5]`:    2,
		`"stability.stop" = [true, false]`: 2,
		`"model.tie" = ["keep", "untie"]`:  2,
		`"stability.stop" = [true]` + "\n" + `"stability.stalled.losses" = [[], ["infonce"]]`: 2,
	} {
		if got := len(expand(t, parse(t, grid(line)))); got != runs {
			t.Errorf("%s: %d runs, want %d", line, got, runs)
		}
	}
	for line, says := range map[string]string{
		`"train.batch" = [8, 8.5]`:             "is a number with a fraction",
		`"train.batch" = [8, "x"]`:             "is a string",
		`"train.lr" = [1, [2]]`:                "is an array",
		`"seed" = [1, 1]`:                      "on the axis twice",
		`"model.rescale" = [1, 1.0]`:           "on the axis twice",
		`"seed" = 1`:                           "an axis is an integer",
		`"seed" = {a = 1}`:                     "seed is a value, not a table",
		`"compute.slots" = [1, 2]`:             "does not change a run's result",
		`"stability.empty.share" = [0.1, 0.2]`: "two points are the same run",
		`"train.steps" = [1, 2]`:               "is both fixed and an axis",
		`"train.warmup" = [0.1]` + "\n" + `"train.warmup_steps" = [5]`: "is set beside train.warmup_steps",
	} {
		faults := faultsOf(t, grid(line))
		if len(faults) != 1 || !strings.Contains(faults[0].Message, says) {
			t.Errorf("%s: %v; want one fault that says %q", line, faults, says)
		}
	}
}

func TestASweepThatIsTooLargeIsRefusedBeforeItIsMade(t *testing.T) {
	var b strings.Builder
	b.WriteString(base + "[grid]\n")
	numbers := make([]string, 300)
	for i := range numbers {
		numbers[i] = fmt.Sprint(i + 1)
	}
	for _, key := range []string{"seed", "train.batch", "data.max_query", "data.max_document", "train.lr", "train.clip"} {
		fmt.Fprintf(&b, "%q = [%s]\n", key, strings.Join(numbers, ","))
	}
	faults := faultsOf(t, b.String())
	if last := faults[len(faults)-1]; last.Message != "has too many points" {
		t.Errorf("%v", last)
	}
}

func TestRunsOfOneSweepShareNoMemory(t *testing.T) {
	runs := expand(t, parse(t, base+"warmup_steps = 3\n[evaluate]\nfinal = [\"builtin:demo\"]\n[grid]\nseed = [1, 2]\n"))
	runs[0].Evaluate.Final[0] = "changed"
	*runs[0].Train.WarmupSteps = 9
	if runs[1].Evaluate.Final[0] != "builtin:demo" || *runs[1].Train.WarmupSteps != 3 {
		t.Error("a change to one run is seen in another")
	}
	if again := expand(t, parse(t, base)); again[0].Evaluate.Measures[0] != "nDCG@10" {
		t.Error("a change to one run is seen in another sweep")
	}
}

func TestAnOverrideReplacesAFixedValueOrAnAxis(t *testing.T) {
	text := base + "[grid]\n\"model.rescale\" = [1, 4]\n\"seed\" = [1, 2]\n"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"train.steps=7"}, "7:1/1 7:1/2 7:4/1 7:4/2"},
		{[]string{"model.rescale=8"}, "100:8/1 100:8/2"},
		{[]string{"model.rescale=[1, 8]"}, "100:1/1 100:1/2 100:8/1 100:8/2"},
		{[]string{"model.rescale=[2]", "seed=3"}, "100:2/3"},
		{[]string{"train.steps=[5, 6]", "seed=1", "model.rescale=1"}, "5:1/1 6:1/1"},
		{[]string{" seed = 9 ", "model.rescale=0.5"}, "100:0.5/9"},
	} {
		var got []string
		for _, run := range expand(t, parse(t, text, c.args...)) {
			got = append(got, fmt.Sprintf("%d:%s/%d", run.Train.Steps, run.Model.Rescale, run.Seed))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %s, want %s", c.args, strings.Join(got, " "), c.want)
		}
	}
}

func TestAnOverridesValueIsTypedLikeTOMLAndWordsMayBeBare(t *testing.T) {
	for arg, want := range map[string]string{
		"model.backbone=answerdotai/ModernBERT-base":   "answerdotai/ModernBERT-base",
		"model.backbone=recipe:x":                      "recipe:x",
		"model.backbone=./a b/c":                       "./a b/c",
		"model.backbone=a=b":                           "a=b",
		`model.backbone="quoted"`:                      "quoted",
		`model.backbone='lit\eral'`:                    `lit\eral`,
		"model.backbone=true":                          "true",
		"model.backbone=12":                            "12",
		"model.backbone=google-bert/x # not a comment": "google-bert/x # not a comment",
	} {
		if got := only(t, base, arg).Model.Backbone; got != want {
			t.Errorf("%s: %q, want %q", arg, got, want)
		}
	}
	if got := only(t, base, "evaluate.final=['builtin:demo', \"beir:scifact\"]").Evaluate.Final; len(got) != 2 || got[1] != "beir:scifact" {
		t.Errorf("a list stays a list: %v", got)
	}
	if got := only(t, base, "train.steps=50_000").Train.Steps; got != 50000 {
		t.Errorf("steps = %d", got)
	}
	for arg, says := range map[string]string{
		"train.steps=many":              "is not a TOML value",
		"train.steps=1.5":               "is a number with a fraction",
		"train.steps='5'":               "is a string",
		"train.steps=":                  "is not a TOML value",
		"train.steps=1\nseed = 2":       "is not a TOML value",
		"train.steps":                   "cannot read override",
		"=3":                            "cannot read override",
		"train.step=3":                  "unknown key",
		"Train.steps=3":                 "unknown key: case matters",
		"name=x":                        "unknown key",
		"model.rescale=[]":              "an axis without values",
		"model.rescale=big":             `"big" is not a choice`,
		"model.backbone=[a, b]":         "is not a TOML value",
		"model.backbone=\xff":           "is not a TOML value",
		"evaluate.final=builtin:demo":   "is not a TOML value",
		"evaluate.final='builtin:demo'": "is a string",
		"compute.slots=[1, 2]":          "does not change a run's result",
		"train.lr=nan":                  "not a finite number",
		"train.warmup_steps={a = 1}":    "is not a TOML value",
	} {
		faults := faultsOf(t, base, arg)
		if len(faults) != 1 || faults[0].File != "command line" || !strings.Contains(faults[0].Message, says) {
			t.Errorf("%q: %v; want one fault that says %q", arg, faults, says)
		}
	}
	if faults := faultsOf(t, base, "seed=1", "seed=2"); !strings.Contains(faults[0].Message, "overridden twice") {
		t.Errorf("twice: %v", faults)
	}
}

func TestAnOverrideMaySupplyWhatTheFileLacks(t *testing.T) {
	run := only(t, `name = "x"`, "model.backbone=recipe:a", "data.train=builtin:demo", "train.steps=3")
	if run.Train.Steps != 3 {
		t.Errorf("steps = %d", run.Train.Steps)
	}
}

func TestAnOverrideOfOneWayDropsTheOther(t *testing.T) {
	run := only(t, base+"warmup = 0.5\n[regularizer]\nramp_steps = 9\n", "train.warmup_steps=7", "regularizer.ramp=0.25")
	if *run.Train.WarmupSteps != 7 || run.Regularizer.RampSteps != nil || run.Regularizer.Ramp != 0.25 {
		t.Errorf("%+v %+v", run.Train, run.Regularizer)
	}
}

func TestAFailedOverrideChangesNothing(t *testing.T) {
	spec := parse(t, base)
	if err := spec.Override([]string{"seed=5", "train.lr=-1"}); err == nil {
		t.Fatal("accepted")
	}
	if got := expand(t, spec)[0].Seed; got != 1 {
		t.Errorf("seed = %d", got)
	}
	if err := spec.Override([]string{"seed=5"}); err != nil {
		t.Fatal(err)
	}
	if got := expand(t, spec)[0].Seed; got != 5 || strings.Join(spec.Overridden(), " ") != "seed=5" {
		t.Errorf("seed = %d, overridden %q", got, spec.Overridden())
	}
}

func TestOnlyChoosesRuns(t *testing.T) {
	text := strings.ReplaceAll(base, `backbone = "recipe:demo-bert"`, "") + `[grid]
"model.backbone" = ["jhu-clsp/ettin-encoder-17m", "google-bert/bert-base-uncased"]
"model.rescale" = [1, 4, 16]
"seed" = [1, 2]
`
	runs := expand(t, parse(t, text))
	for expr, want := range map[string]int{
		"model.backbone=~ettin":      6,
		"model.backbone!~ettin":      6,
		"model.rescale=4":            4,
		"model.rescale=4.0":          4,
		"model.rescale!=4":           8,
		"model.rescale=[1,16]":       8,
		"model.rescale=4,seed=1":     2,
		"model.rescale=4, seed=1":    2,
		"model.rescale=4 and seed=1": 2,
		"model.backbone=~ettin and seed=[1,2], model.rescale!=1": 4,
		"model.backbone=google-bert/bert-base-uncased":           6,
		"model.backbone=\"google-bert/bert-base-uncased\"":       6,
		"model.backbone=~^jhu.{3,40}m$":                          6,
		"model.backbone=~a{1,2}|bert":                            6,
		"seed=3":                                                 0,
		"train.lr=2e-5":                                          12,
		"model.dropout=0.1":                                      0,
	} {
		filter, err := sweeps.ParseOnly(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		got := 0
		for _, run := range runs {
			if filter.Match(run) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d runs, want %d", expr, got, want)
		}
	}
	for _, expr := range []string{"", "seed", "seed=", "sed=1", "seed=x", "model.backbone=~(", "Seed=1", "seed=1,,", "=1", "seed=1 or seed=2"} {
		if _, err := sweeps.ParseOnly(expr); err == nil {
			t.Errorf("%q is accepted", expr)
		}
	}
}

func TestGroupsOfCollectionsAreTheirMembers(t *testing.T) {
	spec := parse(t, base+"\n[evaluate]\nfinal = [\"nano:13\", \"nano:nq\", \"builtin:demo\"]\n")
	points, err := spec.Points()
	if err != nil {
		t.Fatal(err)
	}
	if got := points[0].Config.Evaluate.Final; len(got) != 14 || got[0] != "nano:arguana" || got[13] != "builtin:demo" {
		t.Errorf("final is %q", got)
	}
}
