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

// CheckCollection reads a collection whole and says what would keep a run from
// using a split of it: a malformed line, no documents, no queries, no positive
// judgement. What passed is not read again until a file changes.
func (r *Resolver) CheckCollection(folder, split string) error {
	_, err := r.Look(folder, split)
	return err
}

// CheckModel finds what can be seen of a model without building it: the files
// are there, the configuration is an object of a known family, the tokenizer
// loads, the weights' header lies within the file and is JSON.
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

// Tokens is what planning knows of a tokenizer.
type Tokens struct {
	// Vocabulary is the number of tokens, Special that of those around each text.
	Vocabulary, Special int
	// Digest is of the tokenizer.json, or of the one that says all that a folder's files say.
	Digest string
	// QueryPrompt and DocumentPrompt are what the folder puts before texts; "" is nothing.
	QueryPrompt, DocumentPrompt string
	// Notices say what of a folder's files was not taken as it stands.
	Notices []string
}

// Tokens loads a tokenizer, a model folder's or a tokenizer.json by itself, once while the files stand.
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
	// The name is another than that of programs which kept less of it.
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

// checkTokenizer loads a tokenizer, once while its files stand.
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

// noDecoderBias reports whether the MLM head has no bias behind its decoder.
func (c modelConfig) noDecoderBias() bool {
	return c.family.Graph == family.Rotary && c.Bias != nil && !*c.Bias
}

// positions is the longest text in tokens.
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
	if config.family, err = family.Of(config.ModelType); err != nil {
		return modelConfig{}, fmt.Errorf("read configuration %s: field \"model_type\": %w", path, err)
	}
	return config.modelConfig, nil
}

// checkHeader looks whether a file's head is that of safetensors.
func checkHeader(path string) error {
	_, err := headerOf(path)
	return err
}
