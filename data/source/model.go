package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/seal"
)

// Checkpoint is a model that has been found.
type Checkpoint struct {
	// Folder holds config.json, the tokenizer's files and the weights.
	Folder string
	// Weights identifies the model: "sha256:…" over configuration and weights of a folder,
	// "hub:owner/name@commit", or "recipe:<id>".
	Weights string
	// Tokenizer is the digest of the tokenizer; that of tokenizer.json if the files beside
	// it change nothing.
	Tokenizer string
	// Positions is the longest text in tokens that the model has positions for,
	// 0 if its configuration does not say.
	Positions int
	// Tokens are the model's terms and the tokens around a text.
	Tokens Tokens
	// NoDecoderBias is true if the MLM head has no bias to shift.
	NoDecoderBias bool
	// Form is the folder's own form of vectors.
	Form Form
}

// Model returns the folder of a model.
func (r *Resolver) Model(text string) (string, error) {
	folder, _, err := r.find(text, needModel)
	return folder, err
}

// Checkpoint finds a model, checks its files as CheckModel does, and takes their digests.
func (r *Resolver) Checkpoint(text string) (Checkpoint, error) {
	folder, weights, err := r.find(text, needModel)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := r.CheckModel(folder); err != nil {
		return Checkpoint{}, fmt.Errorf("resolve model %q: %w", text, err)
	}
	config, err := readConfig(filepath.Join(folder, "config.json"))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("resolve model %q: %w", text, err)
	}
	c := Checkpoint{Folder: folder, Weights: weights, Positions: config.positions(), NoDecoderBias: config.noDecoderBias(), Form: formOf(folder)}
	if c.Weights == "" {
		names, err := weightFiles(folder)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("resolve model %q: %w", text, err)
		}
		if c.Weights, err = r.DigestFolder(folder, append([]string{"config.json"}, names...)...); err != nil {
			return Checkpoint{}, err
		}
	}
	if c.Tokens, err = r.Tokens(folder); err != nil {
		return Checkpoint{}, fmt.Errorf("resolve model %q: %w", text, err)
	}
	c.Tokenizer = c.Tokens.Digest
	c.Tokens.Vocabulary = max(c.Tokens.Vocabulary, config.Vocabulary) // the head may be padded
	return c, nil
}

// find returns a model's folder, and its identity if that follows from its name.
func (r *Resolver) find(text string, what need) (folder, identity string, err error) {
	ref, err := parse(text, true)
	if err != nil {
		return "", "", err
	}
	switch ref.kind {
	case kindFolder:
		folder, err = r.folder("model", ref)
		return folder, "", err
	case kindData:
		folder, err = r.folderBelowRoot("model", ref)
		return folder, "", err
	case kindRecipe:
		return r.recipe(ref)
	case kindHub:
		return r.hub(ref, what)
	default:
		return "", "", fmt.Errorf("resolve model %q: not a reference to a model; allowed: %s", text, modelAllowed)
	}
}

// Backbone returns the folder of the backbone with a recipe's id.
func (r *Resolver) Backbone(id string) string { return filepath.Join(r.Workspace, "backbones", id) }

// recipe finds a backbone that a recipe has made, and checks that it is unchanged. A name
// that is a full id is taken as the id.
func (r *Resolver) recipe(ref reference) (folder, identity string, err error) {
	id := ref.name
	if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
		if r.RecipeID == nil {
			return "", "", fmt.Errorf("resolve model %q: recipes are not known here", ref.text)
		}
		if id, err = r.RecipeID(ref.name); err != nil {
			return "", "", fmt.Errorf("resolve model %q: %w", ref.text, err)
		}
	}
	folder = r.Backbone(id)
	if err := r.Intact(folder); seal.IsDamage(err) {
		return "", "recipe:" + id, fmt.Errorf("resolve model %q: %w", ref.text, err)
	}
	if !complete(folder) {
		return "", "recipe:" + id, fmt.Errorf("resolve model %q: %w: recipe %s has not been run in this workspace", ref.text, ErrUnresolved, ref.name)
	}
	return folder, "recipe:" + id, nil
}

// complete reports whether a folder has all files of a model. Folders appear whole, so it
// is enough that the files exist.
func complete(folder string) bool {
	has := func(name string) bool { return file(filepath.Join(folder, name)) == nil }
	if !has(configFile) || !has(tokenizerFile) && !has(vocabularyFile) {
		return false
	}
	names, err := weightFiles(folder)
	return err == nil && len(names) > 0
}

// weightFiles lists a folder's weight files by name, sorted.
func weightFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read model folder: %w", err)
	}
	var names []string
	torch := false
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".safetensors") {
			names = append(names, entry.Name())
		}
		torch = torch || entry.Name() == "pytorch_model.bin"
	}
	switch {
	case len(names) == 0 && torch:
		return nil, fmt.Errorf("%s has only pytorch_model.bin; convert it: load it with transformers and save_pretrained(…, safe_serialization=True)", folder)
	case len(names) == 0:
		return nil, fmt.Errorf("%s has no model.safetensors", folder)
	}
	for _, name := range names {
		if name == "model.safetensors" {
			return []string{name}, nil
		}
	}
	return names, nil
}
