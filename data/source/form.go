package source

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Form is how a sentence-transformers folder says that logits become vectors, in the
// words of a sweep, with the file that says each.
type Form struct {
	Pooling, Activation         string // "" if the folder has no SpladePooling
	PoolingFile, ActivationFile string
	TopK                        int // 0 keeps every term
	TopKFile                    string
	TokenTopM                   int // 0 lets every token keep all logits; said in TopKFile
}

// formOf reads a folder's form; the zero value if it has none. What is wrong with the
// files is found by whoever loads the model.
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

// readInto reads a JSON file if it is there and sound.
func readInto(path string, into any) {
	if text, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(text, into)
	}
}
