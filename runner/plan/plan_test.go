package plan_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
	"headroom/experiments"
	"headroom/metrics/event"
	"headroom/metrics/ir"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// world is a folder with a model, a collection, recipes and a workspace.
type world struct {
	root, workspace string
	recipes         map[string]string
	options         plan.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{root: t.TempDir(), recipes: map[string]string{}}
	w.workspace = filepath.Join(w.root, "ws")
	w.collection(t, "tiny", 3)
	w.model(t, filepath.Join(w.root, "model"))
	w.options = plan.Options{
		Workspace: w.workspace,
		Resolver:  &source.Resolver{Base: w.root, CacheDir: filepath.Join(w.root, "cache"), DataRoot: filepath.Join(w.root, "data"), HubCache: filepath.Join(w.root, "hub")},
		Recipe: func(name string) (*sweeps.Recipe, error) {
			text, ok := w.recipes[name]
			if !ok {
				return nil, fmt.Errorf("no recipe %q", name)
			}
			return sweeps.ParseRecipe(name+".toml", []byte(text))
		},
	}
	return w
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *world) collection(t *testing.T, name string, pairs int) {
	t.Helper()
	var corpus, queries, qrels strings.Builder
	qrels.WriteString("query-id\tcorpus-id\tscore\n")
	for i := range pairs {
		fmt.Fprintf(&corpus, "{\"_id\":\"d%d\",\"text\":\"text %d\"}\n", i, i)
		fmt.Fprintf(&queries, "{\"_id\":\"q%d\",\"text\":\"query %d\"}\n", i, i)
		fmt.Fprintf(&qrels, "q%d\td%d\t1\n", i, i)
	}
	folder := filepath.Join(w.root, name)
	write(t, filepath.Join(folder, "corpus.jsonl"), corpus.String())
	write(t, filepath.Join(folder, "queries.jsonl"), queries.String())
	write(t, filepath.Join(folder, "qrels", "train.tsv"), qrels.String())
	write(t, filepath.Join(folder, "qrels", "test.tsv"), qrels.String())
}

func (w *world) model(t *testing.T, folder string) {
	t.Helper()
	write(t, filepath.Join(folder, "config.json"), `{"model_type":"bert","max_position_embeddings":32}`)
	write(t, filepath.Join(folder, "tokenizer.json"), `{"version":"1.0","added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"a":1}}}`)
	header := "{}"
	write(t, filepath.Join(folder, "model.safetensors"), string(binary.LittleEndian.AppendUint64(nil, uint64(len(header))))+header)
}

// sweep is two factors and two seeds over the world's own files.
const sweep = `
name = "tiny"
question = "what?"
[grid]
"model.rescale" = [1, 4]
"seed" = [1, 2]
[model]
backbone = "./model"
[data]
train = "./tiny"
max_query = 8
max_document = 16
[train]
steps = 10
batch = 2
[evaluate]
final = ["./tiny"]
baselines = ["bm25", "untrained"]
`

func (w *world) make(t *testing.T, text string, overrides ...string) (*plan.Plan, error) {
	t.Helper()
	spec, err := sweeps.Parse("tiny.toml", []byte(text), overrides...)
	if err != nil {
		t.Fatalf("parse:\n%v", err)
	}
	o := w.options
	o.Spec = spec
	return plan.Make(context.Background(), o)
}

func (w *world) must(t *testing.T, text string, overrides ...string) *plan.Plan {
	t.Helper()
	p, err := w.make(t, text, overrides...)
	if err != nil {
		t.Fatalf("plan:\n%v", err)
	}
	return p
}

