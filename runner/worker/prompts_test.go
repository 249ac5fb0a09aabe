package worker_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/sweeps"
)

// TestAnExportSaysOfTextsWhatWasTrainedWith: the side of truncation, a case and tokens that files beside the backbone's
// tokenizer.json say are in the exported folder's files, whatever the copied ones would say.
func TestAnExportSaysOfTextsWhatWasTrainedWith(t *testing.T) {
	b := newBench(t, "bert")
	for name, text := range map[string]string{
		"tokenizer_config.json":   `{"tokenizer_class": "PreTrainedTokenizerFast", "truncation_side": "left", "pad_token": "[PAD]", "model_max_length": 20}`,
		"special_tokens_map.json": `{"additional_special_tokens": ["[SEP]"]}`,
	} {
		if err := os.WriteFile(filepath.Join(b.backbone, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	trained, err := tokenize.Open(b.backbone)
	if err != nil {
		t.Fatal(err)
	}
	id := b.prepare(t, b.config(func(c *sweeps.RunConfig) { c.Train.Steps, c.Evaluate.Baselines = 2, nil }))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	exported, err := tokenize.Open(filepath.Join(b.files.Run(id), "model"))
	if err != nil {
		t.Fatal(err)
	}
	if !exported.CutsLeft() || exported.Digest() != trained.Digest() || exported.MaxLength() != 40 || len(exported.Notices()) > 0 {
		t.Errorf("exported: cut on the left %v, digest %s of %s, at %d, notices %q", exported.CutsLeft(), exported.Digest(), trained.Digest(), exported.MaxLength(), exported.Notices())
	}
	if ck, err := hf.Load(filepath.Join(b.files.Run(id), "model"), hf.Options{}); err != nil || len(ck.Notices) > 0 {
		t.Errorf("of the program's own folder is said: %q, %v", ck.Notices, err)
	}
	if ids := exported.Encode("a b c d e f g", 4); len(ids) != 4 || ids[0] != exported.Special().CLS || ids[3] != exported.Special().SEP {
		t.Errorf("ids %v", ids)
	}
}

// TestARunsPromptsAreTrainedAndExported: other prompts give other weights, and the exported folder has them.
func TestARunsPromptsAreTrainedAndExported(t *testing.T) {
	b := newBench(t, "bert")
	weights := map[string]string{}
	for _, prompt := range []string{"", "find "} {
		id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
			c.Train.Steps, c.Evaluate.Baselines = 2, nil
			if prompt != "" {
				c.Model.QueryPrompt = &prompt
			}
		}))
		if err := b.run(t, id, io.Discard); err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(b.files.Run(id), "model")
		var said struct {
			Prompts map[string]string
			Default *string `json:"default_prompt_name"`
		}
		text, err := os.ReadFile(filepath.Join(folder, "config_sentence_transformers.json"))
		if err == nil {
			err = json.Unmarshal(text, &said)
		}
		if err != nil || said.Prompts["query"] != prompt || said.Prompts["document"] != "" || said.Default != nil {
			t.Errorf("exported %s, %v", text, err)
		}
		model, err := os.ReadFile(filepath.Join(folder, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		weights[prompt] = string(model)
	}
	if weights[""] == weights["find "] {
		t.Error("the prompt changes no weight")
	}
}
