package plan_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/source"
	"headroom/metrics/event"
	"headroom/runner/plan"
	"headroom/sweeps"
)

func TestTheIDDoesNotDependOnWhereFilesLie(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	if x, y := a.must(t, sweep).Runs[0].ID, b.must(t, sweep).Runs[0].ID; x != y {
		t.Errorf("the same files in two places: %s, %s", x, y)
	}
	write(t, filepath.Join(b.root, "model", "config.json"), `{"model_type":"bert","max_position_embeddings":32,"x":1}`)
	if x, y := a.must(t, sweep).Runs[0].ID, b.must(t, sweep).Runs[0].ID; x == y {
		t.Error("another configuration has the same id")
	}
}

// A backbone in bfloat16 is made where runs are computed: on the Go backend that is a
// fault, until it has been made elsewhere.
func TestARecipeInBFloat16IsRefusedOnTheGoBackend(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe + "precision = \"bfloat16\"\n"
	p := w.must(t, sweep, "model.backbone=recipe:small")
	if len(p.Recipes) != 1 || p.Count(plan.Unresolved) != 4 {
		t.Errorf("on some backend: %+v", p.Runs)
	}
	_, err := w.make(t, sweep, "model.backbone=recipe:small", "compute.backend=go")
	var faults sweeps.Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Key != "compute.backend" || !strings.Contains(err.Error(), "recipe:small is pretrained in bfloat16") {
		t.Errorf("on the Go backend: %v", err)
	}
	w.model(t, p.Recipes[0].Folder)
	w.must(t, sweep, "model.backbone=recipe:small", "compute.backend=go")
}

func TestARecipeIsIdentifiedBeforeItIsMade(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe
	p := w.must(t, sweep, "model.backbone=recipe:small")
	if len(p.Recipes) != 1 || p.Recipes[0].State != plan.New || !p.Recipes[0].ID.Valid() {
		t.Fatalf("recipes %+v", p.Recipes)
	}
	row := p.Recipes[0]
	if !filepath.IsAbs(row.Recipe.Tokenizer) || !filepath.IsAbs(row.Recipe.Data.Text[0]) {
		t.Errorf("references are not absolute: %+v", row.Recipe)
	}
	for _, run := range p.Runs {
		if run.State != plan.Unresolved || run.Needs != row.ID || run.Inputs.Weights != "recipe:"+string(row.ID) || !strings.Contains(run.Why, "small") {
			t.Errorf("%+v", run)
		}
	}
	for _, e := range p.Evaluations {
		if e.Name == sweeps.Untrained && (e.State != plan.Unresolved || e.Needs != row.ID || e.ID == "") {
			t.Errorf("%+v", e)
		}
	}
	// While it is made it is known to be.
	attempt(t, row.Folder+plan.WorkSuffix, event.Started{}, event.Step{Step: 5, Values: map[string]event.Value{"loss": 1}})
	if again := w.must(t, sweep, "model.backbone=recipe:small").Recipes[0]; again.State != plan.Interrupted {
		t.Errorf("%s: %s", again.State, again.Why)
	}
	w.model(t, row.Folder)
	made := w.must(t, sweep, "model.backbone=recipe:small")
	if made.Recipes[0].State != plan.Done || made.Count(plan.New) != 4 {
		t.Fatalf("after it is made: %+v", made.Recipes)
	}
	for i, run := range made.Runs {
		if run.ID != p.Runs[i].ID || run.Needs != "" {
			t.Errorf("the id changed, or it still needs something: %+v", run)
		}
	}
	// Another recipe of that name is another backbone.
	w.recipes["small"] = strings.Replace(recipe, "steps = 10", "steps = 11", 1)
	changed := w.must(t, sweep, "model.backbone=recipe:small")
	if changed.Recipes[0].State != plan.New || changed.Runs[0].ID == p.Runs[0].ID {
		t.Errorf("%+v", changed.Recipes)
	}
}

func TestOneRecipeAlone(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe
	row, err := plan.Backbone(context.Background(), w.options, "small")
	if err != nil || row.State != plan.New || row.ID != w.must(t, sweep, "model.backbone=recipe:small").Recipes[0].ID {
		t.Errorf("%+v, %v", row, err)
	}
	w.recipes["lost"] = strings.NewReplacer(`"small"`, `"lost"`, "./tiny", "other:gone").Replace(recipe)
	if _, err := plan.Backbone(context.Background(), w.options, "lost"); !errors.Is(err, source.ErrUnresolved) {
		t.Errorf("data that is only absent: %v", err)
	}
	w.recipes["bad"] = strings.NewReplacer(`"small"`, `"bad"`, "./tiny", "./gone").Replace(recipe)
	var faults sweeps.Faults
	if _, err := plan.Backbone(context.Background(), w.options, "bad"); !errors.As(err, &faults) {
		t.Errorf("data that is missing: %v", err)
	}
}

func TestWhatMayStillComeIsUnresolved(t *testing.T) {
	w := newWorld(t)
	for arg, says := range map[string]string{
		"model.backbone=answerdotai/ModernBERT-base": "hub",
		"data.train=beir:scifact":                    filepath.Join("data", "beir", "scifact"),
	} {
		p := w.must(t, sweep, arg)
		for _, run := range p.Runs {
			if run.State != plan.Unresolved || run.ID != "" || !strings.Contains(run.Why, says) || strings.HasSuffix(run.Label, "-") {
				t.Errorf("%s: %+v", arg, run)
			}
		}
	}
	p := w.must(t, sweep, "evaluate.final=['beir:scifact', './tiny']")
	states := map[plan.State]int{}
	for _, e := range p.Evaluations {
		states[e.State]++
	}
	if p.Count(plan.New) != 4 || states[plan.Unresolved] != 6 || states[plan.New] != 6 {
		t.Errorf("%d new runs, evaluations %v", p.Count(plan.New), states)
	}
}

