package source

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/download"
)

// need says which files of a hub model are needed.
type need int

const (
	needModel need = iota
	needTokenizer
)

// The files of a hub model. Optional ones are fetched if the model has them.
const (
	configFile     = "config.json"
	tokenizerFile  = "tokenizer.json"
	vocabularyFile = "vocab.txt" // BERT's, if there is no tokenizer.json
	weightsFile    = "model.safetensors"
	indexFile      = "model.safetensors.index.json"
	modulesFile    = "modules.json"
)

func optionalFiles() []string {
	return []string{
		"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", vocabularyFile,
		modulesFile, "config_sentence_transformers.json", "sentence_bert_config.json",
	}
}

// repository returns the name of a hub model's folder in the hub's cache.
func repository(name string) string { return "models--" + strings.ReplaceAll(name, "/", "--") }

// hub finds a model in the hub's cache: refs/<revision> names a commit, whose files are in
// snapshots/<commit>. Its identity is repository and commit, so that large weights need not
// be read.
func (r *Resolver) hub(ref reference, what need) (folder, identity string, err error) {
	if r.HubCache == "" {
		return "", "", r.absentError(ref, "no hub cache is known; set HF_HOME")
	}
	// A model that the hub once served without its owner may still be cached under that
	// name.
	names := []string{ref.name}
	if owner, short, _ := strings.Cut(ref.name, "/"); formerOwner(short) == owner {
		names = append(names, short)
	}
	reason := ""
	for _, name := range names {
		root := filepath.Join(r.HubCache, repository(name))
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			continue
		}
		folder, id, why, err := r.snapshot(ref, root, what)
		if err != nil {
			return "", "", err
		}
		if why == "" {
			return folder, "hub:" + ref.name + "@" + id, nil
		}
		if reason == "" {
			reason = why
		}
	}
	if reason == "" {
		reason = fmt.Sprintf("it is not in the hub's cache %s", r.HubCache)
	}
	return "", "", r.absentError(ref, reason)
}

// absentError returns the error for a model that is not in the cache. It says how to get it.
func (r *Resolver) absentError(ref reference, reason string) error {
	how := fmt.Sprintf("`run`, `pretrain`, `encode` and `evaluate --model` fetch configuration, tokenizer and safetensors of %s from %s", ref.name, r.Hub.Shown())
	if r.Offline {
		how = fmt.Sprintf("HF_HUB_OFFLINE forbids fetching it: unset that, bring it with `hf download %s`, or give a folder as ./FOLDER", ref.name)
	}
	return fmt.Errorf("resolve model %q: %w: %s; %s", ref.text, ErrUnresolved, reason, how)
}

// snapshot finds the folder of a revision. why says which file is missing or damaged.
func (r *Resolver) snapshot(ref reference, root string, what need) (folder, id, why string, err error) {
	id = ref.branch()
	if !download.IsCommit(id) {
		path := filepath.Join(root, "refs", filepath.FromSlash(id))
		text, err := os.ReadFile(path)
		if err != nil {
			return "", "", fmt.Sprintf("the hub's cache has no revision %q of it (%s)", id, filepath.Join(root, "refs")), nil
		}
		if id = strings.TrimSpace(string(text)); !download.IsCommit(id) {
			return "", "", "", fmt.Errorf("resolve model %q: %s holds no commit", ref.text, path)
		}
	}
	folder = filepath.Join(root, "snapshots", id)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", "", fmt.Sprintf("the hub's cache has no snapshot of commit %s (%s)", id, folder), nil
	}
	name, err := missingFile(folder, what)
	if err == nil && name == "" {
		why, err = r.damagedBlob(folder, what)
	}
	if err != nil {
		return "", "", "", fmt.Errorf("resolve model %q: %w", ref.text, err)
	}
	if name != "" {
		why = fmt.Sprintf("the cached snapshot lacks %s (%s)", name, folder)
	}
	return folder, id, why, nil
}

