package source

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// hub finds a model in the hub's cache: refs/<revision> names a commit, whose
// files lie in snapshots/<commit>. Its identity is repository and commit, so
// that large weights need not be read.
func (r *Resolver) hub(ref reference) (folder, identity string, err error) {
	absent := func(format string, args ...any) (string, string, error) {
		return "", "", fmt.Errorf("resolve model %q: %w: %s", ref.text, ErrUnresolved, fmt.Sprintf(format, args...))
	}
	if r.HubCache == "" {
		return absent("no hub cache is known; set HF_HOME, or give a folder as ./FOLDER")
	}
	branch := ref.revision
	if branch == "" {
		branch = "main"
	}
	names := []string{ref.name}
	if owner, short, _ := strings.Cut(ref.name, "/"); formerOwner(short) == owner {
		names = append(names, short)
	}
	root := ""
	for _, name := range names {
		candidate := filepath.Join(r.HubCache, "models--"+strings.ReplaceAll(name, "/", "--"))
		if info, err := os.Stat(candidate); err == nil && info.IsDir() {
			root = candidate
			break
		}
	}
	if root == "" {
		return absent("put it into the hub's cache %s (hf download %s), or give a folder as ./FOLDER; this version downloads nothing", r.HubCache, ref.name)
	}
	id := branch
	if !commit.MatchString(branch) {
		text, err := os.ReadFile(filepath.Join(root, "refs", filepath.FromSlash(branch)))
		if err != nil {
			return absent("the hub's cache has no revision %q of it (%s)", branch, filepath.Join(root, "refs"))
		}
		if id = strings.TrimSpace(string(text)); !commit.MatchString(id) {
			return "", "", fmt.Errorf("resolve model %q: %s holds no commit", ref.text, filepath.Join(root, "refs", branch))
		}
	}
	folder = filepath.Join(root, "snapshots", id)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return absent("the hub's cache has no snapshot of commit %s (%s)", id, folder)
	}
	for _, name := range []string{"config.json", "tokenizer.json"} {
		if file(filepath.Join(folder, name)) != nil {
			return absent("the cached snapshot lacks %s (%s)", name, folder)
		}
	}
	return folder, "hub:" + ref.name + "@" + id, nil
}
