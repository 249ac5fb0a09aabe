package worker_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// alter changes a file and gives what puts it back.
func alter(t *testing.T, path string, change func(text string) string) (back func()) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.WriteFile(path, text, 0o644), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
			t.Fatal(err)
		}
	}
}

func more(text string) string { return text + "\n" }

// refused wants an error of changed files that says all of the texts.
func refused(t *testing.T, err error, says ...string) {
	t.Helper()
	if !errors.Is(err, worker.ErrChanged) {
		t.Fatalf("got %v", err)
	}
	for _, text := range append(says, "sha256:", "put back what was there, or run the sweep again") {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}

// A run starts from the inputs that are in its id: other inputs would give another run's result under its name.
func TestARunRefusesInputsThatChangedSinceItWasPlanned(t *testing.T) {
	b := newBench(t, "bert")
	rows := filepath.Join(b.data, "rows.jsonl")
	var text strings.Builder
	for _, pair := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		text.WriteString(`{"query":"query ` + pair + `","positive":"text ` + pair + `"}` + "\n")
	}
	if err := os.WriteFile(rows, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file   string
		change func(string) string
		edit   func(*sweeps.RunConfig)
		says   []string
	}{
		"documents": {b.data + "/corpus.jsonl", more, nil, []string{"data.train = ", b.data + " (corpus, queries, qrels/train)"}},
		"a row":     {b.data + "/qrels/train.tsv", func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] }, nil, []string{"data.train = "}},
		"a file's row": {rows, func(s string) string { return strings.Replace(s, "text 3", "text 4", 1) },
			func(c *sweeps.RunConfig) { c.Data.Train = rows }, []string{"data.train = ", rows}},
		"the weights":   {b.backbone + "/model.safetensors", func(s string) string { return s[:len(s)-1] + "\x01" }, nil, []string{"model.backbone = ", b.backbone}},
		"the model":     {b.backbone + "/config.json", more, nil, []string{"model.backbone = ", "config.json"}},
		"the tokenizer": {b.backbone + "/tokenizer.json", more, nil, []string{"model.backbone = ", "tokenizer.json"}},
		"dev data that choose": {b.data + "/qrels/dev.tsv", func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] },
			func(c *sweeps.RunConfig) {
				c.Evaluate.During, c.Evaluate.Every, c.Checkpoint.Select = []string{b.data}, 2, "best"
			}, []string{"evaluate.during = ", "qrels/dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := b.config(func(c *sweeps.RunConfig) {
				c.Train.Steps, c.Train.Batch, c.Evaluate.Final = 3, 4, nil
			})
			if c.edit != nil {
				c.edit(&cfg)
			}
			id := b.prepare(t, cfg)
			in := b.inputs(t, cfg)
			expected := map[string]string{"data.train": in.Data, "evaluate.during": in.During, "model.backbone": in.Weights}[strings.Fields(c.says[0])[0]]
			if name == "the tokenizer" {
				expected = in.Tokenizer
			}
			back := alter(t, c.file, c.change)
			defer back()
			err := b.run(t, id, io.Discard)
			refused(t, err, append(c.says, expected)...)
			attempts, _ := event.Attempts(b.files.Run(id))
			records := b.events(t, id, attempts[len(attempts)-1])
			if ended := last[event.Ended](t, records); ended.State != event.StateFailed || !strings.Contains(ended.Error, "changed since it was planned") {
				t.Errorf("ended as %+v", ended)
			}
			for _, r := range records {
				if s, ok := r.Event.(event.Step); ok {
					t.Fatalf("step %d was trained", s.Step)
				}
			}
		})
	}
}

// Between an attempt and the next nobody plans the run's steps again: the data are looked
// at again, and put back they lead to the same weights.
func TestAResumedRunRefusesOtherData(t *testing.T) {
	want, _ := undisturbed(t, "bert")
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(every(3)))
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("interrupted run ended with %v", err)
	}
	back := alter(t, filepath.Join(b.data, "queries.jsonl"), more)
	refused(t, b.run(t, id, io.Discard), "data.train = ")
	back()
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := last[event.Ended](t, b.events(t, id, 3)).Weights; got != want {
		t.Errorf("weights %s, undisturbed %s", got, want)
	}
}

// Training data that a run has no more use for may go.
func TestATrainedRunIsMeasuredWithoutItsTrainingData(t *testing.T) {
	b := newBench(t, "bert")
	rows := filepath.Join(t.TempDir(), "rows.tsv")
	if err := os.WriteFile(rows, []byte("query\tpositive\na\tb\nc\td\ne\tf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := b.config(func(c *sweeps.RunConfig) {
		c.Train.Steps, c.Train.Batch, c.Data.Train, c.Evaluate.Final = 2, 2, rows, nil
	})
	id := b.prepare(t, cfg)
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	cfg.Evaluate.Final = []string{b.data}
	b.prepare(t, cfg)
	if err := os.Remove(rows); err != nil {
		t.Fatal(err)
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	last[event.Evaluated](t, b.events(t, id, 2))
}

func TestARecipeRefusesOtherTextsAndAnotherTokenizer(t *testing.T) {
	b := newBench(t, "bert")
	for file, says := range map[string]string{
		filepath.Join(b.data, "corpus.jsonl"):       `data.text = "` + b.data,
		filepath.Join(b.backbone, "tokenizer.json"): `tokenizer = "` + b.backbone,
	} {
		id := b.recipe(t, "bert", nil)
		back := alter(t, file, more)
		refused(t, worker.Run(t.Context(), b.job(worker.KindPretrain, id), io.Discard), says)
		back()
	}
	id := b.recipe(t, "bert", nil)
	if err := worker.Run(t.Context(), b.job(worker.KindPretrain, id), io.Discard); err != nil {
		t.Errorf("put back: %v", err)
	}
}

func TestABaselineRefusesOtherDataAndAnotherBackbone(t *testing.T) {
	b := newBench(t, "bert")
	cfg := b.config(nil)
	in := b.inputs(t, cfg)
	digest, err := b.resolver.DigestCollection(b.data, plan.FinalSplit)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []plan.Evaluation{
		plan.BM25Evaluation(b.files.Root, cfg, b.data, plan.FinalSplit, digest),
		plan.UntrainedEvaluation(b.files.Root, cfg, in, b.data, plan.FinalSplit, digest),
	} {
		request := record.Baseline{ID: e.ID, Name: e.Name, Dataset: e.Dataset, Split: e.Split, Backbone: e.Backbone, Inputs: e.Inputs}
		if err := b.files.WriteBaseline(request, e.Config); err != nil {
			t.Fatal(err)
		}
		run := func() error { return worker.Run(t.Context(), b.job(worker.KindBaseline, e.ID), io.Discard) }
		back := alter(t, filepath.Join(b.data, "qrels", "test.tsv"), more)
		refused(t, run(), "evaluate.final = ", "qrels/test")
		back()
		if e.Name == sweeps.Untrained {
			back := alter(t, filepath.Join(b.backbone, "tokenizer.json"), more)
			refused(t, run(), "model.backbone = ")
			back()
		}
		if err := run(); err != nil {
			t.Errorf("%s, put back: %v", e.Name, err)
		}
	}
}
