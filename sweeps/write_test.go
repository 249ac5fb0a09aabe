package sweeps_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"headroom/sweeps"
)

// Random configurations survive their own text, and equal ones have equal ids.
func TestARunsTextReadsBackToTheSameRun(t *testing.T) {
	other := otherValues()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var args []string
		for _, key := range sweeps.Keys() {
			value, ok := other[key]
			if !ok || random.IntN(2) == 0 && key != "data.negatives" { // which distillation needs
				continue
			}
			switch key {
			case "train.warmup", "regularizer.ramp":
				continue // have another way beside them
			case "loss.hardness_strength":
				continue // comes with loss.hardness
			case "loss.hardness":
				args = append(args, "loss.hardness_strength=3")
			case "evaluate.full":
				args = append(args, acting(key)...)
			}
			args = append(args, key+"="+value)
		}
		run := only(t, base, args...)
		again, err := sweeps.ParseRun(run.TOML())
		if err != nil {
			t.Fatalf("%v\n%s", err, run.TOML())
		}
		if d := sweeps.Diff(run, again); len(d) != 0 || !reflect.DeepEqual(run, again) {
			t.Fatalf("%q: %v", args, d)
		}
		if sweeps.RunID(run, inputs()) != sweeps.RunID(again, inputs()) {
			t.Fatalf("%q: ids differ", args)
		}
	}
	strange := only(t, base, `model.backbone='./a"b\c'`, `data.train="./tab\u0041é"`)
	if again, err := sweeps.ParseRun(strange.TOML()); err != nil || again.Model.Backbone != `./a"b\c` || again.Data.Train != "./tabAé" {
		t.Errorf("quoting: %q, %v", again.Model.Backbone, err)
	}
}

func TestParseRunIsAsStrictAsASweep(t *testing.T) {
	text := string(only(t, base).TOML())
	for name, broken := range map[string]string{
		"an unknown key":  text + "\n[new]\nx = 1\n",
		"a bad value":     strings.Replace(text, "batch = 32", "batch = 0", 1),
		"a missing key":   strings.Replace(text, "steps = 100", "", 1),
		"a grid":          text + "\n[grid]\nseed = [1]\n",
		"no TOML":         "[",
		"a later feature": strings.Replace(text, `kind = "infonce"`, `kind = "kl"`, 1),
		"a contradiction": strings.Replace(text, "warmup = 0.1", "warmup_steps = 101", 1),
	} {
		if _, err := sweeps.ParseRun([]byte(broken)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestJSONIsNestedAndWhole(t *testing.T) {
	run := only(t, base, "model.rescale=0.125", "train.warmup_steps=3")
	text, err := json.Marshal(map[string]any{"config": run})
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Config struct {
			Seed  int64
			Model struct {
				Rescale any
				Dropout *float64
			}
			Train struct {
				LR          float64
				WarmupSteps int `json:"warmup_steps"`
			}
			Evaluate struct{ Measures []string }
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	c := read.Config
	if c.Seed != 1 || c.Model.Rescale != 0.125 || c.Model.Dropout != nil || c.Train.LR != 2e-5 || c.Train.WarmupSteps != 3 || len(c.Evaluate.Measures) != 3 {
		t.Errorf("%+v", c)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	for _, key := range sweeps.Keys() {
		at := tree["config"]
		for _, part := range strings.Split(key, ".") {
			table, ok := at.(map[string]any)
			value, there := table[part]
			if !ok || !there {
				t.Errorf("%s is missing", key)
				break
			}
			at = value
		}
	}
}