// damagedBlob compares the files of a snapshot with their digests, which are the names of
// the files that the snapshot links to, and returns which one differs. A file that is no
// such link has no digest.
func (r *Resolver) damagedBlob(folder string, what need) (string, error) {
	names, err := needed(folder, what)
	if err != nil {
		return "", err
	}
	for _, name := range append(names, optionalFiles()...) {
		path, err := filepath.EvalSymlinks(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil || filepath.Base(filepath.Dir(path)) != "blobs" || !hubDigest(filepath.Base(path)) {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("read the hub's cache: %w", err)
		}
		b := download.File{Name: name, Digest: filepath.Base(path), Size: info.Size()}
		got, err := r.Remember("blob", []string{path}, func() (string, error) { return sumOf(b, path) })
		if err != nil {
			return "", err
		}
		if got != b.Digest {
			return fmt.Sprintf("the cached %s is damaged: %s has the digest %s", name, path, got), nil
		}
	}
	return "", nil
}

// hubDigest reports whether a text is a digest by which the hub names files.
func hubDigest(text string) bool { return download.IsDigest(text) && len(text) != 32 }

// sumOf returns the digest of a file on disk, of the kind of its expected digest.
func sumOf(b download.File, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", b.Name, err)
	}
	defer f.Close()
	return b.Sum(f)
}

// branch returns the revision, or the default branch.
func (ref reference) branch() string {
	return cmp.Or(ref.revision, "main")
}

// missingFile returns the first needed file that a snapshot does not have; "" if it has all.
// Other programs may have fetched only the files that they use.
func missingFile(folder string, what need) (string, error) {
	names, err := needed(folder, what)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if file(filepath.Join(folder, filepath.FromSlash(name))) != nil {
			return name, nil
		}
	}
	return "", nil
}

// needed lists the files that a snapshot must have.
func needed(folder string, what need) ([]string, error) {
	has := func(name string) bool { return file(filepath.Join(folder, filepath.FromSlash(name))) == nil }
	names := []string{tokenizerFile}
	if !has(tokenizerFile) && has(vocabularyFile) {
		names = nil
	}
	if what == needModel {
		names = append([]string{configFile}, names...)
		switch {
		case has(weightsFile):
			names = append(names, weightsFile)
		case has(indexFile):
			shards, err := readList(folder, indexFile, shardNames)
			if err != nil {
				return nil, err
			}
			names = append(append(names, indexFile), shards...)
		default:
			names = append(names, weightsFile)
		}
		if has(modulesFile) {
			modules, err := readList(folder, modulesFile, func(text []byte) ([]string, error) { return moduleConfigs(text, "SpladePooling") })
			if err != nil {
				return nil, err
			}
			names = append(names, modules...)
		}
	}
	return names, nil
}

func readList(folder, name string, list func([]byte) ([]string, error)) ([]string, error) {
	path := filepath.Join(folder, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read model folder: %w", err)
	}
	names, err := list(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return names, nil
}

// shardNames lists the weight files that an index names, sorted.
func shardNames(text []byte) ([]string, error) {
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, err
	}
	var names []string
	for tensor, name := range index.Map {
		if !safe(name) || !strings.HasSuffix(name, ".safetensors") {
			return nil, fmt.Errorf("weight_map: tensor %q: %q cannot be a shard's name; allowed: NAME.safetensors", tensor, name)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("weight_map names no file")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// moduleConfigs lists the configurations of sentence-transformers' modules that
// have a folder of their own and whose type ends in class.
func moduleConfigs(text []byte, class string) ([]string, error) {
	var modules []struct{ Path, Type string }
	if err := json.Unmarshal(text, &modules); err != nil {
		return nil, err
	}
	var names []string
	for _, m := range modules {
		if m.Path == "" || !strings.HasSuffix(m.Type, class) {
			continue
		}
		for _, part := range strings.Split(m.Path, "/") {
			if !safe(part) {
				return nil, fmt.Errorf("%q cannot be a module's path; allowed: a folder inside the model's", m.Path)
			}
		}
		names = append(names, m.Path+"/"+configFile)
	}
	return names, nil
}
