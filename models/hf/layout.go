package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SparseEncoder is what sentence-transformers' files around a transformer say.
type SparseEncoder struct {
	Modules []Module

	// Pooling ("max", "sum") and Activation ("relu" for log(1+ReLU), "log1p_relu" for log(1+log(1+ReLU))) are as
	// in SpladePooling's file; empty where the folder has no SpladePooling, a dense model for instance.
	Pooling, Activation string
	// MaxActive is the number of terms kept a text (max_active_dims); 0 is all.
	MaxActive int

	Prompts       map[string]string // by name, as written; sentence-transformers prepends them to texts
	DefaultPrompt string            // name of the prompt that is used where none is asked for; "" is none
}

// maxTerms bounds max_active_dims: more than any vocabulary.
const maxTerms = 1 << 30

// Module is one line of modules.json.
type Module struct {
	Name, Path, Type string
}

// openLayout finds the transformer's folder and reads sentence-transformers' files where there are any.
func openLayout(folder string) (transformer string, se *SparseEncoder, err error) {
	info, err := os.Stat(folder)
	if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		return "", nil, fmt.Errorf("%q is not a folder", folder)
	}
	path := filepath.Join(folder, "modules.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return folder, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	se = &SparseEncoder{}
	if se.Modules, err = parseModules(path, text); err != nil {
		return "", nil, err
	}
	transformer = filepath.Join(folder, filepath.FromSlash(se.Modules[0].Path))
	if err := se.readPooling(folder); err != nil {
		return "", nil, err
	}
	return transformer, se, se.readPrompts(filepath.Join(folder, "config_sentence_transformers.json"))
}

// parseModules reads modules.json: the first module must be a transformer, paths must stay inside the folder.
func parseModules(path string, text []byte) ([]Module, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read %s: is not a list of modules: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read %s: the list of modules is empty", path)
	}
	var out []Module
	var faults []error
	for i, raw := range list {
		f, err := readFields(fmt.Sprintf("%s: module %d", path, i), raw)
		if err != nil {
			return nil, err
		}
		m := Module{Name: f.text("name"), Path: f.text("path"), Type: f.word("type")}
		if m.Path != "" && !filepath.IsLocal(filepath.FromSlash(m.Path)) {
			f.fault("path", fmt.Sprintf("%q leaves the folder", m.Path), "a path inside it")
		}
		switch kind := m.class(); {
		case m.Type == "":
		case !strings.HasPrefix(m.Type, "sentence_transformers."):
			f.fault("type", fmt.Sprintf("%q is not a module of sentence-transformers", m.Type), "sentence_transformers.…")
		case i == 0 && kind != "Transformer" && kind != "MLMTransformer":
			f.fault("type", fmt.Sprintf("%q is not a transformer", m.Type), "…Transformer or …MLMTransformer")
		case kind == "Router" || kind == "SparseAutoEncoder" || kind == "SparseStaticEmbedding":
			f.fault("type", fmt.Sprintf("%q is not supported", m.Type), "MLMTransformer and SpladePooling")
		}
		faults = append(faults, f.err())
		out = append(out, m)
	}
	return out, errors.Join(faults...)
}

// class is the last part of a module's type: the packages before it changed between versions 5 and 6.
func (m Module) class() string { return m.Type[strings.LastIndexByte(m.Type, '.')+1:] }

// readPooling reads the SpladePooling module's file where there is such a module.
func (se *SparseEncoder) readPooling(folder string) error {
	for _, m := range se.Modules {
		if m.class() != "SpladePooling" {
			continue
		}
		path := filepath.Join(folder, filepath.FromSlash(m.Path), "config.json")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := readFields(path, text)
		if err != nil {
			return err
		}
		se.Pooling = f.oneOf("pooling_strategy", "max", "sum")
		se.Activation = "relu"
		if f.has("activation_function") {
			se.Activation = f.oneOf("activation_function", "relu", "log1p_relu")
		}
		return f.err()
	}
	return nil
}

// readPrompts reads what belongs to the encoder as a whole.
func (se *SparseEncoder) readPrompts(path string) error {
	f, err := readOptional(path)
	if err != nil {
		return err
	}
	if f.has("max_active_dims") {
		se.MaxActive = f.integer("max_active_dims", 1, maxTerms)
	}
	if f.has("default_prompt_name") {
		se.DefaultPrompt = f.text("default_prompt_name")
	}
	if prompts := f.object("prompts"); prompts != nil {
		se.Prompts = map[string]string{}
		for name := range prompts.values {
			if prompts.has(name) {
				se.Prompts[name] = prompts.text(name)
			}
		}
	}
	return f.err()
}

// readOptional reads an object from a file; a file that is not there reads as empty.
func readOptional(path string) (*fields, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	return readFields(path, text)
}

// oneOf reads a required string from a closed set.
func (f *fields) oneOf(field string, allowed ...string) string {
	got := f.word(field)
	for _, a := range allowed {
		if got == a {
			return got
		}
	}
	if got != "" {
		f.fault(field, fmt.Sprintf("%q is not known", got), strings.Join(allowed, ", "))
	}
	return ""
}
