package sweeps_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"headroom/sweeps"
)

const recipe = `
name = "tiny"
tokenizer = "builtin:demo"
[model]
architecture = "bert"
hidden = 8
layers = 1
heads = 2
intermediate = 16
[data]
text = "builtin:demo"
[train]
steps = 10
`

const warm = `
name = "warm"
[start]
folder = "data:checkpoints/x"
head = "new"
[data]
text = ["data:a", "data:b"]
[train]
steps = 10
`

func parseRecipe(t *testing.T, text string) sweeps.Recipe {
	t.Helper()
	r, err := sweeps.ParseRecipe("r.toml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return *r
}

func TestARecipesDefaults(t *testing.T) {
	r := parseRecipe(t, recipe)
	want := sweeps.RecipeDefaults()
	want.Name, want.Tokenizer, want.Data.Text, want.Train.Steps = "tiny", "builtin:demo", sweeps.References{"builtin:demo"}, 10
	want.Model.Architecture, want.Model.Hidden, want.Model.Layers, want.Model.Heads, want.Model.Intermediate = "bert", 8, 1, 2, 16
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v\nwant %+v", r, want)
	}
	w := parseRecipe(t, warm)
	if w.Model.Hidden != 0 || w.Model.Positions != 0 || len(w.Data.Text) != 2 {
		t.Errorf("a warm start leaves its shape to the checkpoint: %+v", w)
	}
}

func TestARecipesTextReadsBack(t *testing.T) {
	for _, text := range []string{recipe, warm, recipe + "lr = 3e-3\nbeta2 = 0.98\n[mask]\nshare = 0.3\nmask = 0.5\nkeep = 0.4\n"} {
		r := parseRecipe(t, text)
		again, err := sweeps.ParseRecipe("again", r.TOML())
		if text == warm {
			// A zero of the shape is written too and means the same.
			if err != nil || !reflect.DeepEqual(*again, r) {
				t.Errorf("%v\n%s", err, r.TOML())
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(*again, r) {
			t.Errorf("%v: %+v", err, again)
		}
	}
}

func TestEveryKeyOfARecipeIsInItsID(t *testing.T) {
	in := sweeps.Inputs{Weights: "a", Tokenizer: "b", Data: "c"}
	first := sweeps.RecipeID(parseRecipe(t, recipe), in)
	seen := map[sweeps.ID]string{first: "the recipe"}
	for _, change := range []string{
		`name = "tiny"|name = "other"`, `name = "tiny"|name = "tiny"` + "\nseed = 2", `"bert"|"modernbert"`, "hidden = 8|hidden = 16",
		"layers = 1|layers = 2", "heads = 2|heads = 4", "intermediate = 16|intermediate = 32", "[data]|positions = 256\n[data]",
		"[data]|local_attention = 64\n[data]", "[data]|global_every = 2\n[data]", "[data]|tie = false\n[data]",
		"[data]|init_std = 0.1\n[data]", "[data]|dropout = 0.1\n[data]", "[train]|extra_texts = 5\n[train]",
		"[train]|extra_texts = 5\nextra_query_share = 0.5\n[train]", "[train]|max_length = 64\n[train]",
		"[train]|[mask]\nshare = 0.3\n[train]", "[train]|[mask]\nmask = 0.7\nkeep = 0.2\n[train]",
		"[train]|[mask]\nrandom = 0.0\nkeep = 0.2\n[train]", "steps = 10|steps = 11", "steps = 10|steps = 10\nbatch = 8",
		"steps = 10|steps = 10\nlr = 1.0", "steps = 10|steps = 10\nschedule = 'constant'", "steps = 10|steps = 10\nwarmup = 0.0",
		"steps = 10|steps = 10\nclip = 0", "steps = 10|steps = 10\nweight_decay = 0", "steps = 10|steps = 10\nbeta1 = 0.8", "steps = 10|steps = 10\nflops = 0.1",
		"steps = 10|steps = 10\nbeta2 = 0.98", "steps = 10|steps = 10\nprecision = 'bfloat16'",
	} {
		old, new, _ := strings.Cut(change, "|")
		id := sweeps.RecipeID(parseRecipe(t, strings.Replace(recipe, old, new, 1)), in)
		if twin := seen[id]; twin != "" {
			t.Errorf("%q has the id of %s", change, twin)
		}
		seen[id] = change
	}
	for _, other := range []sweeps.Inputs{{Weights: "x", Tokenizer: "b", Data: "c"}, {Weights: "a", Tokenizer: "x", Data: "c"}, {Weights: "a", Tokenizer: "b", Data: "x"}} {
		if id := sweeps.RecipeID(parseRecipe(t, recipe), other); seen[id] != "" {
			t.Errorf("inputs %+v do not enter the id", other)
		}
	}
	moved := strings.Replace(recipe, `tokenizer = "builtin:demo"`, `tokenizer = "./elsewhere"`, 1)
	if sweeps.RecipeID(parseRecipe(t, moved), in) != first {
		t.Error("a path enters the id beside its digest")
	}
}

func TestEveryFaultOfARecipeIsReportedAtOnce(t *testing.T) {
	text := `
Name = "x"
seed = 1.5
[model]
architecture = "roberta"
hidden = 10
heads = 3
hiden = 3
[start]
head = "new"
[data]
text = []
extra_query_share = 0.5
max_length = 1000
[mask]
mask = 0.9
share = nan
[train]
precision = "float16"
`
	_, err := sweeps.ParseRecipe("recipe.toml", []byte(text))
	if err == nil {
		t.Fatal("accepted")
	}
	golden(t, "recipe.golden", err.Error()+"\n")
	for name, broken := range map[string]string{
		"a recipe as start":     strings.Replace(warm, "data:checkpoints/x", "recipe:x", 1),
		"an empty text list":    strings.Replace(warm, `["data:a", "data:b"]`, "[]", 1),
		"a text twice":          strings.Replace(warm, `"data:b"`, `"data:a"`, 1),
		"a number as text":      strings.Replace(warm, `"data:b"`, "3", 1),
		"extra texts elsewhere": strings.Replace(warm, "[train]", "extra_texts = 4\n[train]", 1),
		"an axis":               recipe + "[grid]\nseed = [1]\n",
	} {
		_, err := sweeps.ParseRecipe("r", []byte(broken))
		var faults sweeps.Faults
		if !errors.As(err, &faults) || len(faults) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