// A row that lacks data must not look as if making its backbone were enough:
// `run` refuses what is unresolved and needs no recipe.
func TestARecipeIsNotAllThatMissingDataNeeds(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe
	for _, run := range w.must(t, sweep, "model.backbone=recipe:small", "data.train=beir:scifact").Runs {
		if run.State != plan.Unresolved || run.Needs != "" || !strings.Contains(run.Why, "recipe small") || !strings.Contains(run.Why, "beir") {
			t.Errorf("%+v", run)
		}
	}
	p := w.must(t, sweep, "model.backbone=recipe:small", "evaluate.final=['beir:scifact']")
	for _, run := range p.Runs {
		if run.Needs == "" {
			t.Errorf("nothing but the backbone is missing: %+v", run)
		}
	}
	for _, e := range p.Evaluations {
		if e.State != plan.Unresolved || e.Needs != "" || !strings.Contains(e.Why, "beir") {
			t.Errorf("%+v", e)
		}
	}
}

func TestAllThatIsWrongWithTheInputsIsSaidAtOnce(t *testing.T) {
	w := newWorld(t)
	w.recipes["other"] = recipe // calls itself small
	w.recipes["broken"] = strings.Replace(recipe, "hidden = 8", "hiden = 8", 1)
	text := `
name = "wrong"
[grid]
"model.backbone" = ["./nowhere", "data:none", "recipe:unknown", "recipe:other", "recipe:broken", "a/b/c", "./model"]
[data]
train = "./tiny"
max_query = 64
[train]
steps = 10
batch = 4
[evaluate]
final = ["./tiny", "./gone", "builtin:none"]
`
	_, err := w.make(t, text)
	var faults sweeps.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	all := err.Error()
	for _, says := range []string{
		filepath.Join(w.root, "nowhere"), filepath.Join(w.root, "data", "none"), `no recipe "unknown"`, `calls itself "small"`, "model.hiden",
		"a hub name has one slash", "train.batch = 4: larger than the data", "data.max_query = 64: longer than the 32 positions",
		"data.max_document = 256: longer than the 32 positions", filepath.Join(w.root, "gone"), `no built-in collection "none"`,
	} {
		if !strings.Contains(all, says) {
			t.Errorf("nothing says %q", says)
		}
	}
	if _, err := os.Stat(w.workspace); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
	if t.Failed() {
		t.Logf("\n%s", all)
	}
}

func TestBadFilesAreFoundBeforeAnyCompute(t *testing.T) {
	for file, c := range map[string]struct{ text, says string }{
		"tiny/corpus.jsonl":       {"{\"_id\":\"d0\"\n", "corpus.jsonl:1"},
		"tiny/qrels/test.tsv":     {"query-id\tcorpus-id\tscore\nq0\td0\t0\n", "grade above 0"},
		"model/config.json":       {"{", "config.json"},
		"model/tokenizer.json":    {"{}", "tokenizer.json"},
		"model/model.safetensors": {"\xff\xff\xff\xff\xff\xff\xff\xff", "model.safetensors"},
	} {
		t.Run(file, func(t *testing.T) {
			w := newWorld(t)
			write(t, filepath.Join(w.root, file), c.text)
			_, err := w.make(t, sweep)
			var faults sweeps.Faults
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a fault that says %q", err, c.says)
			}
		})
	}
}

func TestTwoNamesOfOneModelAreOneRunTwice(t *testing.T) {
	w := newWorld(t)
	w.model(t, filepath.Join(w.root, "copy"))
	for tables, says := range map[string]string{
		"[[include]]\n\"model.rescale\" = [1]\n\"seed\" = [1]\n\"model.backbone\" = \"./copy\"\n":                                           `tiny.toml: [grid] and [[include]] 1: two points are the same run`,
		"[[zip]]\n\"train.lr\" = [1e-3, 1e-3]\n\"model.target\" = [\"decoder\", \"decoder\"]\n\"data.train\" = [\"./tiny\", \"./tiny/\"]\n": `tiny.toml: [grid] × [[zip]] 1: two points are the same run`,
	} {
		text := sweep
		if strings.Contains(tables, "data.train") {
			text = strings.Replace(sweep, `train = "./tiny"`, "", 1)
		}
		_, err := w.make(t, text+tables)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", tables, err, says)
		}
	}
	_, err := w.make(t, sweep, "model.backbone=['./model', './copy']")
	if err == nil || !strings.Contains(err.Error(), `model.backbone = "./model", and model.backbone = "./copy": they hold the same files`) {
		t.Errorf("got %v", err)
	}
}

func TestRecipesAreReadBesideTheSweepThenFromTheProgram(t *testing.T) {
	folder := t.TempDir()
	embedded := func(name string) (string, []byte, error) {
		if name != "small" {
			return "", nil, errors.New("not embedded")
		}
		return "experiments/backbones/small.toml", []byte(recipe), nil
	}
	read := plan.Recipes(filepath.Join(folder, "sweep.toml"), embedded)
	if r, err := read("small"); err != nil || r.Train.Steps != 10 {
		t.Errorf("embedded: %v", err)
	}
	write(t, filepath.Join(folder, "backbones", "small.toml"), strings.Replace(recipe, "steps = 10", "steps = 20", 1))
	if r, err := read("small"); err != nil || r.Train.Steps != 20 {
		t.Errorf("beside the sweep: %v", err)
	}
	if _, err := read("none"); err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "backbones", "none.toml")) {
		t.Errorf("none: %v", err)
	}
}
