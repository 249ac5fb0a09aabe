// Package modelfolder finds out, before a folder is read, why it cannot be a model: what is missing, what is there
// instead, and what to do. Planning and loading both use it.
package modelfolder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Check returns nil if the folder has a config.json and every file of a model's kinds can be read.
func Check(folder string) error {
	if err := CheckFiles(folder); err != nil {
		return err
	}
	if err := checkAdapter(folder); err != nil || exists(folder, "config.json") {
		return err
	}
	return missingConfig(folder)
}

// CheckFiles is Check for the files that are there, even if some are missing. After it, no reader of the folder meets a
// pipe that keeps it waiting, or a git-lfs pointer in the place of a file. It follows links, such as those of the hub's cache.
func CheckFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".json", ".safetensors", ".txt", ".model", ".bin":
			if err := checkFile(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return checkModules(folder)
}

// checkModules does the same for the files of sentence-transformers' modules, which are in folders of their own.
func checkModules(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, "modules.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var modules []struct {
		Path string `json:"path"`
	}
	if json.Unmarshal(text, &modules) != nil {
		return nil // the reader of the modules reports the fault
	}
	for _, m := range modules {
		if m.Path == "" || !filepath.IsLocal(filepath.FromSlash(m.Path)) {
			continue
		}
		path := filepath.Join(folder, filepath.FromSlash(m.Path), "config.json")
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := checkFile(path); err != nil {
			return err
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return cmp.Or(err, fmt.Errorf("read %s: is a folder (allowed: a regular file)", path))
		}
	}
	return nil
}

// checkFile refuses a file that would block its reader, and a pointer in the place of the file.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if target, linkErr := os.Readlink(path); errors.Is(err, fs.ErrNotExist) && linkErr == nil {
		// An optional file would be taken for one that is not there.
		return fmt.Errorf("read %s: is a link to %s, which is not there (allowed: a regular file)", path, target)
	}
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular() || mode.IsDir():
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("read %s: is a named pipe (allowed: a regular file)", path)
	case mode&fs.ModeDevice != 0:
		return fmt.Errorf("read %s: is a device (allowed: a regular file)", path)
	default:
		return fmt.Errorf("read %s: is not a regular file", path)
	}
	if !info.Mode().IsRegular() || info.Size() > maxPointer {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, len(pointer))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != pointer {
		return nil // shorter than a pointer, or none
	}
	return fmt.Errorf("read %s: is a git-lfs pointer and not the file itself: fetch it with\n  cd %q && git lfs pull", path, filepath.Dir(path))
}

// A git-lfs pointer begins like this and has a few lines.
const (
	pointer    = "version https://git-lfs.github.com/spec/v"
	maxPointer = 1 << 12
)

// checkAdapter refuses an adapter of PEFT, for which transformers would load the base model and add the adapter to it.
func checkAdapter(folder string) error {
	path := filepath.Join(folder, "adapter_config.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var adapter struct {
		Kind string `json:"peft_type"`
		Base string `json:"base_model_name_or_path"`
	}
	if err := json.Unmarshal(text, &adapter); err != nil {
		return fmt.Errorf("read %s: is not valid JSON: %w", path, err)
	}
	adapter.Base = cmp.Or(adapter.Base, "a model that it does not name")
	return fmt.Errorf("folder %q is an adapter (%s) of base model %q and not a whole model (%s): merge the two first, with peft\n"+
		"  AutoPeftModel.from_pretrained(FOLDER).merge_and_unload().save_pretrained(NEW)\n"+
		"for the class with the MLM head, and copy the tokenizer's files", folder, strings.TrimSpace("PEFT "+adapter.Kind), adapter.Base, path)
}

// missingConfig returns an error that says what the folder has instead of a config.json.
func missingConfig(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var models []string
	for _, entry := range entries {
		if exists(filepath.Join(folder, entry.Name()), "config.json") {
			models = append(models, entry.Name())
		}
	}
	if len(models) == 0 {
		return fmt.Errorf("folder %q has no config.json", folder)
	}
	const shown = 5
	more := ""
	if len(models) > shown {
		models, more = models[len(models)-shown:], ", …"
	}
	what := "models"
	if strings.HasPrefix(models[0], "checkpoint-") {
		what = "checkpoints of a training run"
	}
	return fmt.Errorf("folder %q has no config.json; it holds %s (%s%s): name one of them, such as %s",
		folder, what, strings.Join(models, ", "), more, filepath.Join(folder, models[len(models)-1]))
}

func exists(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, name))
	return err == nil
}