// attempt writes the log of one attempt at a run.
func attempt(t *testing.T, folder string, events ...event.Event) {
	t.Helper()
	log, err := event.Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := log.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func done(verdict string, seconds float64) []event.Event {
	return []event.Event{
		event.Started{Steps: 10}, event.Step{Step: 9, Values: map[string]event.Value{"loss": 1}},
		event.Judged{Verdict: verdict}, event.Ended{State: event.StateDone, Step: 10, Seconds: seconds},
	}
}

// snapshot lists a tree's files with their sizes and times.
func snapshot(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFreshSweepIsAllNewAndThePlanWritesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, sweep)
	if len(p.Runs) != 4 || p.Count(plan.New) != 4 || p.Idle() {
		t.Fatalf("%+v", p.Runs)
	}
	ids := map[sweeps.ID]bool{}
	for _, run := range p.Runs {
		ids[run.ID] = true
		if !run.ID.Valid() || run.Label != sweeps.Label(run.Config, run.ID) || run.Why == "" || run.Seconds != nil {
			t.Errorf("%+v", run)
		}
		if run.ID != sweeps.RunID(run.Config, run.Inputs) || !strings.HasPrefix(run.Inputs.Weights, "sha256:") {
			t.Errorf("id %s of inputs %+v", run.ID, run.Inputs)
		}
		if !filepath.IsAbs(run.Config.Model.Backbone) || !filepath.IsAbs(run.Config.Data.Train) || !filepath.IsAbs(run.Config.Evaluate.Final[0]) {
			t.Errorf("references are not absolute: %s %s %s", run.Config.Model.Backbone, run.Config.Data.Train, run.Config.Evaluate.Final)
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids", len(ids))
	}
	if _, err := os.Stat(w.workspace); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the workspace exists after planning: %v", err)
	}
	// Four runs, BM25 and one untrained model: two factors share a backbone.
	if len(p.Evaluations) != 6 {
		t.Errorf("%d evaluations", len(p.Evaluations))
	}
}

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

func TestEachStateHasItsFilesAndItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		files func(t *testing.T, folder string)
		want  plan.State
		why   string
	}{
		"nothing": {func(*testing.T, string) {}, plan.New, "not in the workspace"},
		"prepared": {func(t *testing.T, f string) { write(t, filepath.Join(f, "config.toml"), "") },
			plan.Queued, "not begun"},
		"killed": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{Steps: 10}, event.Step{Step: 3, Values: map[string]event.Value{"loss": 1}})
		}, plan.Resume, "attempt 1 was cut short after step 3 of 10"},
		"killed at once": {func(t *testing.T, f string) { attempt(t, f) }, plan.Resume, "attempt 1 was cut short"},
		"killed before its log": {func(t *testing.T, f string) {
			if err := os.MkdirAll(filepath.Join(f, "attempts", "1"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, plan.Resume, "attempt 1 ended before it began"},
		"interrupted": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StateInterrupted, Step: 4})
		}, plan.Resume, "attempt 1 was interrupted at step 4 of 10"},
		"preempted": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StatePreempted, Step: 4})
		}, plan.Resume, "attempt 1 was preempted at step 4 of 10"},
		"failed": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StateFailed, Error: "disk full"})
		}, plan.Failed, "attempt 1 failed: disk full"},
		"failed, then killed": {func(t *testing.T, f string) {
			attempt(t, f, event.Ended{State: event.StateFailed, Error: "x"})
			attempt(t, f, event.Started{})
		}, plan.Resume, "attempt 2 was cut short"},
		"done": {func(t *testing.T, f string) { attempt(t, f, done("healthy", 5)...) }, plan.Done, "finished"},
		"done, then an attempt that evaluates and is cut": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			attempt(t, f, event.Started{FromStep: 10})
		}, plan.Done, "finished"},
		"collapsed":    {func(t *testing.T, f string) { attempt(t, f, done("identical", 5)...) }, plan.Collapsed, "identical"},
		"never judged": {func(t *testing.T, f string) { attempt(t, f, event.Ended{State: event.StateDone}) }, plan.Done, "finished"},
		"a damaged log": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			path := event.Path(f, 1)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text[20] ^= 1
			write(t, path, string(text))
		}, plan.Failed, "events.jsonl:1"},
		"a torn last line": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			path := event.Path(f, 1)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, string(text[:len(text)-3]))
		}, plan.Resume, "was cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.must(t, sweep).Runs[0]
			c.files(t, first.Folder)
			before := snapshot(t, w.workspace)
			again := w.must(t, sweep)
			if run := again.Runs[0]; run.State != c.want || !strings.Contains(run.Why, c.why) {
				t.Errorf("%s: %s; want %s, saying %q", run.State, run.Why, c.want, c.why)
			}
			if again.Count(plan.New) < 3 {
				t.Error("another run is changed too")
			}
			if after := snapshot(t, w.workspace); before != after {
				t.Errorf("the plan changed the workspace:\n%s\n%s", before, after)
			}
		})
	}
}

