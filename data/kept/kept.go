// Package kept keeps results about files until one of these changes in path, size or time: digests, counts, indexes,
// unpacked texts. Errors of the folder are not returned: a result that cannot be kept is computed again.
package kept

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"headroom/internal/atomic"
)

// settled is the age at which a file is old enough to keep results about it: a younger file could change again
// within the resolution of its time stamp.
const settled = 2 * time.Second

// Store is a folder of results; with Dir "" nothing is kept.
type Store struct {
	Dir string

	disk atomic.Disk
}

// Key identifies a question about some files in their present state.
type Key struct {
	entry entry
	sum   string
	// Young is true if a file is too new to keep results about it.
	Young bool
}

// entry is a result as it is written.
type entry struct {
	What   string  `json:"what"`
	Files  []state `json:"files"`
	Result string  `json:"result"`
	// Sum is a checksum of the question and of the result: a result that has changed on disk is computed again.
	Sum string `json:"sum"`
}

// checksum returns the checksum of an entry with a result.
func (k Key) checksum(result string) string {
	sum := sha256.Sum256([]byte(k.sum + "\x00" + result))
	return hex.EncodeToString(sum[:])
}

// state is the state of a file on which a result depends.
type state struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
}

// KeyOf returns the key of a question (what) about files, from their present state.
func KeyOf(what string, paths ...string) (Key, error) {
	k := Key{entry: entry{What: what}}
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return k, fmt.Errorf("look for %s: %w", path, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return k, fmt.Errorf("look for %s: %w", path, err)
		}
		k.Young = k.Young || time.Since(info.ModTime()) < settled
		k.entry.Files = append(k.entry.Files, state{absolute, info.Size(), info.ModTime().UnixNano()})
	}
	text, err := json.Marshal(k.entry)
	if err != nil {
		return k, fmt.Errorf("look for %q: %w", paths, err)
	}
	sum := sha256.Sum256(text)
	k.sum = hex.EncodeToString(sum[:])
	return k, nil
}

// Get returns a result that Put has kept, and false if there is none or if it has changed
// on disk.
func (s Store) Get(k Key) (string, bool) {
	if s.Dir == "" {
		return "", false
	}
	text, err := os.ReadFile(s.digest(k))
	if err != nil {
		return "", false
	}
	var known entry
	if json.Unmarshal(text, &known) != nil || known.Result == "" || known.Sum != k.checksum(known.Result) {
		return "", false
	}
	return known.Result, true
}

// Put keeps a small result, which must not be empty, whole or not at all.
func (s Store) Put(k Key, result string) {
	if s.Dir == "" || k.Young {
		return
	}
	now := k.entry
	now.Result, now.Sum = result, k.checksum(result)
	text, err := json.Marshal(now)
	if err != nil {
		return
	}
	_ = s.write(s.digest(k), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (s Store) digest(k Key) string { return filepath.Join(s.Dir, "digests", k.sum+".json") }

// checked ends the names of files with checksums; files of older programs have neither.
const checked = ".checked"

// File returns the path of a key's large result, in a folder of the store; "" if nothing is to be kept.
// The name begins with a digest of the question and the paths, by which RemoveSuperseded finds results of
// former states.
func (s Store) File(k Key, folder string) string {
	if s.Dir == "" || k.Young {
		return ""
	}
	return filepath.Join(s.Dir, folder, k.paths()+"-"+k.sum[:32]+checked)
}

// paths returns a digest of the question and the paths, without the files' state.
func (k Key) paths() string {
	names := k.entry.What
	for _, file := range k.entry.Files {
		names += "\x00" + file.Path
	}
	sum := sha256.Sum256([]byte(names))
	return hex.EncodeToString(sum[:8])
}

// abandoned is the age at which no process can still be writing a temporary file.
const abandoned = 24 * time.Hour

// RemoveSuperseded removes the files of the same question and paths in former states, and files that killed
// processes left half written in the folder.
func (s Store) RemoveSuperseded(k Key, folder string) {
	own := s.File(k, folder)
	if own == "" {
		return
	}
	entries, err := os.ReadDir(filepath.Join(s.Dir, folder))
	if err != nil {
		return
	}
	for _, entry := range entries {
		path := filepath.Join(s.Dir, folder, entry.Name())
		former := strings.HasPrefix(entry.Name(), k.paths()+"-") && path != own
		if atomic.Leftover(entry.Name()) {
			info, err := entry.Info()
			former = err == nil && time.Since(info.ModTime()) > abandoned
		}
		if former {
			_ = os.Remove(path) // a process that still reads it holds it open
		}
	}
}

// WriteFile writes a large result, with checksums, for OpenFile. It appears under its name only when it is whole
// and on disk.
func (s Store) WriteFile(name string, fill func(io.Writer) error) error {
	return s.write(name, func(to io.Writer) error {
		w := &checkedWriter{to: to}
		if err := fill(w); err != nil {
			return err
		}
		return w.flush()
	})
}

func (s Store) write(name string, fill func(io.Writer) error) error {
	if err := s.disk.MkdirAll(filepath.Dir(name)); err != nil {
		return err
	}
	return s.disk.WriteFile(name, fill)
}
