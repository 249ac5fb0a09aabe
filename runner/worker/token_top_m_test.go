package worker_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// The exported folder gives the vectors that the run was measured with: its loader obeys
// the key, and without the key the vectors are others.
func TestAnExportKeepsTheTopMPerToken(t *testing.T) {
	b := newBench(t, "bert")
	cfg := b.config(func(c *sweeps.RunConfig) {
		c.Train.Steps, c.Evaluate.Final, c.Evaluate.Baselines = 3, []string{b.data}, nil
		c.Model.TokenTopM, c.Model.Rescale, c.Model.Target = 2, sweeps.Rescale{K: 4}, "logits"
	})
	id := b.prepare(t, cfg)
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	digest, err := b.resolver.DigestCollection(b.data, plan.FinalSplit)
	if err != nil {
		t.Fatal(err)
	}
	run, err := record.ReadEvaluation(plan.RunEvaluation(b.files.Root, sweeps.ID(id), cfg, b.data, plan.FinalSplit, digest).Folder)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(b.files.Run(id), "model")
	text := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if !strings.Contains(text("README.md"), "each token keeps its 2 greatest logits") {
		t.Errorf("the card is %s", text("README.md"))
	}
	active := func() float64 {
		e, err := evaluate.OpenEncoder(t.Context(), folder, evaluate.EncoderOptions{Backend: "go", Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		c, err := collection.Open(b.data)
		if err != nil {
			t.Fatal(err)
		}
		summary, err := evaluate.OnCollection(t.Context(), e, c, evaluate.CollectionOptions{Dataset: b.data, MaxQuery: cfg.Data.MaxQuery, MaxDocument: cfg.Data.MaxDocument})
		if err != nil {
			t.Fatal(err)
		}
		return float64(*summary.ActiveDocument)
	}
	if got := active(); got != float64(*run.ActiveDocument) {
		t.Errorf("documents have %v terms, the run was measured with %v", got, *run.ActiveDocument)
	}
	config := strings.Replace(text("config_sentence_transformers.json"), `"headroom_token_top_m": 2,`, "", 1)
	if err := os.WriteFile(filepath.Join(folder, "config_sentence_transformers.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := active(); !(got > float64(*run.ActiveDocument)) {
		t.Errorf("without the key documents have %v terms", got)
	}
}
