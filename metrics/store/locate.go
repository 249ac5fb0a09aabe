package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/metrics/record"
)

// FileName is the database's name in a workspace.
const FileName = "headroom.db"

// Locate returns the path of a workspace's database and makes its folder. The database is
// in the workspace. If that is read-only or on a network file system, on which SQLite loses
// data, it is in a cache folder, under the workspace's id; if the cache is on a network
// file system too, also under the machine's name. An empty cacheDir is headroom's folder in
// the user's cache.
func Locate(workspace, cacheDir string) (string, error) {
	info, err := os.Stat(workspace)
	if err != nil {
		return "", fmt.Errorf("locate database: %w", err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("locate database: workspace %q is not a folder", workspace)
	}
	if writable(workspace) && !network(workspace) {
		return filepath.Join(workspace, FileName), nil
	}
	return cached(workspace, cacheDir)
}

// cached returns the path in the cache folder.
func cached(workspace, cacheDir string) (string, error) {
	id, err := workspaceID(workspace)
	if err != nil {
		return "", fmt.Errorf("locate database: %w", err)
	}
	if cacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("locate database of %q, which must be in a cache folder: %w", workspace, err)
		}
		cacheDir = filepath.Join(user, "headroom")
	}
	folder, err := hostFolder(filepath.Join(cacheDir, "workspaces", id), network(existingParent(cacheDir)), os.Hostname)
	if err != nil {
		return "", fmt.Errorf("locate database: %w", err)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", fmt.Errorf("locate database of %q, which must be in a cache folder: %w", workspace, err)
	}
	return filepath.Join(folder, FileName), nil
}

// hostFolder returns a folder that only this machine uses: if several machines see the folder, it adds the machine's
// name.
func hostFolder(folder string, shared bool, name func() (string, error)) (string, error) {
	if !shared {
		return folder, nil
	}
	host, err := name()
	if err != nil {
		return "", fmt.Errorf("name this host: %w", err)
	}
	return filepath.Join(folder, "host-"+filepath.Base(host)), nil
}

// existingParent returns the path if it exists, else the nearest folder above it that does.
func existingParent(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

func workspaceID(workspace string) (string, error) {
	path := filepath.Join(workspace, record.IdentityFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%q is no workspace: it has no workspace.json", workspace)
	}
	if err != nil {
		return "", err
	}
	var w record.Identity
	if err := json.Unmarshal(text, &w); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if w.ID == "" || w.ID != filepath.Base(w.ID) || strings.HasPrefix(w.ID, ".") {
		return "", fmt.Errorf(`read %s: id is %q: want a name without slashes`, path, w.ID)
	}
	return w.ID, nil
}
