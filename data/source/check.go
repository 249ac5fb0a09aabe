package source

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"headroom/data/tokenize"
	"headroom/internal/modelfolder"
	"headroom/models/family"
)

// CheckCollection reads a collection whole and returns an error if a run could not use a
// split of it: a malformed line, no documents, no queries, no positive judgement. A
// collection that passed is not read again until a file changes.
func (r *Resolver) CheckCollection(folder, split string) error {
	_, err := r.CollectionFacts(folder, split)
	return err
}

// CheckModel checks what can be checked of a model without building it: its files exist,
// the configuration is an object of a known family, the tokenizer loads, the weights'
// header is JSON within the file.
func (r *Resolver) CheckModel(folder string) error {
	if err := modelfolder.Check(folder); err != nil {
		return err
	}
	names, err := weightFiles(folder)
	if err != nil {
		return err
	}
	config := filepath.Join(folder, "config.json")
	paths := []string{config}
	for _, name := range names {
		paths = append(paths, filepath.Join(folder, name))
	}
	for _, path := range paths {
		if err := file(path); err != nil {
			return err
		}
	}
	if _, err := r.Tokens(folder); err != nil {
		return err
	}
	_, err = r.Remember("check model", paths, func() (string, error) {
		if _, err := readConfig(config); err != nil {
			return "", err
		}
		for _, path := range paths[1:] {
			if err := checkHeader(path); err != nil {
				return "", err
			}
		}
		return "sound", nil
	})
	return err
}

// Tokens describes a tokenizer for planning.
type Tokens struct {
	// Vocabulary is the number of tokens, Special the number of special tokens around each
	// text.
	Vocabulary, Special int
	// Digest is the digest of the tokenizer.json, or of an equivalent one if other files of
	// the folder change it.
	Digest string
	// QueryPrompt and DocumentPrompt are the folder's prompts before texts; "" is none.
	QueryPrompt, DocumentPrompt string
	// Notices are messages about settings of the folder's files that were changed or
	// ignored.
	Notices []string
}

// Tokens loads a tokenizer, a model folder's or a tokenizer.json by itself. It is loaded once until the
// files change.
func (r *Resolver) Tokens(path string) (Tokens, error) {
	paths := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		paths = nil
		for _, name := range tokenize.Files() {
			if one := filepath.Join(path, name); file(one) == nil {
				paths = append(paths, one)
			}
		}
	} else if err := file(path); err != nil {
		return Tokens{}, err
	}
	// Older programs kept less under another name.
	result, err := r.Remember("tokenizer and prompts", paths, func() (string, error) {
		t, err := tokenize.Open(path)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(Tokens{Vocabulary: t.VocabSize(), Special: len(t.Encode("", 0)), Digest: t.Digest(), QueryPrompt: t.Prompts().Query, DocumentPrompt: t.Prompts().Document, Notices: t.Notices()})
		return string(text), err
	})
	var tokens Tokens
	if err == nil {
		err = json.Unmarshal([]byte(result), &tokens)
	}
	return tokens, err
}

// checkTokenizer loads a tokenizer, once until its files change.
func (r *Resolver) checkTokenizer(path string) error {
	_, err := r.Tokens(path)
	return err
}

// modelConfig is the part of a config.json that planning reads.
type modelConfig struct {
	family     family.Family
	Positions  *int  `json:"max_position_embeddings"`
	Pad        *int  `json:"pad_token_id"`
	Vocabulary int   `json:"vocab_size"`
	Bias       *bool `json:"decoder_bias"` // read by rotary graphs alone; the others have one
}

// noDecoderBias reports whether the MLM head's decoder has no bias.
func (c modelConfig) noDecoderBias() bool {
	return c.family.Graph == family.Rotary && c.Bias != nil && !*c.Bias
}

// positions returns the length in tokens of the longest text.
func (c modelConfig) positions() int {
	positions, pad := c.family.Defaults.Positions, c.family.Defaults.Pad
	if c.Positions != nil {
		positions = *c.Positions
	}
	if c.Pad != nil {
		pad = *c.Pad
	}
	return max(0, c.family.MaxTokens(positions, pad))
}

func readConfig(path string) (modelConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return modelConfig{}, fmt.Errorf("read configuration: %w", err)
	}
	var config struct {
		modelConfig
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return modelConfig{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	if config.ModelType == "" {
		return modelConfig{}, fmt.Errorf("read configuration %s: field \"model_type\" is missing (allowed: %s)", path, family.Names())
	}
	if config.family, err = family.ByName(config.ModelType); err != nil {
		return modelConfig{}, fmt.Errorf("read configuration %s: field \"model_type\": %w", path, err)
	}
	return config.modelConfig, nil
}

// checkHeader checks that a file begins as safetensors.
func checkHeader(path string) error {
	_, err := headerOf(path)
	return err
}
