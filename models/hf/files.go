package hf

import (
	"fmt"
	"os"
	"path"
	"strings"
)

// knownFiles lists patterns of names of files that are read, or that change no vector: texts for people, the same
// weights in other formats, leftovers of training, settings of tasks that are not done here.
func knownFiles() []string {
	return []string{
		".*", "*.md", "*.txt", "LICENSE*", "NOTICE*", "*.safetensors", "*.safetensors.index.json", "config.json", "modules.json",
		"config_sentence_transformers.json", "sentence_*_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
		"added_tokens.json", "vocab.json", "chat_template.*", "generation_config.json", "preprocessor_config.json", "processor_config.json",
		"*.bin", "*.bin.index.json", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.gguf", "*.pt", "*.pth", "*.ckpt", "*.png", "*.jpg", "*.jpeg", "*.svg", "*.gif", "*.pdf",
		"trainer_state.json", "training_args.json", "train_results.json", "eval_results.json", "all_results.json", "similarity_evaluation*.csv",
		"model_args.json", "MANIFEST", "*.py", "*.ipynb", "*.log",
	}
}

// knownFolders lists folders inside a model folder that are not read and change no vector.
func knownFolders() []string {
	return []string{".*", "onnx", "openvino", "coreml", "eval", "runs", "logs", "assets", "images", "checkpoint-*", "chat_templates"}
}

// unknownFiles names, in one sentence, the files of a folder that are neither read nor known to be harmless.
func unknownFiles(folder string, modules []Module) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var names []string
	for _, entry := range entries {
		patterns := knownFiles()
		if entry.IsDir() {
			patterns = knownFolders()
			for _, m := range modules {
				first, _, _ := strings.Cut(m.Path, "/")
				patterns = append(patterns, first)
			}
		}
		if !matchesAny(entry.Name(), patterns) {
			names = append(names, entry.Name())
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%s: %s: not known, so not read", folder, strings.Join(names, ", ")), nil
}

func matchesAny(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}
