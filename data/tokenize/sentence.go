package tokenize

import (
	"encoding/json/jsontext"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// sentence holds the settings of sentence-transformers' file next to a tokenizer.
type sentence struct {
	limit int  // max_seq_length; 0: the tokenizer's own
	lower bool // do_lower_case: texts are lower-cased before anything else
	notes []string
}

// sentenceFiles returns the names that the file has had in different versions; the first that exists counts.
func sentenceFiles() []string {
	return []string{
		"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json", "sentence_camembert_config.json",
		"sentence_albert_config.json", "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json",
	}
}

// readSentence reads sentence_bert_config.json. It also checks the file's settings of the model, since no other package
// reads the file: a setting that would change vectors and is not implemented is an error. Like sentence-transformers, it
// ignores the file if neither the folder nor the one above it has a modules.json.
func readSentence(folder string) (sentence, error) {
	var s sentence
	if !isFile(filepath.Join(folder, "modules.json")) && !isFile(filepath.Join(folder, "..", "modules.json")) {
		return s, nil
	}
	for _, name := range sentenceFiles() {
		r := &reader{name: filepath.Join(folder, name)}
		keys, err := readObject(r.name)
		if err != nil {
			return s, err
		}
		if len(keys) == 0 {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if isNull(keys[key]) {
				continue
			}
			if err := s.readKey(r, key, keys[key]); err != nil {
				return s, err
			}
		}
		return s, nil
	}
	return s, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (s *sentence) readKey(r *reader, key string, value jsontext.Value) (err error) {
	switch key {
	case "max_seq_length":
		s.limit, err = r.length(key, value)
	case "do_lower_case":
		err = r.flag(key, value, &s.lower)
	case "transformer_task":
		err = r.requireText(key, value, "fill-mask")
	case "module_output_name":
		err = r.requireText(key, value, "token_embeddings")
	case "modality_config":
		err = r.readModality(key, value)
	case "unpad_inputs": // the layout of batches in memory
	case "query_length", "document_length", "query_expansion":
		err = r.fault(key, "is not implemented; allowed: null (say --max-length, or data.max_query and data.max_document)")
	case "processing_kwargs", "processor_kwargs", "tokenizer_args", "config_kwargs", "config_args", "model_kwargs", "model_args":
		err = r.readArguments(key, value)
	default:
		s.notes = append(s.notes, fmt.Sprintf("%s: key %q is not known and not obeyed", r.name, key))
	}
	return err
}

// requireText refuses any text but the allowed one.
func (r *reader) requireText(key string, value jsontext.Value, allowed string) error {
	var text string
	if err := r.decode(key, value, &text); err != nil {
		return err
	}
	if text != allowed {
		return r.fault(key, "%q is not implemented; allowed: %q", text, allowed)
	}
	return nil
}

// readModality accepts only the way in which a masked language model reads texts.
func (r *reader) readModality(key string, value jsontext.Value) error {
	var modalities map[string]struct {
		Method string `json:"method"`
		Output string `json:"method_output_name"`
		Format string `json:"format"`
	}
	if err := r.decode(key, value, &modalities); err != nil {
		return err
	}
	text, ok := modalities["text"]
	switch {
	case !ok:
		return r.fault(key, `has no "text"; only texts are encoded here`)
	case text.Method != "forward":
		return r.fault(key+".text.method", `%q is not implemented; allowed: "forward"`, text.Method)
	case text.Output != "logits":
		return r.fault(key+".text.method_output_name", `%q is not implemented; allowed: "logits"`, text.Output)
	}
	return nil
}

// readArguments accepts only arguments of transformers' functions that change no vector.
func (r *reader) readArguments(key string, value jsontext.Value) error {
	var arguments map[string]jsontext.Value
	if err := r.decode(key, value, &arguments); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		switch name {
		case "attn_implementation", "cache_dir", "local_files_only", "low_cpu_mem_usage", "revision", "subfolder", "token", "use_auth_token", "use_safetensors":
		default:
			if value := arguments[name]; !isNull(value) && string(value) != "{}" {
				return r.fault(key+"."+name, "is not implemented; allowed: no such key")
			}
		}
	}
	return nil
}