func TestARunThatALiveProcessHoldsIsRunning(t *testing.T) {
	w := newWorld(t)
	first := w.must(t, sweep).Runs[0]
	attempt(t, first.Folder, event.Started{})
	w.options.Holder = func(folder string) string {
		if folder == first.Folder {
			return "process 7 on here"
		}
		return ""
	}
	if run := w.must(t, sweep).Runs[0]; run.State != plan.Running || !strings.Contains(run.Why, "process 7") {
		t.Errorf("%s: %s", run.State, run.Why)
	}
}

func TestWhatWasDoneUnderEarlierSemanticsIsStale(t *testing.T) {
	w := newWorld(t)
	old := w.must(t, sweep).Runs[0]
	attempt(t, old.Folder, done("healthy", 5)...)
	w.options.Semantics = sweeps.Semantics{"optimizer": 2}
	w.options.Earlier = []sweeps.Semantics{{"optimizer": 1}}
	p := w.must(t, sweep)
	if run := p.Runs[0]; run.State != plan.Stale || !strings.Contains(run.Why, old.ID.Short()) || run.ID == old.ID {
		t.Errorf("%s %s: %s", run.ID.Short(), run.State, run.Why)
	}
	if p.Runs[1].State != plan.New {
		t.Errorf("the next is %s", p.Runs[1].State)
	}
}

const recipe = `
name = "small"
tokenizer = "./model"
[model]
architecture = "bert"
hidden = 8
layers = 1
heads = 2
intermediate = 16
positions = 64
[data]
text = "./tiny"
max_length = 16
[train]
steps = 10
`

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
		if e.Name == plan.Untrained && (e.State != plan.Unresolved || e.Needs != row.ID || e.ID == "") {
			t.Errorf("%+v", e)
		}
	}
	// While it is made it is known to be.
	attempt(t, row.Folder+plan.WorkSuffix, event.Started{}, event.Step{Step: 5, Values: map[string]event.Value{"loss": 1}})
	if again := w.must(t, sweep, "model.backbone=recipe:small").Recipes[0]; again.State != plan.Resume {
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
	w.recipes["lost"] = strings.NewReplacer(`"small"`, `"lost"`, "./tiny", "beir:gone").Replace(recipe)
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
	_, err := w.make(t, sweep, "model.backbone=['./model', './copy']")
	if err == nil || !strings.Contains(err.Error(), "are the same run") {
		t.Errorf("got %v", err)
	}
}

func TestEvaluationsFollowTheirSummaries(t *testing.T) {
	w := newWorld(t)
	for _, run := range w.must(t, sweep).Runs {
		attempt(t, run.Folder, done("healthy", 1)...)
	}
	p := w.must(t, sweep)
	if p.Idle() {
		t.Fatal("evaluations are missing, and the plan is idle")
	}
	for _, e := range p.Evaluations {
		if e.State != plan.New || e.ID == "" {
			t.Errorf("%+v", e)
		}
		write(t, filepath.Join(e.Folder, "summary.json"), `{"measures":{"nDCG@10":0.5,"RR@10":0.5,"R@1000":1}}`)
	}
	if p = w.must(t, sweep); !p.Idle() || p.Seconds == nil || *p.Seconds != 0 {
		t.Errorf("all is there, and the plan is not idle: %+v", p.Evaluations)
	}
	// Another measure needs the ranking measured again, another collection an
	// evaluation, and neither a run.
	more := w.must(t, sweep, "evaluate.measures=['nDCG@10','AP']")
	if more.Count(plan.Done) != 4 || more.Evaluations[0].State != plan.New || more.Evaluations[0].Why != "its summary lacks AP" || more.Evaluations[0].ID != p.Evaluations[0].ID {
		t.Errorf("%+v", more.Evaluations[0])
	}
	w.collection(t, "second", 4)
	if second := w.must(t, sweep, "evaluate.final=['./second']"); second.Count(plan.Done) != 4 || second.Evaluations[0].State != plan.New {
		t.Errorf("%+v", second.Evaluations[0])
	}
	write(t, filepath.Join(p.Evaluations[0].Folder, "summary.json"), "{")
	if e := w.must(t, sweep).Evaluations[0]; e.State != plan.Failed {
		t.Errorf("an unreadable summary: %+v", e)
	}
}

