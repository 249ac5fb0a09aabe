package sweeps_test

import (
	"strings"
	"testing"

	"headroom/sweeps"
)

// A factor that float32 does not hold would divide the head by 0 or by infinity.
func TestAFactorThatWeightsCannotBeDividedByIsRefused(t *testing.T) {
	text := func(k string) []byte {
		return []byte("name = \"x\"\n[model]\nbackbone = \"org/name\"\nrescale = " + k + "\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 1\n")
	}
	for _, k := range []string{"1e-300", "1e300"} {
		if _, err := sweeps.Parse("x.toml", text(k)); err == nil || !strings.Contains(err.Error(), "model.rescale") || !strings.Contains(err.Error(), "float32") {
			t.Errorf("k = %s: %v", k, err)
		}
	}
	for _, k := range []string{"1e-30", "1e30"} {
		if _, err := sweeps.Parse("x.toml", text(k)); err != nil {
			t.Errorf("k = %s: %v", k, err)
		}
	}
}

// A learning rate of 1e39 is infinite in the float32 of every update: its run would be called
// collapsed, and the fault would be the number's.
func TestNumbersThatFloat32DoesNotHoldAreRefused(t *testing.T) {
	text := []byte("name = \"x\"\n[model]\nbackbone = \"org/name\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 1\n")
	for _, key := range []string{
		"model.shift", "train.lr", "train.weight_decay", "train.clip", "train.head_lr_scale", "loss.scale", "loss.temperature",
		"loss.hardness_strength", "regularizer.lambda_query", "regularizer.lambda_document", "regularizer.df_beta", "regularizer.anti_zero",
	} {
		for _, x := range []string{"1e39", "1e-60"} {
			_, err := sweeps.Parse("x.toml", text, key+"="+x)
			if err == nil || !strings.HasPrefix(err.Error(), "command line: "+key+" = ") || !strings.Contains(err.Error(), "float32") {
				t.Errorf("%s = %s: %v", key, x, err)
			}
		}
		if _, err := sweeps.Parse("x.toml", text, key+"=1e-30"); err != nil {
			t.Errorf("%s = 1e-30: %v", key, err)
		}
	}
	beyond := append([]byte("train.lr = 1e39\n"), "name = \"x\"\nmodel.backbone = \"org/name\"\ndata.train = \"builtin:demo\"\ntrain.steps = 1\n"...)
	if _, err := sweeps.Parse("x.toml", beyond); err == nil || !strings.HasPrefix(err.Error(), "x.toml: train.lr = 1e+39: out of range: infinite in float32") {
		t.Errorf("a file with train.lr = 1e39: %v", err)
	}
	kept, err := sweeps.ParseKept("x.toml", beyond)
	if err != nil {
		t.Fatalf("a text that a workspace keeps: %v", err)
	}
	points, err := kept.Points()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sweeps.ParseRun(points[0].Config.TOML()); err != nil {
		t.Errorf("the configuration of a run that there is: %v", err)
	}
	recipe := "name = \"x\"\ntokenizer = \"builtin:demo\"\n[model]\narchitecture = \"bert\"\nhidden = 8\nlayers = 1\nheads = 2\nintermediate = 8\n[data]\ntext = \"builtin:demo\"\n[train]\nsteps = 1\nlr = 1e39\n"
	if _, err := sweeps.ParseRecipe("r.toml", []byte(recipe)); err == nil || !strings.HasPrefix(err.Error(), "r.toml: train.lr = 1e+39: out of range: infinite in float32") {
		t.Errorf("a recipe with train.lr = 1e39: %v", err)
	}
}

// A fault between several keys names the place of the value that it shows.
func TestAFaultBetweenKeysNamesTheSourceOfItsValue(t *testing.T) {
	text := []byte("name = \"x\"\n[model]\nbackbone = \"org/name\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 10\nbatch = 8\nmicro_batch = 3\n")
	for _, c := range []struct{ override, want string }{
		{"seed=1", "x.toml: train.micro_batch = 3: does not divide train.batch = 8"},
		{"train.micro_batch=5", "command line: train.micro_batch = 5: does not divide train.batch = 8"},
		{"stability.no_progress.low=2", "command line: stability.no_progress.low = 2.0: is not below"},
	} {
		if _, err := sweeps.Parse("x.toml", text, c.override); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %s: %v, want %q", c.override, err, c.want)
		}
	}
}

func TestANumberTooLargeForTOMLIsCalledThat(t *testing.T) {
	text := []byte("name = \"x\"\n[model]\nbackbone = \"org/name\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 10\n")
	for override, want := range map[string]string{
		"train.steps=99999999999999999999": "integer beyond 64 bits",
		"seed=18446744073709551615":        "integer beyond 64 bits",
		"train.lr=1e400":                   "number beyond float64",
		"train.steps=many":                 "is not a TOML value",
	} {
		if _, err := sweeps.Parse("x.toml", text, override); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", override, err, want)
		}
	}
}
