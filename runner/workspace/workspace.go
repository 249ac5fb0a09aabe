// Package workspace knows the layout of a workspace, and reads and writes the small files
// that say what is to be computed. It neither reads nor writes results.
//
//	workspace.json                    id and format version
//	sweeps/<name>/<revision>.toml     the sweep as it was run, and beside it its
//	              <revision>.json     runs and baselines (record.Manifest)
//	runs/<id>/                        config.toml, inputs.json, provenance.json
//	baselines/<evaluation id>/        baseline.json (record.Baseline) and config.toml
//	backbones/<recipe id>/            a finished backbone; until then only
//	backbones/<recipe id>.toml        the recipe, and
//	backbones/<recipe id>.json        the digests of what it reads
//
// Every file appears whole under its name or not at all, and is sealed: every reader
// compares it with its checksum.
package workspace

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/internal/atomic"
	"headroom/internal/seal"
	"headroom/metrics/record"
)

// Format is the version of the layout that this program writes and reads.
const Format = 1

// ErrNone is returned when a folder holds no workspace: nothing has been run in
// it yet.
var ErrNone = errors.New("no workspace there: `headroom run` makes one")

// Workspace is an opened workspace.
type Workspace struct {
	// Root is the absolute path.
	Root string
	// ID is random and made once. It identifies the workspace wherever it is mounted.
	ID string

	disk atomic.Disk
}

// Open opens the workspace in a folder. It writes nothing.
func Open(root string) (Workspace, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Workspace{}, fmt.Errorf("open workspace: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(root, record.IdentityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Workspace{}, fmt.Errorf("open workspace %q: %w", root, ErrNone)
	}
	if err != nil {
		return Workspace{}, fmt.Errorf("open workspace: %w", err)
	}
	var id record.Identity
	damage := seal.CheckJSON("workspace.json", text)
	if err := json.Unmarshal(text, &id); err != nil || id.ID == "" || seal.IsDamage(damage) {
		return Workspace{}, fmt.Errorf("open workspace %q: workspace.json is damaged: want {\"id\":\"32 hexadecimal digits\",\"format\":%d}; write that, with any digits: they only name the workspace", root, Format)
	}
	if id.Format != Format {
		return Workspace{}, fmt.Errorf("open workspace %q: its format is %d; this program reads format %d", root, id.Format, Format)
	}
	return Workspace{Root: root, ID: id.ID}, nil
}

// OpenOrCreate opens the workspace in a folder and makes it if it is missing.
func OpenOrCreate(root string) (Workspace, error) {
	w, err := Open(root)
	if !errors.Is(err, ErrNone) {
		return w, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	if err := atomic.MkdirAll(root); err != nil {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	var random [16]byte
	rand.Read(random[:])
	text, err := seal.JSON(record.Identity{ID: hex.EncodeToString(random[:]), Format: Format})
	if err != nil {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	if err := createFile(atomic.Disk{}, filepath.Join(root, "workspace.json"), text); err != nil && !errors.Is(err, fs.ErrExist) {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	return Open(root) // of two that create at once, both open what the first wrote
}

// Run is the folder of a run.
func (w Workspace) Run(id string) string { return filepath.Join(w.Root, "runs", id) }

// Baseline is the folder of a baseline's evaluation.
func (w Workspace) Baseline(id string) string { return filepath.Join(w.Root, "baselines", id) }

// Backbone is the folder of a recipe's finished backbone.
func (w Workspace) Backbone(id string) string { return filepath.Join(w.Root, "backbones", id) }

// Database returns the store's file, if the workspace is on a local, writable file system.
func (w Workspace) Database() string { return filepath.Join(w.Root, "headroom.db") }

// createFile writes a file that must not exist yet.
func createFile(disk atomic.Disk, path string, text []byte) error {
	if err := disk.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return disk.CreateFile(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// replaceFile writes a file whole or leaves the old one.
func replaceFile(disk atomic.Disk, path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := disk.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return disk.WriteFile(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}
