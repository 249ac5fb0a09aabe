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
	"sync"
	"testing"

	"headroom/data/source"
	"headroom/metrics/event"
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
	var corpus, queries, qrels, train strings.Builder
	qrels.WriteString("query-id\tcorpus-id\tscore\n")
	train.WriteString(qrels.String())
	for i := range pairs {
		fmt.Fprintf(&corpus, "{\"_id\":\"d%d\",\"text\":\"text %d\"}\n", i, i)
		fmt.Fprintf(&queries, "{\"_id\":\"q%d\",\"text\":\"query %d\"}\n", i, i)
		fmt.Fprintf(&queries, "{\"_id\":\"t%d\",\"text\":\"asked in training %d\"}\n", i, i)
		fmt.Fprintf(&qrels, "q%d\td%d\t1\n", i, i)
		fmt.Fprintf(&train, "t%d\td%d\t1\n", i, i)
	}
	folder := filepath.Join(w.root, name)
	write(t, filepath.Join(folder, "corpus.jsonl"), corpus.String())
	write(t, filepath.Join(folder, "queries.jsonl"), queries.String())
	write(t, filepath.Join(folder, "qrels", "train.tsv"), train.String())
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
	for _, run := range p.Runs {
		planned.Store(run.Folder, run)
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
	if last := len(events) - 1; last >= 0 {
		if ended, ok := events[last].(event.Ended); ok && ended.State == event.StateDone {
			begun(t, folder)
		}
	}
}

// planned has the runs of all plans that must made, by their folders.
var planned sync.Map

// begun writes what a run's folder holds before its first attempt, if it is not there.
func begun(t *testing.T, folder string) {
	t.Helper()
	files := map[string]string{"provenance.json": "{}"}
	if run, known := planned.Load(folder); known {
		inputs, err := json.Marshal(run.(plan.Run).Inputs)
		if err != nil {
			t.Fatal(err)
		}
		files["config.toml"], files["inputs.json"] = string(run.(plan.Run).Config.TOML()), string(inputs)
	}
	for name, text := range files {
		if path := filepath.Join(folder, name); !exists(path) {
			write(t, path, text)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func done(verdict string, seconds float64) []event.Event {
	return []event.Event{
		event.Started{Steps: 10}, event.Step{Step: 9, Values: map[string]event.Value{"loss": 1}},
		event.Judged{Verdict: verdict}, event.Ended{State: event.StateDone, Step: 10, Seconds: seconds, Model: event.ModelNone},
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
