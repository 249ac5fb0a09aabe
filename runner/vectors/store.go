package vectors

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/atomic"
	"headroom/internal/seal"
	"headroom/runner/search"
)

// The ends of the names of blocks.
const (
	kept = ".vectors" // stays until somebody removes it
	part = ".part"    // of an encoding that is not at its end: removed when it is
)

// FolderName is what folders of blocks are called.
const FolderName = "vectors"

// Folder returns the folder of blocks inside the folder of a run or baseline.
func Folder(of string) string { return filepath.Join(of, FolderName) }

// ModelOf returns a unique name for the model in a sealed folder: the digest of its files' recorded digests. The model
// card is left out, since it does not change vectors.
func ModelOf(folder string) (string, error) {
	files, err := seal.Listed(folder)
	if err != nil {
		return "", err
	}
	var lines []string
	for name, digest := range files {
		if !strings.HasSuffix(name, ".md") {
			lines = append(lines, name+" "+digest)
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("model %x", sha256.Sum256([]byte(strings.Join(lines, "\n")))), nil
}

// IsPart reports whether a file's name is that of a block that is kept only until its encoding ends.
func IsPart(name string) bool { return strings.HasSuffix(name, part) }

// Kept returns the key in the name of a block's file that stays; "" for another file.
func Kept(name string) string {
	key, found := strings.CutSuffix(name, kept)
	if !found {
		return ""
	}
	return key
}

// Store reads and writes the blocks of a folder during one process's encoding. It is not safe for concurrent use;
// several processes may have stores on one folder.
type Store struct {
	folder string
	keep   bool
	disk   atomic.Disk
	// Also lists further folders in which Read looks for a block.
	Also []string

	parts map[Key]bool // blocks of the folder that Done removes
	stays map[Key]bool // blocks of the folder that stay
}

// Open returns the store of a folder, which is made when the first block is written. With keep its blocks stay.
// Without, Done removes those that this store has written or read, unless they were to stay before.
func Open(folder string, keep bool) *Store { return OpenOn(atomic.Disk{}, folder, keep) }

// OpenOn is Open on another disk.
func OpenOn(disk atomic.Disk, folder string, keep bool) *Store {
	return &Store{folder: folder, keep: keep, disk: disk, parts: map[Key]bool{}, stays: map[Key]bool{}}
}

// Folder returns the folder of the blocks.
func (s *Store) Folder() string { return s.folder }

// Keeps reports whether blocks that are written stay.
func (s *Store) Keeps() bool { return s.keep }

func (s *Store) path(key Key, end string) string { return filepath.Join(s.folder, key.String()+end) }

// Read returns a block. The error is fs.ErrNotExist if no folder has it, and *seal.Damage if it is not what
// was written; Write then replaces it.
func (s *Store) Read(key Key) ([]search.Vector, error) {
	block, err := readBlock(s.path(key, kept), key)
	if err == nil || seal.IsDamage(err) {
		s.stays[key] = true // what was kept and is damaged is kept when it is made again
		return block, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	block, err = readBlock(s.path(key, part), key)
	if err == nil {
		if !s.keep {
			s.parts[key] = true
			return block, nil
		}
		err = s.disk.Rename(s.path(key, part), s.path(key, kept))
		s.stays[key] = err == nil
		return block, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, folder := range s.Also {
		for _, end := range []string{kept, part} {
			block, err := readBlock(filepath.Join(folder, key.String()+end), key)
			if err != nil { // that folder's own reader says what is wrong
				continue
			}
			if s.keep {
				err = s.Write(key, block)
			}
			return block, err
		}
	}
	return nil, fs.ErrNotExist
}

func readBlock(path string, key Key) ([]search.Vector, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, err := read(text, key)
	if err != nil {
		return nil, &seal.Damage{Path: path, What: err.Error()}
	}
	return block, nil
}

// Write puts a block into the folder, whole or not at all.
func (s *Store) Write(key Key, block []search.Vector) error {
	end := part
	if s.keep || s.stays[key] {
		end = kept
	}
	path := s.path(key, end)
	err := s.disk.MkdirAll(s.folder)
	if err == nil {
		err = s.disk.WriteFile(path, func(w io.Writer) error { return write(w, key, block) })
	}
	if err != nil {
		return fmt.Errorf("keep vectors: %w", err)
	}
	if end == kept {
		s.stays[key] = true
	} else {
		s.parts[key] = true
	}
	return nil
}

// Stays reports whether this store has read or written a block that Done does not remove.
func (s *Store) Stays(key Key) bool { return s.stays[key] }

// Done removes the blocks that only a killed encoding would have needed. Call it when the encoding has ended.
func (s *Store) Done() error {
	var faults error
	for key := range s.parts {
		if err := os.Remove(s.path(key, part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = errors.Join(faults, err)
		}
	}
	clear(s.parts)
	_ = os.Remove(s.folder) // if it is empty
	return faults
}

// List names the blocks of a collection's documents, in its order. It is in an evaluation's folder.
type List struct {
	// Folder is the path to the blocks from the list's folder.
	Folder    string   `json:"folder"`
	Documents int      `json:"documents"`
	Blocks    []string `json:"blocks"`
}

// Write writes the list, sealed.
func (l List) Write(w io.Writer) error {
	text, err := seal.IndentedJSON(l)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// ReadList reads a list.
func ReadList(path string) (List, error) {
	var l List
	text, err := os.ReadFile(path)
	if err == nil {
		err = seal.CheckJSON(path, text)
	}
	if err == nil {
		if fault := json.Unmarshal(text, &l); fault != nil {
			err = &seal.Damage{Path: path, What: fault.Error()}
		}
	}
	return l, err
}

// Path returns the file of the i-th block of a list, given the list's folder.
func (l List) Path(folder string, i int) (string, error) {
	key, err := l.key(folder, i)
	return l.file(folder, key), err
}

// Block reads the i-th block of a list, given the list's folder.
func (l List) Block(folder string, i int) ([]search.Vector, error) {
	key, err := l.key(folder, i)
	if err != nil {
		return nil, err
	}
	return readBlock(l.file(folder, key), key)
}

func (l List) file(folder string, key Key) string {
	return filepath.Join(folder, filepath.FromSlash(l.Folder), key.String()+kept)
}

func (l List) key(folder string, i int) (Key, error) {
	digest, err := hex.DecodeString(l.Blocks[i])
	if err != nil || len(digest) != len(Key{}) {
		return Key{}, fmt.Errorf("block %d of the list in %s is %q: no digest", i, folder, l.Blocks[i])
	}
	return Key(digest), nil
}
