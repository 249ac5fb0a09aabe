package sweeps_test

import (
	"fmt"
	"strings"
	"testing"

	"headroom/sweeps"
)

// points writes a sweep's runs as rescale/seed/lr/steps.
func points(t *testing.T, text string, overrides ...string) string {
	t.Helper()
	var got []string
	for _, run := range expand(t, parse(t, text, overrides...)) {
		got = append(got, fmt.Sprintf("%s/%d/%g/%d", run.Model.Rescale, run.Seed, run.Train.LR, run.Train.Steps))
	}
	return strings.Join(got, " ")
}

func TestGridTimesZipWithoutExclusionsAndThenInclusions(t *testing.T) {
	grid := "[grid]\n\"model.rescale\" = [1, 4]\n"
	zip := "[[zip]]\ntrain.lr = [1e-3, 1e-4, 1e-3]\n\"seed\" = [1, 2, 3]\n"
	for name, c := range map[string]struct{ tables, want string }{
		"a zip":       {zip, "1/1/0.001/100 1/2/0.0001/100 1/3/0.001/100"},
		"grid × zip":  {zip + grid, "1/1/0.001/100 1/2/0.0001/100 1/3/0.001/100 4/1/0.001/100 4/2/0.0001/100 4/3/0.001/100"},
		"two zips":    {"[[zip]]\nseed = [1, 2]\n[[zip]]\ntrain.lr = [1, 2]\nmodel.rescale = [4, 8]\n", "4/1/1/100 8/1/2/100 4/2/1/100 8/2/2/100"},
		"an exclude":  {grid + zip + "[[exclude]]\nmodel.rescale = 4\nseed = [2, 3]\n", "1/1/0.001/100 1/2/0.0001/100 1/3/0.001/100 4/1/0.001/100"},
		"two":         {grid + zip + "[[exclude]]\nmodel.rescale = 4\n[[exclude]]\nseed = 1\n", "1/2/0.0001/100 1/3/0.001/100"},
		"an include":  {grid + "[[include]]\nmodel.rescale = 16\nseed = 9\n", "1/1/2e-05/100 4/1/2e-05/100 16/9/2e-05/100"},
		"of several":  {grid + "[[include]]\nmodel.rescale = [16, 32]\nseed = [1, 2]\n", "1/1/2e-05/100 4/1/2e-05/100 16/1/2e-05/100 16/2/2e-05/100 32/1/2e-05/100 32/2/2e-05/100"},
		"its own":     {grid + "[[include]]\nmodel.rescale = 1\ntrain.steps = 7\n", "1/1/2e-05/100 4/1/2e-05/100 1/1/2e-05/7"},
		"nothing but": {"[[include]]\nseed = 1\n[[include]]\nseed = 4\n", "1/1/2e-05/100 1/4/2e-05/100"},
		"excluded and included": {grid + "[[exclude]]\nmodel.rescale = 4\n[[include]]\nmodel.rescale = 4\ntrain.lr = 1\n",
			"1/1/2e-05/100 4/1/1/100"},
	} {
		if got := points(t, base+c.tables); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestInclusionsAloneMaySayEverything(t *testing.T) {
	text := "name = \"x\"\n[[include]]\nmodel.backbone = \"recipe:a\"\ndata.train = \"builtin:demo\"\ntrain.steps = 3\n" +
		"[[include]]\nmodel.backbone = \"recipe:b\"\ndata.train = \"builtin:demo\"\ntrain.steps = 4\n"
	if got := points(t, text); got != "1/1/2e-05/3 1/1/2e-05/4" {
		t.Errorf("points %s", got)
	}
}

func TestJointTablesUnderOverrides(t *testing.T) {
	text := base + "[grid]\n\"model.rescale\" = [1, 4]\n[[zip]]\nseed = [1, 2]\ntrain.lr = [1e-3, 1e-4]\n" +
		"[[exclude]]\nmodel.rescale = 4\nseed = 2\n[[include]]\nmodel.rescale = 8\nseed = 5\ntrain.lr = 1\ntrain.warmup = 0.5\n"
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "1/1/0.001/100 1/2/0.0001/100 4/1/0.001/100 8/5/1/100"},
		{[]string{"train.steps=7"}, "1/1/0.001/7 1/2/0.0001/7 4/1/0.001/7 8/5/1/7"},
		{[]string{"train.lr=1e-5"}, "1/1/1e-05/100 1/2/1e-05/100 4/1/1e-05/100 8/5/1e-05/100"},
		{[]string{"model.rescale=[1, 2]"}, "1/1/0.001/100 1/2/0.0001/100 2/1/0.001/100 2/2/0.0001/100 8/5/1/100"},
		{[]string{"train.warmup_steps=2"}, "1/1/0.001/100 1/2/0.0001/100 4/1/0.001/100 8/5/1/100"},
	} {
		if got := points(t, text, c.args...); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.args, got, c.want)
		}
	}
	runs := expand(t, parse(t, text, "train.warmup_steps=2"))
	if last := runs[len(runs)-1].Train; last.WarmupSteps == nil || *last.WarmupSteps != 2 {
		t.Errorf("the command line's warm-up gives way to the included point's: %+v", last)
	}
	faults := faultsOf(t, text, "seed=[1, 2, 3]")
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "moves together") {
		t.Errorf("an axis in place of a zipped one: %v", faults)
	}
}

func TestFaultsAcrossJointTables(t *testing.T) {
	grid := base + "[grid]\n\"model.rescale\" = [1, 4]\n"
	for tables, says := range map[string]string{
		"[[exclude]]\nmodel.rescale = 2\n":                                    "matches no point: model.rescale = 2",
		"[[exclude]]\nmodel.rescale = [1, 4]\n":                               "no points are left",
		"[[include]]\nseed = 3\n":                                             "is missing: it is on an axis",
		"[[include]]\nmodel.rescale = 4\n":                                    "two points are the same run",
		"[[zip]]\nmodel.rescale = [1, 2]\n":                                   "is set twice",
		"[[zip]]\nseed = [1, 1]\ntrain.lr = [1, 1]\n":                         "two points are the same run",
		"[[zip]]\ntrain.steps = [1, 2]\n":                                     "is both fixed and an axis",
		"[[zip]]\ntrain.lr = [1, 2]\nseed = [1]\n":                            "not of one length",
		"[[include]]\nmodel.rescale = 8\ntrain.lr = -1\n":                     "out of range",
		"[[include]]\nmodel.rescale = 8\nevaluate.final=[\"builtin:demo\"]\n": "cannot have its own",
		"[[exclude]]\nmodel.rescal = 8\n":                                     "unknown key",
		"[[zip]]\nseed = 1\n":                                                 "an axis is an integer",
		"include = 4\n":                                                       "unknown key",
	} {
		faults := faultsOf(t, grid+tables)
		if len(faults) == 0 || !strings.Contains(faults[0].Error(), says) {
			t.Errorf("%q: %v; want a fault that says %q", tables, faults, says)
		}
	}
}

func TestOnlyAndAxesSeeZippedAndIncludedPoints(t *testing.T) {
	spec := parse(t, base+"[[zip]]\nseed = [1, 2]\ntrain.lr = [1e-3, 1e-4]\n[[include]]\nseed = 7\ntrain.lr = 1\n")
	if axes := spec.Axes(); len(axes) != 2 {
		t.Errorf("axes %+v", axes)
	}
	filter, err := sweeps.ParseOnly("seed=[2, 7]")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, run := range expand(t, spec) {
		if filter.Match(run) {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d runs match, want 2", n)
	}
}
