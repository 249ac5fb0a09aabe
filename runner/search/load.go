package search

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unsafe"

	"headroom/internal/filemap"
	"headroom/internal/parallel"
)

// ErrDamaged is returned when a saved index has changed since Save.
var ErrDamaged = errors.New("the index is damaged: build it again")

// Load opens a saved index and checks it completely: sizes, digests, and that its contents are consistent. Its files
// are mapped into memory, and the system reads them when they are needed.
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
		return nil, fmt.Errorf("%s: format version %d, this program reads %d: build the index again from its vectors, with `headroom index`", manifestName, m.Version, formatVersion)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	f, err := m.open(dir)
	if err != nil {
		return nil, err
	}
	x, err := m.index(f)
	if err == nil {
		err = x.check(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.release())
	}
	x.release = f.release
	return x, nil
}

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", file, fmt.Sprintf(format, args...), ErrDamaged)
}

// check makes sure that the manifest's numbers are possible for an index, before they are compared with the files.
func (m manifest) check() error {
	if m.Documents < 0 || m.Documents > math.MaxInt32 || m.Vocab < 0 || m.Vocab > math.MaxInt32 || m.Postings > math.MaxInt64/8 {
		return damaged(manifestName, "%d documents, %d terms, %d postings", m.Documents, m.Vocab, m.Postings)
	}
	if m.Terms != "ids" && m.Terms != "words" {
		return damaged(manifestName, "terms %q: neither ids nor words", m.Terms)
	}
	if m.Weights != "float32" && m.Weights != "float16" {
		return damaged(manifestName, "weights %q: neither float32 nor float16", m.Weights)
	}
	documents, postings := 0, uint64(0)
	for i, b := range m.Blocks {
		if b.Documents < 1 || b.Documents > blockDocuments || b.Lists < 0 || b.Lists > m.Vocab || b.Postings < 0 || b.Postings > math.MaxUint32 {
			return damaged(manifestName, "block %d has %d documents, %d lists, %d postings", i, b.Documents, b.Lists, b.Postings)
		}
		documents, postings = documents+b.Documents, postings+uint64(b.Postings)
	}
	if documents != m.Documents || postings != m.Postings {
		return damaged(manifestName, "its blocks have %d documents and %d postings, not %d and %d", documents, postings, m.Documents, m.Postings)
	}
	return nil
}

// files are the parts of an index, mapped.
type files struct {
	names    map[string]string
	data     map[string][]byte
	releases []func() error
}

func (f *files) release() error {
	var err error
	for _, release := range f.releases {
		err = errors.Join(err, release())
	}
	return err
}

// open maps the parts and compares their sizes and digests.
func (m manifest) open(dir string) (*files, error) {
	f := &files{names: map[string]string{}, data: map[string][]byte{}}
	parts := []string{partPostings, partWeights, partDocuments, partRanks, partLists}
	if m.Terms == "words" {
		parts = append(parts, partWords)
	}
	digests := map[string]string{}
	for _, part := range parts {
		i := slices.IndexFunc(m.Files, func(file manifestFile) bool { return file.Part == part })
		if i < 0 || m.Files[i].Name != filepath.Base(m.Files[i].Name) {
			return nil, errors.Join(damaged(manifestName, "no file for %s", part), f.release())
		}
		if err := f.open(dir, m.Files[i], m.bytes(part)); err != nil {
			return nil, errors.Join(err, f.release())
		}
		digests[part] = m.Files[i].SHA256
	}
	faults := make([]error, len(parts))
	parallel.For(len(parts), runtime.GOMAXPROCS(0), func(i int) {
		sum := sha256.Sum256(f.data[parts[i]])
		if got := hex.EncodeToString(sum[:]); got != digests[parts[i]] {
			faults[i] = damaged(f.names[parts[i]], "digest %s instead of %s", got, digests[parts[i]])
		}
	})
	if err := cmp.Or(faults...); err != nil {
		return nil, errors.Join(err, f.release())
	}
	return f, nil
}

// bytes is the size of a part that the manifest's numbers imply, or -1.
func (m manifest) bytes(part string) int64 {
	lists := int64(0)
	for _, b := range m.Blocks {
		lists += int64(b.Lists)
	}
	switch part {
	case partRanks:
		return int64(m.Documents) * 4
	case partLists:
		return lists * int64(unsafe.Sizeof(list{}))
	case partPostings:
		return int64(m.Postings) * 2
	case partWeights:
		if m.Weights == "float16" {
			return int64(m.Postings) * 2
		}
		return int64(m.Postings) * 4
	}
	return -1
}

func (f *files) open(dir string, entry manifestFile, wanted int64) error {
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
	data, release, err := filemap.Map(file, info.Size())
	if err != nil {
		return err
	}
	f.names[entry.Part], f.data[entry.Part], f.releases = entry.Name, data, append(f.releases, release)
	return nil
}

// index makes an index of the mapped parts.
func (m manifest) index(f *files) (*Index, error) {
	x := &Index{vocab: m.Vocab, postings: m.Postings, half: m.Weights == "float16", ranks: numbersIn[uint32](f.data[partRanks])}
	var err error
	if x.ids, err = readNames(f.data[partDocuments], m.Documents); err != nil {
		return nil, damaged(f.names[partDocuments], "%v", err)
	}
	if m.Terms == "words" {
		words, err := readNames(f.data[partWords], m.Vocab)
		if err != nil {
			return nil, damaged(f.names[partWords], "%v", err)
		}
		all := make([]string, words.len())
		for i := range all {
			all[i] = words.at(i)
		}
		x.terms = newDictionary(all)
	}
	lists, docs := numbersIn[list](f.data[partLists]), numbersIn[uint16](f.data[partPostings])
	var weights []float32
	var halves []uint16
	if x.half {
		halves = numbersIn[uint16](f.data[partWeights])
	} else {
		weights = numbersIn[float32](f.data[partWeights])
	}
	first := uint32(0)
	for _, size := range m.Blocks {
		b := block{first: first, documents: size.Documents, lists: lists[:size.Lists:size.Lists], docs: docs[:size.Postings:size.Postings]}
		lists, docs, first = lists[size.Lists:], docs[size.Postings:], first+uint32(size.Documents)
		if x.half {
			b.halves, halves = halves[:size.Postings:size.Postings], halves[size.Postings:]
		} else {
			b.weights, weights = weights[:size.Postings:size.Postings], weights[size.Postings:]
		}
		x.blocks = append(x.blocks, b)
	}
	return x, nil
}

// readNames reads the output of writeWords.
func readNames(data []byte, n int) (names, error) {
	if n > len(data) {
		return names{}, fmt.Errorf("%d words in %d bytes", n, len(data))
	}
	text := make([]byte, 0, len(data)-n)
	ends := make([]uint64, n)
	for i := range ends {
		length, used := binary.Uvarint(data)
		if used <= 0 || length > uint64(len(data)-used) {
			return names{}, fmt.Errorf("word %d has no length", i)
		}
		text = append(text, data[used:used+int(length)]...)
		data = data[used+int(length):]
		ends[i] = uint64(len(text))
	}
	if len(data) > 0 {
		return names{}, fmt.Errorf("%d bytes follow the last word", len(data))
	}
	return names{string(text), ends}, nil
}
