package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Data returns the folder of a collection.
func (r *Resolver) Data(text string) (string, error) {
	ref, err := parse(text, false)
	if err != nil {
		return "", err
	}
	switch ref.kind {
	case kindFolder:
		return r.folder("data", ref)
	case kindData:
		return r.folderBelowRoot("data", ref)
	case kindBuiltin:
		made, err := r.builtin(text)
		if err != nil {
			return "", err
		}
		if ref.name == "demo-no-overlap" {
			return made.NoOverlapFolder, nil
		}
		return made.Folder, nil
	case kindFamily:
		return r.family(ref)
	default:
		return "", fmt.Errorf("resolve data %q: not a reference to data; allowed: %s", text, dataAllowed)
	}
}

// Tokenizer returns the path of the tokenizer to which a recipe's key tokenizer refers: of
// a model's folder, a tokenizer.json, or the built-in collection's.
func (r *Resolver) Tokenizer(text string) (string, error) {
	if text == "builtin:demo" {
		made, err := r.builtin(text)
		return made.TokenizerFile, err
	}
	if strings.HasSuffix(text, ".json") {
		ref, err := parse(text, false)
		if err != nil {
			return "", err
		}
		var path string
		if ref.kind == kindData && r.DataRoot != "" {
			path = filepath.Join(r.DataRoot, filepath.FromSlash(ref.name))
		} else if ref.kind == kindFolder {
			path = r.candidates(ref.name)[0]
		} else {
			return "", fmt.Errorf("resolve tokenizer %q: no such file; allowed: ./FILE, /FILE, data:PATH (with HEADROOM_DATA set), builtin:demo", text)
		}
		return path, r.checkTokenizer(path)
	}
	folder, _, err := r.find(text, needTokenizer)
	if err != nil {
		return "", err
	}
	return folder, r.checkTokenizer(folder)
}

// Absolute writes a reference so that it means the same from every folder: ./path becomes
// an absolute path, and so does the name that a user has given to a folder; any other
// reference stays.
func (r *Resolver) Absolute(text string) string {
	for _, own := range r.Own {
		if own.Name == text && own.Folder != "" {
			return own.Folder
		}
	}
	ref, err := parse(text, false)
	if err != nil || ref.kind != kindFolder {
		return text
	}
	for _, candidate := range r.candidates(ref.name) {
		if _, err := os.Stat(candidate); err == nil {
			return candidate
		}
	}
	return r.candidates(ref.name)[0]
}

func (r *Resolver) builtin(text string) (Builtin, error) {
	if r.Builtin == nil {
		return Builtin{}, fmt.Errorf("resolve data %q: this program has no built-in collection", text)
	}
	if r.CacheDir == "" {
		return Builtin{}, fmt.Errorf("resolve data %q: no cache folder to make it in; set HEADROOM_CACHE", text)
	}
	made, err := r.Builtin(r.CacheDir)
	if err != nil {
		return Builtin{}, fmt.Errorf("make %q in %s: %w", text, r.CacheDir, err)
	}
	return made, nil
}

// folder finds ./path or /path.
func (r *Resolver) folder(what string, ref reference) (string, error) {
	candidates := r.candidates(ref.name)
	for _, candidate := range candidates {
		info, err := os.Stat(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // it exists, but cannot be followed or entered
			return "", fmt.Errorf("resolve %s %q: %w", what, ref.text, err)
		}
		if !info.IsDir() {
			return "", fmt.Errorf("resolve %s %q: %s is not a folder", what, ref.text, candidate)
		}
		return candidate, nil
	}
	return "", fmt.Errorf("resolve %s %q: no such folder: %s", what, ref.text, strings.Join(candidates, ", "))
}

// candidates returns the absolute paths that a path may mean, without repetition.
func (r *Resolver) candidates(path string) []string {
	if filepath.IsAbs(path) {
		return []string{filepath.Clean(path)}
	}
	var list []string
	for _, base := range append([]string{r.Base}, r.Also...) {
		absolute, err := filepath.Abs(filepath.Join(base, filepath.FromSlash(path)))
		if err != nil {
			continue
		}
		known := false
		for _, other := range list {
			known = known || other == absolute
		}
		if !known {
			list = append(list, absolute)
		}
	}
	if len(list) == 0 {
		list = []string{filepath.Clean(path)}
	}
	return list
}

// folderBelowRoot finds data:PATH.
func (r *Resolver) folderBelowRoot(what string, ref reference) (string, error) {
	if r.DataRoot == "" {
		return "", fmt.Errorf("resolve %s %q: HEADROOM_DATA is not set; set it to the folder that holds %s", what, ref.text, ref.name)
	}
	return r.folder(what, reference{text: ref.text, name: filepath.Join(r.DataRoot, filepath.FromSlash(ref.name))})
}

func (r *Resolver) cached(name string) string {
	if r.CacheDir == "" {
		return ""
	}
	return filepath.Join(r.CacheDir, name)
}

func file(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look for %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("look for %s: not a file", path)
	}
	return nil
}
