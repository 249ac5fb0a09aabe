package workspace

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/seal"
	"headroom/metrics/record"
)

// WriteSweep keeps a sweep as its next revision, unless the last one is the same. It
// returns the revision, and sets it in the manifest.
func (w Workspace) WriteSweep(text []byte, m record.Manifest) (revision string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("keep sweep %q: %w", m.Sweep, err) }
	m.Schema = 1
	m.Text = textDigest(text)
	for {
		revisions, err := w.Revisions(m.Sweep)
		if err != nil {
			return fail(err)
		}
		if len(revisions) > 0 {
			last := revisions[len(revisions)-1]
			m.Revision = last
			same, err := w.holds(text, m)
			if err != nil && !seal.IsDamage(err) { // a sound one follows a damaged one
				return fail(err)
			}
			if same {
				return last, nil
			}
		}
		if m.Revision, err = w.nextRevision(m.Sweep); err != nil {
			return fail(err)
		}
		manifest, err := seal.JSON(m)
		if err != nil {
			return fail(err)
		}
		// The process that creates the text owns the number. The manifest is written
		// last: a revision without one does not count, not even after a crash.
		err = createFile(w.disk, w.sweepFile(m.Sweep, m.Revision, ".toml"), text)
		if errors.Is(err, fs.ErrExist) {
			continue // another `run` was faster
		}
		if err == nil {
			err = createFile(w.disk, w.sweepFile(m.Sweep, m.Revision, ".json"), manifest)
		}
		if err != nil {
			return fail(err)
		}
		return m.Revision, nil
	}
}

// nextRevision returns a number above every number that was ever used.
func (w Workspace) nextRevision(name string) (string, error) {
	entries, err := os.ReadDir(filepath.Join(w.Root, "sweeps", name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	highest := 0
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), ".")
		if n, err := strconv.Atoi(number); err == nil {
			highest = max(highest, n)
		}
	}
	return fmt.Sprintf("%04d", highest+1), nil
}

func textDigest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// holds reports whether a revision has the given text and manifest.
func (w Workspace) holds(text []byte, m record.Manifest) (bool, error) {
	oldText, old, err := w.ReadRevision(m.Sweep, m.Revision)
	if err != nil {
		return false, err
	}
	old.Text = m.Text // an older program wrote none
	was, err := json.Marshal(old)
	if err != nil {
		return false, err
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	return bytes.Equal(oldText, text) && bytes.Equal(was, manifest), nil
}

// ReadRevision returns the text and the manifest of one revision. Its error is
// *seal.Damage if they are not what was written.
func (w Workspace) ReadRevision(name, revision string) (text []byte, m record.Manifest, err error) {
	file := w.sweepFile(name, revision, ".toml")
	err = seal.ReadJSON(w.sweepFile(name, revision, ".json"), &m)
	if err == nil {
		text, err = os.ReadFile(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = &seal.Damage{Path: file, What: "it is missing"}
	}
	if err == nil && m.Text != "" && textDigest(text) != m.Text {
		err = &seal.Damage{Path: file, What: fmt.Sprintf("its digest is %s, its manifest says %s", textDigest(text), m.Text)}
	}
	if err != nil {
		return nil, m, fmt.Errorf("open revision %s of sweep %q: %w", revision, name, err)
	}
	return text, m, nil
}

// Sweeps lists the names of the sweeps that were run here.
func (w Workspace) Sweeps() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.Root, "sweeps"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list sweeps: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if revisions, err := w.Revisions(entry.Name()); err == nil && len(revisions) > 0 {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Revisions lists a sweep's revisions, oldest first; none is no error.
func (w Workspace) Revisions(name string) ([]string, error) {
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("list revisions of sweep %q: not a sweep's name", name)
	}
	entries, err := os.ReadDir(filepath.Join(w.Root, "sweeps", name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list revisions of sweep %q: %w", name, err)
	}
	var revisions []string
	for _, entry := range entries {
		if revision, ok := strings.CutSuffix(entry.Name(), ".json"); ok && !strings.HasPrefix(revision, ".") {
			revisions = append(revisions, revision)
		}
	}
	slices.Sort(revisions)
	return revisions, nil
}

// Sweep returns the text and the manifest of a sweep's last revision, or
// fs.ErrNotExist if it was never run here.
func (w Workspace) Sweep(name string) (file string, text []byte, m record.Manifest, err error) {
	revisions, err := w.Revisions(name)
	if err != nil {
		return "", nil, m, err
	}
	if len(revisions) == 0 {
		return "", nil, m, fmt.Errorf("open sweep %q: %w", name, fs.ErrNotExist)
	}
	last := revisions[len(revisions)-1]
	text, m, err = w.ReadRevision(name, last)
	if seal.IsDamage(err) {
		err = fmt.Errorf("%w; run the sweep from its file again, which makes a new revision", err)
	}
	return w.sweepFile(name, last, ".toml"), text, m, err
}

// Manifest reads the manifest of one of a sweep's revisions.
func (w Workspace) Manifest(sweep, revision string) (m record.Manifest, err error) {
	if err = seal.ReadJSON(w.sweepFile(sweep, revision, ".json"), &m); err != nil {
		return m, fmt.Errorf("open sweep %q: %w", sweep, err)
	}
	return m, nil
}

func (w Workspace) sweepFile(name, revision, extension string) string {
	return filepath.Join(w.Root, "sweeps", name, revision+extension)
}

// PutDamagedRevisionsAside renames the damaged revisions of a sweep that a later, sound one
// replaces, and returns a sentence for each. Its last revision stays: only the sweep's file
// can replace it.
func (w Workspace) PutDamagedRevisionsAside(name string) (done []string, err error) {
	revisions, err := w.Revisions(name)
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	for _, revision := range revisions[:len(revisions)-1] {
		_, _, err := w.ReadRevision(name, revision)
		if !seal.IsDamage(err) {
			continue
		}
		path := w.sweepFile(name, revision, ".json")
		if err := w.disk.Rename(path, path+".damaged"); err != nil {
			return done, fmt.Errorf("put revision %s of sweep %q aside: %w", revision, name, err)
		}
		done = append(done, fmt.Sprintf("%s: put aside as %s.damaged, since %v", path, filepath.Base(path), err))
	}
	return done, nil
}