func TestBaselinesAreToldApartByWhatChangesThem(t *testing.T) {
	w := newWorld(t)
	id := func(name string, overrides ...string) string {
		for _, e := range w.must(t, sweep, overrides...).Evaluations {
			if e.Name == name {
				return e.ID
			}
		}
		t.Fatalf("no %s with %q", name, overrides)
		return ""
	}
	if id(plan.BM25) != id(plan.BM25, "data.max_document=8", "train.steps=20") {
		t.Error("BM25 depends on a length or on training")
	}
	if id(plan.Untrained) == id(plan.Untrained, "data.max_document=8") {
		t.Error("the untrained model does not depend on its length")
	}
	if id(plan.Untrained) != id(plan.Untrained, "train.lr=1", "model.tie=keep", "model.rescale=8") {
		t.Error("the untrained model depends on training or k")
	}
	if p := w.must(t, sweep, "evaluate.baselines=[]"); len(p.Evaluations) != 4 {
		t.Errorf("%d evaluations without baselines", len(p.Evaluations))
	}
}

func TestOnlyKeepsWhatMatches(t *testing.T) {
	w := newWorld(t)
	filter := func(text string) []sweeps.Filter {
		f, err := sweeps.ParseOnly(text)
		if err != nil {
			t.Fatal(err)
		}
		return []sweeps.Filter{f}
	}
	w.options.Only = filter("model.rescale=4")
	if p := w.must(t, sweep); len(p.Runs) != 2 {
		t.Errorf("%d runs", len(p.Runs))
	}
	w.options.Only = filter("model.rescale=5")
	if _, err := w.make(t, sweep); err == nil || !strings.Contains(err.Error(), "none of the sweep's 4 runs matches") {
		t.Errorf("got %v", err)
	}
}

func TestSecondsComeFromWhatWasMeasured(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, sweep)
	if p.Seconds != nil || p.Runs[0].Seconds != nil {
		t.Error("something is predicted where nothing was measured")
	}
	attempt(t, p.Runs[0].Folder, done("healthy", 40)...)
	attempt(t, p.Runs[1].Folder, event.Started{}, event.Checkpoint{Step: 5}, event.Ended{State: event.StateInterrupted, Step: 5, Seconds: 20})
	// One that was killed took nobody knows how long.
	attempt(t, p.Runs[2].Folder, event.Started{})
	attempt(t, p.Runs[2].Folder, done("healthy", 1000)...)
	p = w.must(t, sweep)
	var got []float64
	for _, run := range p.Runs {
		got = append(got, *run.Seconds)
	}
	if fmt.Sprint(got) != "[0 20 0 40]" || *p.Seconds != 60 {
		t.Errorf("seconds %v, in all %v", got, *p.Seconds)
	}
	// A sweep of its own takes the rate of the workspace's runs; the killed one
	// does not count, and a run of twice the steps takes twice as long.
	write(t, filepath.Join(p.Runs[0].Folder, "config.toml"), string(p.Runs[0].Config.TOML()))
	other := w.must(t, sweep, "train.steps=20")
	if other.Runs[0].State != plan.New || other.Runs[0].Seconds == nil || *other.Runs[0].Seconds != 80 {
		t.Errorf("%+v", other.Runs[0].Seconds)
	}
}

