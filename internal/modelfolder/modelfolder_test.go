package modelfolder_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"headroom/internal/modelfolder"
)

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

func TestFoldersThatAreNoModel(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		pipe  string
		words []string
	}{
		"nothing":                 {nil, "", []string{"no config.json"}},
		"pointer for weights":     {map[string]string{"config.json": "{}", "model.safetensors": pointer}, "", []string{"model.safetensors", "git-lfs pointer", "git lfs pull"}},
		"pointer for a tokenizer": {map[string]string{"config.json": "{}", "tokenizer.json": pointer}, "", []string{"tokenizer.json", "git-lfs pointer"}},
		"pointer for pickle":      {map[string]string{"config.json": "{}", "pytorch_model.bin": pointer}, "", []string{"pytorch_model.bin", "git-lfs pointer"}},
		"adapter":                 {map[string]string{"adapter_config.json": `{"peft_type":"LORA","base_model_name_or_path":"own/base"}`, "adapter_model.safetensors": "x"}, "", []string{"adapter (PEFT LORA)", `base model "own/base"`, "merge"}},
		"adapter beside a model":  {map[string]string{"config.json": "{}", "adapter_config.json": `{}`}, "", []string{"adapter (PEFT)", "does not name"}},
		"adapter that is no JSON": {map[string]string{"adapter_config.json": `{`}, "", []string{"adapter_config.json", "not valid JSON"}},
		"checkpoints only":        {map[string]string{"checkpoint-500/config.json": "{}", "checkpoint-1000/config.json": "{}", "x.txt": "a"}, "", []string{"no config.json", "checkpoints of a training run (checkpoint-1000, checkpoint-500)", "name one"}},
		"models in folders":       {map[string]string{"small/config.json": "{}"}, "", []string{"holds models (small)"}},
		"a pipe for a config":     {nil, "config.json", []string{"config.json", "named pipe", "regular file"}},
		"a pipe for weights":      {map[string]string{"config.json": "{}"}, "model.safetensors", []string{"model.safetensors", "named pipe"}},
		"a pipe for a module":     {map[string]string{"config.json": "{}", "modules.json": `[{"path":""},{"path":"a/1_SpladePooling"}]`, "a/1_SpladePooling/x": ""}, "a/1_SpladePooling/config.json", []string{"1_SpladePooling", "config.json", "named pipe"}},
		"a folder for a module":   {map[string]string{"config.json": "{}", "modules.json": `[{"path":"1_P"}]`, "1_P/config.json/x": ""}, "", []string{"1_P", "config.json", "is a folder", "regular file"}},
		"a folder for modules":    {map[string]string{"config.json": "{}", "modules.json/x": ""}, "", []string{"modules.json", "is a directory"}},
		"a pipe for a vocabulary": {map[string]string{"config.json": "{}"}, "vocab.txt", []string{"vocab.txt", "named pipe"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for file, text := range c.files {
				path := filepath.Join(folder, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if c.pipe != "" {
				if err := syscall.Mkfifo(filepath.Join(folder, c.pipe), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := modelfolder.Check(folder)
			if err == nil {
				t.Fatal("is accepted")
			}
			for _, word := range append(c.words, folder) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message lacks %q: %v", word, err)
				}
			}
		})
	}
}

// What modules.json says wrongly is for whoever reads it; a path outside the folder is not looked at.
func TestModulesThatCannotBeRead(t *testing.T) {
	for _, modules := range []string{"{", "{}", `[{"path":"../elsewhere"}]`, `[{"path":"none"}]`, `[{}]`} {
		folder := t.TempDir()
		for name, text := range map[string]string{"config.json": "{}", "modules.json": modules} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := modelfolder.Check(folder); err != nil {
			t.Errorf("%s: %v", modules, err)
		}
	}
}

func TestAFolderWithAConfigPasses(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"config.json": "{}", "README.txt": "version https://elsewhere", "empty.json": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(folder, "config.json"), filepath.Join(folder, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := modelfolder.Check(folder); err != nil {
		t.Error(err)
	}
}

// The hub's cache has links to its files; one to a file that was removed is no missing file, whose
// settings would be defaults.
func TestLinksToNothingAreNamed(t *testing.T) {
	for _, name := range []string{"config.json", "generation_config.json", "model.safetensors", "1_P/config.json"} {
		folder := t.TempDir()
		for file, text := range map[string]string{"config.json": "{}", "modules.json": `[{"path":"1_P"}]`, "1_P/x": ""} {
			if file == name {
				continue
			}
			path := filepath.Join(folder, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(folder, name)
		if err := os.Symlink("../gone", path); err != nil {
			t.Fatal(err)
		}
		if err := modelfolder.Check(folder); err == nil || !strings.Contains(err.Error(), path+": is a link to ../gone, which is not there (allowed: a regular file)") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
