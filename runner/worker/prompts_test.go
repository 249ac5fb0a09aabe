package worker_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"headroom/sweeps"
)

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