func TestThePlansJSONIsTheContract(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe
	text, err := json.Marshal(w.must(t, sweep, "model.backbone=['./model', 'recipe:small']"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Schema int
		Sweep  string
		Runs   []map[string]json.RawMessage
		Evals  []map[string]json.RawMessage `json:"evaluations"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if read.Schema != 1 || read.Sweep != "tiny" || len(read.Runs) != 8 {
		t.Fatalf("%s", text)
	}
	for _, key := range []string{"id", "label", "state", "why", "seconds_predicted", "config"} {
		if _, ok := read.Runs[0][key]; !ok {
			t.Errorf("runs lack %q", key)
		}
	}
	for _, key := range []string{"id", "run", "dataset", "split", "state", "why"} {
		if _, ok := read.Evals[0][key]; !ok {
			t.Errorf("evaluations lack %q", key)
		}
	}
	var config struct{ Model struct{ Rescale float64 } }
	if err := json.Unmarshal(read.Runs[0]["config"], &config); err != nil || config.Model.Rescale != 1 {
		t.Errorf("config: %+v, %v", config, err)
	}
}

func TestPlanningFinishedRunsIsQuick(t *testing.T) {
	w := newWorld(t)
	seeds := "seed=[1,2,3,4,5,6,7,8]"
	values := map[string]event.Value{}
	for i := range 20 {
		values[fmt.Sprintf("series/%d", i)] = event.Value(i)
	}
	for i, run := range w.must(t, sweep, seeds).Runs {
		steps := 150
		if i == 0 {
			steps = 20_000 // its end must be found without reading the rest
		}
		events := []event.Event{event.Started{}}
		for s := range steps {
			events = append(events, event.Step{Step: s, Values: values})
		}
		attempt(t, run.Folder, append(events, done("healthy", 3)...)...)
	}
	for _, e := range w.must(t, sweep, seeds).Evaluations {
		write(t, filepath.Join(e.Folder, "summary.json"), `{"measures":{"nDCG@10":0.5,"RR@10":0.5,"R@1000":1}}`)
	}
	begin := time.Now()
	p := w.must(t, sweep, seeds)
	took := time.Since(begin)
	if !p.Idle() || len(p.Runs) != 16 {
		t.Fatalf("%d runs, idle %t", len(p.Runs), p.Idle())
	}
	t.Logf("16 finished runs planned in %v", took)
}

func TestEveryMeasureOfTheSweepLanguageIsKnown(t *testing.T) {
	for _, name := range []string{"nDCG", "nDCG@10", "AP", "AP@100", "P@5", "R@1000", "RR", "RR@10", "Success@1"} {
		if _, err := sweeps.Parse("x", []byte(sweep), fmt.Sprintf("evaluate.measures=[%q]", name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m, err := ir.Parse(name); err != nil || m.String() != name {
			t.Errorf("%s is %s there (%v)", name, m, err)
		}
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

func TestACancelledPlanEnds(t *testing.T) {
	w := newWorld(t)
	spec, err := sweeps.Parse("x", []byte(sweep))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := w.options
	o.Spec = spec
	if _, err := plan.Make(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTheRealSweepsPlanOnRealData(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real data here")
	}
	cache, workspace := t.TempDir(), filepath.Join(t.TempDir(), "ws")
	for name, want := range map[string]struct {
		runs  int
		state plan.State
	}{"scifact-small": {6, plan.New}, "medquad-small": {2, plan.Unresolved}, "rescale": {54, plan.Unresolved}} {
		file, text, err := experiments.Sweep(name)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := sweeps.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Make(context.Background(), plan.Options{
			Spec: spec, Workspace: workspace, Recipe: plan.Recipes(file, experiments.Recipe),
			Resolver: &source.Resolver{DataRoot: root, CacheDir: cache, HubCache: filepath.Join(cache, "hub")},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Runs) != want.runs || p.Count(want.state) != want.runs {
			t.Errorf("%s: %d runs, %d of them %s: %s", name, len(p.Runs), p.Count(want.state), want.state, p.Runs[0].Why)
		}
	}
}
