package tokenize

import (
	"encoding/json/jsontext"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// Prompts are the texts that sentence-transformers puts before queries and documents.
type Prompts struct {
	// Query and Document are the prompts of queries and documents; "" is none.
	Query, Document string
	// Named holds all prompts of the folder by name. Default is the name of the prompt for a text that is neither said
	// to be a query nor a document; "" is none.
	Named   map[string]string
	Default string
}

// Prompts returns the prompts of the folder's config_sentence_transformers.json.
func (t *Tokenizer) Prompts() Prompts {
	p := t.prompts
	p.Named = maps.Clone(p.Named)
	return p
}

// promptFile holds the prompts, and settings of the encoder that other packages read.
const promptFile = "config_sentence_transformers.json"

// readPrompts reads the prompts of the encoder to which a transformer's folder belongs: the folder itself, or the one
// above it.
func readPrompts(folder string) (p Prompts, notices []string, err error) {
	for _, root := range []string{folder, filepath.Join(folder, "..")} {
		if !isFile(filepath.Join(root, "modules.json")) {
			continue
		}
		r := &reader{name: filepath.Join(root, promptFile)}
		keys, err := readObject(r.name)
		if err != nil {
			return p, nil, err
		}
		return r.readPrompts(keys)
	}
	return p, nil, nil
}

func (r *reader) readPrompts(keys map[string]jsontext.Value) (p Prompts, notices []string, err error) {
	p.Named = map[string]string{"query": "", "document": ""} // these two always exist
	if value := keys["prompts"]; !isNull(value) {
		var listed map[string]jsontext.Value
		if err := r.decode("prompts", value, &listed); err != nil {
			return p, nil, err
		}
		for name, value := range listed {
			text := ""
			if !isNull(value) {
				if err := r.decode("prompts."+name, value, &text); err != nil {
					return p, nil, err
				}
			}
			p.Named[name] = text
		}
	}
	p.Query, p.Document = p.Named["query"], p.Named["document"]
	if value := keys["default_prompt_name"]; !isNull(value) {
		if err := r.decode("default_prompt_name", value, &p.Default); err != nil {
			return p, nil, err
		}
		if _, ok := p.Named[p.Default]; !ok {
			return p, nil, r.fault("default_prompt_name", "%q is no prompt; allowed: %s", p.Default, quotedNames(p.Named))
		}
	}
	for _, name := range []string{"passage", "corpus"} {
		if text := p.Named[name]; text != "" {
			notices = append(notices, fmt.Sprintf("%s: the prompt %q (%q) is not put before documents, as in sentence-transformers: that is the prompt \"document\"", r.name, name, text))
		}
	}
	if text := p.Named[p.Default]; text != "" && (text != p.Query || text != p.Document) {
		notices = append(notices, fmt.Sprintf("%s: default_prompt_name %q is for texts that are neither queries nor documents: queries get %q, documents %q", r.name, p.Default, p.Query, p.Document))
	}
	return p, notices, nil
}

func quotedNames(named map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%q", name)
	}
	return text
}
