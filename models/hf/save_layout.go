package hf

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

const poolingFolder = "1_SpladePooling"

// textFile is a file other than the weights.
type textFile struct {
	name string
	data []byte
}

// textFiles makes every file but the weights.
func (m SaveModel) textFiles() ([]textFile, error) {
	pooling, activation, card := m.Pooling, m.Activation, m.Card
	pooling = cmp.Or(pooling, "max")
	activation = cmp.Or(activation, "relu")
	if card == "" {
		card = defaultCard
		if m.TokenTopM > 0 {
			card += TokenTopMCard(m.TokenTopM)
		}
	}
	var faults []error
	if pooling != "max" && pooling != "sum" {
		faults = append(faults, fmt.Errorf("pooling %q is not known (allowed: max, sum)", pooling))
	}
	if activation != "relu" && activation != "log1p_relu" {
		faults = append(faults, fmt.Errorf("activation %q is not known (allowed: relu, log1p_relu)", activation))
	}
	if limit := m.Config.MaxTokens(); m.MaxSeqLength < 1 || m.MaxSeqLength > limit {
		faults = append(faults, fmt.Errorf("longest text %d is out of range (allowed: 1 to %d)", m.MaxSeqLength, limit))
	}
	if m.TopK < 0 {
		faults = append(faults, fmt.Errorf("terms kept per text %d is out of range (allowed: 0, all, or more)", m.TopK))
	}
	if m.TokenTopM < 0 {
		faults = append(faults, fmt.Errorf("logits kept per token %d is out of range (allowed: 0, all, or more)", m.TokenTopM))
	}
	config, err := m.Config.JSON(m.Tied)
	faults = append(faults, err)
	tokenizer, err := m.tokenizerFiles()
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	files := []textFile{
		{"config.json", config},
		{"README.md", []byte(card)},
		{"modules.json", []byte(modulesJSON)},
	}
	for _, f := range []struct {
		name  string
		value any
	}{
		{"sentence_bert_config.json", struct {
			MaxSeqLength int  `json:"max_seq_length"`
			DoLowerCase  bool `json:"do_lower_case"`
		}{m.MaxSeqLength, false}},
		{poolingFolder + "/config.json", struct {
			Strategy   string `json:"pooling_strategy"`
			Activation string `json:"activation_function"`
			Dimension  int    `json:"word_embedding_dimension"`
		}{pooling, activation, m.Config.Vocab}},
		{"config_sentence_transformers.json", m.sentenceTransformers()},
	} {
		text, err := indented(f.value)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", f.name, err)
		}
		files = append(files, textFile{f.name, text})
	}
	return append(files, tokenizer...), nil
}

func indented(value any) ([]byte, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	return append(text, '\n'), err
}

// The class paths of sentence-transformers 5; 6 maps them to its own.
const modulesJSON = `[
  {
    "idx": 0,
    "name": "0",
    "path": "",
    "type": "sentence_transformers.sparse_encoder.models.MLMTransformer"
  },
  {
    "idx": 1,
    "name": "1",
    "path": "1_SpladePooling",
    "type": "sentence_transformers.sparse_encoder.models.SpladePooling"
  }
]
`

// sparseEncoderFile is config_sentence_transformers.json.
type sparseEncoderFile struct {
	Version       layoutVersions    `json:"__version__"`
	DefaultPrompt *string           `json:"default_prompt_name"`
	MaxActive     int               `json:"max_active_dims,omitempty"`
	TokenTopM     int               `json:"headroom_token_top_m,omitempty"`
	ModelType     string            `json:"model_type"`
	Prompts       map[string]string `json:"prompts"`
	Similarity    string            `json:"similarity_fn_name"`
}

type layoutVersions struct {
	PyTorch      string `json:"pytorch"`
	Sentence     string `json:"sentence_transformers"`
	Transformers string `json:"transformers"`
}

// sentenceTransformers names the versions whose layout this is: a reader warns if its own is older.
func (m SaveModel) sentenceTransformers() sparseEncoderFile {
	return sparseEncoderFile{
		Version: layoutVersions{"2.6.0", "5.0.0", "4.48.0"}, MaxActive: m.TopK, TokenTopM: m.TokenTopM,
		ModelType: "SparseEncoder", Prompts: map[string]string{"query": m.QueryPrompt, "document": m.DocumentPrompt}, Similarity: "dot",
	}
}

const defaultCard = `---
library_name: sentence-transformers
pipeline_tag: feature-extraction
tags:
- sentence-transformers
- sparse-encoder
- splade
---

# A SPLADE model

Saved by headroom. It loads with ` + "`sentence_transformers.SparseEncoder`" + ` and, as a masked language model, with
` + "`transformers`" + `.
`

// TokenTopMCard is what a model's card says where tokens keep m logits only.
func TokenTopMCard(m int) string {
	return fmt.Sprintf(`
**Only headroom makes this model's vectors.** Before pooling each token keeps its %d greatest logits alone, special tokens
too; of equal ones the lowest term ids stay. sentence-transformers has no such setting: it loads the folder, ignores
`+"`%s`"+` in `+"`config_sentence_transformers.json`"+`, and gives other, denser vectors than the model was trained with.

`, m, tokenTopMKey)
}
