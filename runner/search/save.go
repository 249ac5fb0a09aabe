package search

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/atomic"
)

// manifestName is the file that makes a folder an index; it is written last, so that a folder either has a
// whole index or the one it had before.
const manifestName = "index.json"

// formatName and formatVersion open the manifest.
const (
	formatName    = "headroom sparse index"
	formatVersion = 1
)

// manifest describes a saved index. All numbers in the other files are little-endian.
type manifest struct {
	Format    string `json:"format"`
	Version   int    `json:"version"`
	Documents int    `json:"documents"`
	Vocab     int    `json:"vocab"`
	Postings  uint64 `json:"postings"`
	// Terms is "ids" where terms are token ids, "words" where the file words gives them.
	Terms string         `json:"terms"`
	Files []manifestFile `json:"files"`
}

// manifestFile is one part: its name holds the start of its digest, so that a new index never touches the
// files of the one that it replaces.
type manifestFile struct {
	Part   string `json:"part"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrNotIndex is returned when a folder that is to be written holds something else than an index.
var ErrNotIndex = errors.New("the folder is not empty and holds no index")

// Save writes the index into a folder, which is made where it is missing. An index that the folder holds is
// replaced in one step: an interrupted Save leaves the old one whole.
func (x *Index) Save(dir string) error {
	if err := x.save(atomic.Disk{}, dir); err != nil {
		return fmt.Errorf("save index %q: %w", dir, err)
	}
	return nil
}

func (x *Index) save(disk atomic.Disk, dir string) error {
	if err := checkTarget(dir); err != nil {
		return err
	}
	if err := disk.MkdirAll(dir); err != nil {
		return err
	}
	m := manifest{
		Format: formatName, Version: formatVersion,
		Documents: x.Documents(), Vocab: x.Vocab(), Postings: x.Postings(), Terms: "ids",
	}
	parts := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"documents", func(w io.Writer) error { return writeWords(w, x.ids) }},
		{"positions", func(w io.Writer) error { return writeNumbers(w, x.positions, 4, putUint32) }},
		{"offsets", func(w io.Writer) error { return writeNumbers(w, x.offsets, 8, putUint64) }},
		{"postings", func(w io.Writer) error { return writeNumbers(w, x.docs, 4, putUint32) }},
		{"weights", func(w io.Writer) error { return writeNumbers(w, x.weights, 4, putFloat32) }},
		{"words", func(w io.Writer) error { return writeWords(w, x.terms.words) }},
	}
	if x.terms == nil {
		parts = parts[:len(parts)-1]
	} else {
		m.Terms = "words"
	}
	for _, part := range parts {
		file, err := writePart(disk, dir, part.name, part.write)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, file)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := writeManifest(disk, dir, append(text, '\n')); err != nil {
		return err
	}
	return removeOld(dir, m)
}

// checkTarget lets through a folder that is absent, empty, an index, or what an interrupted first Save left.
func checkTarget(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != manifestName && !isPart(entry.Name()) {
			return fmt.Errorf("%w: found %q", ErrNotIndex, entry.Name())
		}
	}
	return nil
}

const (
	partEnd = ".bin"
	tempEnd = ".part" // of earlier versions
)

func isPart(name string) bool {
	if strings.HasSuffix(name, tempEnd) || atomic.Leftover(name) {
		return true
	}
	for _, part := range []string{"documents", "positions", "offsets", "postings", "weights", "words"} {
		if digest, ok := strings.CutPrefix(name, part+"-"); ok && strings.HasSuffix(digest, partEnd) {
			return true
		}
	}
	return false
}

// writePart writes a file that is named for its digest, which is therefore made first.
func writePart(disk atomic.Disk, dir, part string, write func(io.Writer) error) (manifestFile, error) {
	counted := &countingHash{hash: sha256.New()}
	whole := bufio.NewWriterSize(counted, 1<<18)
	if err := errors.Join(write(whole), whole.Flush()); err != nil {
		return manifestFile{}, err
	}
	digest := hex.EncodeToString(counted.hash.Sum(nil))
	file := manifestFile{Part: part, Name: part + "-" + digest[:16] + partEnd, Bytes: counted.bytes, SHA256: digest}
	return file, disk.WriteFile(filepath.Join(dir, file.Name), write)
}

func writeManifest(disk atomic.Disk, dir string, text []byte) error {
	return disk.WriteFile(filepath.Join(dir, manifestName), func(w io.Writer) error { _, err := w.Write(text); return err })
}

// removeOld clears away parts that the manifest does not name.
func removeOld(dir string, m manifest) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		named := entry.Name() == manifestName
		for _, file := range m.Files {
			named = named || file.Name == entry.Name()
		}
		if !named && isPart(entry.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

type countingHash struct {
	hash  hash.Hash
	bytes int64
}

func (c *countingHash) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return c.hash.Write(p)
}

// writeWords writes each string as its length and its bytes.
func writeWords(w io.Writer, words []string) error {
	var buffer []byte
	for _, word := range words {
		buffer = binary.AppendUvarint(buffer[:0], uint64(len(word)))
		buffer = append(buffer, word...)
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

func putUint32(b []byte, n uint32)   { binary.LittleEndian.PutUint32(b, n) }
func putUint64(b []byte, n uint64)   { binary.LittleEndian.PutUint64(b, n) }
func putFloat32(b []byte, f float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(f)) }

func writeNumbers[T any](w io.Writer, numbers []T, size int, put func([]byte, T)) error {
	buffer := make([]byte, 1<<16)
	for len(numbers) > 0 {
		n := min(len(numbers), len(buffer)/size)
		for i, number := range numbers[:n] {
			put(buffer[i*size:], number)
		}
		if _, err := w.Write(buffer[:n*size]); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}
