package source

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Form says how logits become vectors, read from a sentence-transformers folder, in the
// words of a sweep, with the file of each setting.
type Form struct {
	Pooling, Activation         string // "" if the folder has no SpladePooling
	PoolingFile, ActivationFile string
	TopK                        int // 0 keeps every term
	TopKFile                    string
	TokenTopM                   int // 0 lets every token keep all logits; from TopKFile
}

// formOf reads a folder's form; the zero value if it has none. Faults of the files are
// reported when the model is loaded.
func formOf(folder string) Form {
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	var f Form
	readInto(filepath.Join(folder, "modules.json"), &modules)
	for _, m := range modules {
		if !strings.HasSuffix(m.Type, "SpladePooling") {
			continue
		}
		pooling := struct {
			Strategy   string `json:"pooling_strategy"`
			Activation string `json:"activation_function"`
		}{"max", "relu"}
		file := filepath.ToSlash(filepath.Join(m.Path, "config.json"))
		readInto(filepath.Join(folder, file), &pooling)
		f.Pooling, f.PoolingFile, f.ActivationFile = pooling.Strategy, file, file
		f.Activation = map[string]string{"relu": "log1p_relu", "log1p_relu": "log1p_log1p_relu"}[pooling.Activation]
	}
	if f.Pooling == "" {
		return Form{}
	}
	var encoder struct {
		MaxActive int `json:"max_active_dims"`
		TokenTopM int `json:"headroom_token_top_m"`
	}
	f.TopKFile = "config_sentence_transformers.json"
	readInto(filepath.Join(folder, f.TopKFile), &encoder)
	f.TopK, f.TokenTopM = encoder.MaxActive, encoder.TokenTopM
	return f
}

// readInto reads a JSON file; it does nothing if the file is missing or malformed.
func readInto(path string, into any) {
	if text, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(text, into)
	}
}
