package search

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// ErrDamaged is returned when a saved index is not as Save left it.
var ErrDamaged = errors.New("the index is damaged: build it again")

// Load reads a saved index and checks all of it: sizes, digests, and that it is an index in itself.
func Load(dir string) (*Index, error) {
	index, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("load index %q: %w", dir, err)
	}
	return index, nil
}

func load(dir string) (*Index, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no %s: `headroom index` makes the folder: %w", manifestName, err)
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, damaged(manifestName, "%v", err)
	}
	if m.Format != formatName {
		return nil, damaged(manifestName, "format %q, not %q", m.Format, formatName)
	}
	if m.Version != formatVersion {
		return nil, fmt.Errorf("%s: format version %d, this program reads %d: build the index again", manifestName, m.Version, formatVersion)
	}
	if m.Documents < 0 || m.Documents > math.MaxInt32 || m.Vocab < 0 || m.Vocab > math.MaxInt32 || m.Postings > math.MaxInt64/8 {
		return nil, damaged(manifestName, "%d documents, %d terms, %d postings", m.Documents, m.Vocab, m.Postings)
	}
	x := &Index{}
	if err := m.read(dir, "documents", -1, func(r *bufio.Reader, bytes int64) (err error) {
		x.ids, err = readWords(r, m.Documents, bytes)
		return err
	}); err != nil {
		return nil, err
	}
	if err := m.read(dir, "positions", int64(m.Documents)*4, func(r *bufio.Reader, _ int64) (err error) {
		x.positions, err = readNumbers(r, uint64(m.Documents), 4, binary.LittleEndian.Uint32)
		return err
	}); err != nil {
		return nil, err
	}
	if err := m.read(dir, "offsets", int64(m.Vocab+1)*8, func(r *bufio.Reader, _ int64) (err error) {
		x.offsets, err = readNumbers(r, uint64(m.Vocab+1), 8, binary.LittleEndian.Uint64)
		return err
	}); err != nil {
		return nil, err
	}
	if err := m.read(dir, "postings", int64(m.Postings)*4, func(r *bufio.Reader, _ int64) (err error) {
		x.docs, err = readNumbers(r, m.Postings, 4, binary.LittleEndian.Uint32)
		return err
	}); err != nil {
		return nil, err
	}
	if err := m.read(dir, "weights", int64(m.Postings)*4, func(r *bufio.Reader, _ int64) (err error) {
		x.weights, err = readNumbers(r, m.Postings, 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		})
		return err
	}); err != nil {
		return nil, err
	}
	switch m.Terms {
	case "ids":
	case "words":
		if err := m.read(dir, "words", -1, func(r *bufio.Reader, bytes int64) error {
			words, err := readWords(r, m.Vocab, bytes)
			x.terms = newDictionary(words)
			return err
		}); err != nil {
			return nil, err
		}
	default:
		return nil, damaged(manifestName, "terms %q: neither ids nor words", m.Terms)
	}
	return x, x.check()
}

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", file, fmt.Sprintf(format, args...), ErrDamaged)
}

// read opens a part, checks its size before anything is taken into memory and its digest afterwards;
// wanted is the size that the manifest's numbers imply, or -1.
func (m manifest) read(dir, part string, wanted int64, read func(r *bufio.Reader, bytes int64) error) error {
	var entry *manifestFile
	for i := range m.Files {
		if m.Files[i].Part == part {
			entry = &m.Files[i]
		}
	}
	if entry == nil || entry.Name != filepath.Base(entry.Name) {
		return damaged(manifestName, "no file for %s", part)
	}
	file, err := os.Open(filepath.Join(dir, entry.Name))
	if errors.Is(err, os.ErrNotExist) {
		return damaged(entry.Name, "the file is missing")
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != entry.Bytes || (wanted >= 0 && info.Size() != wanted) {
		return damaged(entry.Name, "%d bytes instead of %d", info.Size(), max(wanted, entry.Bytes))
	}
	digest := sha256.New()
	buffered := bufio.NewReaderSize(io.TeeReader(file, digest), 1<<18)
	if err := read(buffered, info.Size()); err != nil {
		return damaged(entry.Name, "%v", err)
	}
	if _, err := io.Copy(io.Discard, buffered); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != entry.SHA256 {
		return damaged(entry.Name, "digest %s instead of %s", got, entry.SHA256)
	}
	return nil
}

func readWords(r *bufio.Reader, n int, bytes int64) ([]string, error) {
	if int64(n) > bytes {
		return nil, fmt.Errorf("%d words in %d bytes", n, bytes)
	}
	words := make([]string, n)
	for i := range words {
		length, err := binary.ReadUvarint(r)
		if err != nil || length > uint64(bytes) {
			return nil, fmt.Errorf("word %d has no length", i)
		}
		word := make([]byte, length)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word)
	}
	return words, nil
}

func readNumbers[T any](r io.Reader, n uint64, size int, get func([]byte) T) ([]T, error) {
	numbers := make([]T, n)
	buffer := make([]byte, 1<<16)
	for left := numbers; len(left) > 0; {
		count := min(len(left), len(buffer)/size)
		if _, err := io.ReadFull(r, buffer[:count*size]); err != nil {
			return nil, err
		}
		for i := range count {
			left[i] = get(buffer[i*size:])
		}
		left = left[count:]
	}
	return numbers, nil
}

// check makes sure that searching cannot leave the arrays and that the order of documents is the ranking
// rule's: digests tell accidents, this tells a file that was made wrong.
func (x *Index) check() error {
	for i := 1; i < len(x.ids); i++ {
		if x.ids[i] >= x.ids[i-1] {
			return damaged("documents", "%q comes after %q", x.ids[i], x.ids[i-1])
		}
	}
	taken := make([]bool, len(x.positions))
	for _, position := range x.positions {
		if uint64(position) >= uint64(len(taken)) || taken[position] {
			return damaged("positions", "%d is too large or there twice", position)
		}
		taken[position] = true
	}
	if x.offsets[0] != 0 || x.offsets[x.Vocab()] != uint64(len(x.docs)) {
		return damaged("offsets", "they do not span the postings")
	}
	for term := range x.Vocab() {
		from, to := x.offsets[term], x.offsets[term+1]
		if from > to || to > uint64(len(x.docs)) {
			return damaged("offsets", "term %d begins at %d and ends at %d", term, from, to)
		}
		last := int64(-1)
		for _, doc := range x.docs[from:to] {
			if int64(doc) <= last || uint64(doc) >= uint64(len(x.ids)) {
				return damaged("postings", "term %d has document %d after %d", term, doc, last)
			}
			last = int64(doc)
		}
		for _, weight := range x.weights[from:to] {
			if !(weight > 0) || math.IsInf(float64(weight), 1) {
				return damaged("weights", "term %d has weight %v", term, weight)
			}
		}
	}
	if x.terms != nil {
		if len(x.terms.ids) != len(x.terms.words) {
			return damaged("words", "a word is there twice")
		}
	}
	return nil
}
