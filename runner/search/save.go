package search

import (
	"cmp"
	"crypto/rand"
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

// manifestName is the file that makes a folder an index. It is written last, so that a folder has either the whole
// new index or its old one.
const manifestName = "index.json"

// formatName and formatVersion are the first members of the manifest.
const (
	formatName    = "headroom sparse index"
	formatVersion = 2
)

// The parts of an index, one file per part. All numbers in them are little-endian.
const (
	partDocuments = "documents" // each id: its length, then its bytes
	partRanks     = "ranks"     // Index.ranks
	partLists     = "lists"     // block.lists of each block
	partPostings  = "postings"  // block.docs of each block
	partWeights   = "weights"   // block.weights, or block.halves, of each block
	partWords     = "words"     // the dictionary, if there is one, as documents
)

// manifest describes a saved index.
type manifest struct {
	Format    string `json:"format"`
	Version   int    `json:"version"`
	Documents int    `json:"documents"`
	Vocab     int    `json:"vocab"`
	Postings  uint64 `json:"postings"`
	// Terms is "ids" if terms are token ids, "words" if the file words gives them.
	Terms string `json:"terms"`
	// Weights is "float32" or "float16".
	Weights string          `json:"weights"`
	Blocks  []manifestBlock `json:"blocks"`
	Files   []manifestFile  `json:"files"`
}

// manifestBlock holds the sizes of a block's share of the files.
type manifestBlock struct {
	Documents int `json:"documents"`
	Lists     int `json:"lists"`
	Postings  int `json:"postings"` // also the number of weights
}

// manifestFile is one part. Its name contains the start of its digest, so that a new index never touches the files
// of the one that it replaces.
type manifestFile struct {
	Part   string `json:"part"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrNotIndex is returned when the target folder has files that do not belong to an index.
var ErrNotIndex = errors.New("the folder is not empty and holds no index")

// Save writes the index into a folder, and makes the folder if it is missing. It replaces an index in the folder
// in one step: an interrupted Save leaves the old index whole.
func (x *Index) Save(dir string) error {
	_, err := create(atomic.Disk{}, dir, x.eachBlock)
	return err
}

// eachBlock calls to with every block of the index.
func (x *Index) eachBlock(to func(block) error) (*Index, error) {
	for _, b := range x.blocks {
		if err := to(b); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Create makes an index in a folder, as Save does, while fill builds it: a finished block is written to the disk and
// freed. fill returns the result of its builder's Finish, which cannot be searched; load the folder for that.
func Create(dir string, options Options, fill func(*Builder) (*Index, error)) (Summary, error) {
	return create(atomic.Disk{}, dir, func(spill func(block) error) (*Index, error) {
		options.MaxPostings = cmp.Or(options.MaxPostings, math.MaxInt64)
		builder := NewBuilder(options)
		builder.spill = spill
		return fill(builder)
	})
}

func create(disk atomic.Disk, dir string, build func(spill func(block) error) (*Index, error)) (Summary, error) {
	failed := func(err error) (Summary, error) { return Summary{}, fmt.Errorf("save index %q: %w", dir, err) }
	if err := checkTarget(dir); err != nil {
		return failed(err)
	}
	made := missingFolders(dir)
	if err := disk.MkdirAll(dir); err != nil {
		return failed(err)
	}
	var x *Index
	var refused error
	err := write(disk, dir, func(spill func(block) error) (*Index, error) {
		var full error
		x, refused = build(func(b block) error {
			full = spill(b)
			return full
		})
		if full != nil { // a fault of the disk, not of the documents
			refused = nil
			return nil, full
		}
		return x, refused
	})
	if err != nil {
		for _, folder := range made {
			_ = os.Remove(folder) // succeeds only for an empty folder
		}
	}
	switch {
	case refused != nil:
		return Summary{}, refused
	case err != nil:
		return failed(err)
	}
	return x.Summary(), nil
}

// missingFolders returns dir and its parent folders that do not exist, the innermost first.
func missingFolders(dir string) []string {
	var list []string
	for {
		if _, err := os.Lstat(dir); err == nil {
			return list
		}
		list = append(list, dir)
		parent := filepath.Dir(dir)
		if parent == dir {
			return list
		}
		dir = parent
	}
}

// write makes all files; the manifest is the last.
func write(disk atomic.Disk, dir string, build func(spill func(block) error) (*Index, error)) error {
	var x *Index
	var blocks []manifestBlock
	var weightsFile manifestFile
	postingsFile, err := writePart(disk, dir, partPostings, func(postings io.Writer) (err error) {
		weightsFile, err = writePart(disk, dir, partWeights, func(weights io.Writer) (err error) {
			x, err = build(func(b block) error {
				blocks = append(blocks, manifestBlock{b.documents, len(b.lists), len(b.docs)})
				for _, part := range []struct {
					to    io.Writer
					bytes []byte
				}{{postings, bytesOf(b.docs)}, {weights, bytesOf(b.weights)}, {weights, bytesOf(b.halves)}} {
					if _, err := part.to.Write(part.bytes); err != nil {
						return err
					}
				}
				return nil
			})
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	m := manifest{
		Format: formatName, Version: formatVersion, Weights: "float32", Terms: "ids", Blocks: blocks,
		Documents: x.Documents(), Vocab: x.Vocab(), Postings: x.Postings(), Files: []manifestFile{postingsFile, weightsFile},
	}
	if x.half {
		m.Weights = "float16"
	}
	small := []struct {
		name  string
		write func(io.Writer) error
	}{
		{partDocuments, func(w io.Writer) error { return writeWords(w, x.ids.len(), x.ids.at) }},
		{partRanks, func(w io.Writer) error { _, err := w.Write(bytesOf(x.ranks)); return err }},
		{partLists, func(w io.Writer) error {
			for _, b := range x.blocks {
				if _, err := w.Write(bytesOf(b.lists)); err != nil {
					return err
				}
			}
			return nil
		}},
		{partWords, func(w io.Writer) error {
			return writeWords(w, len(x.terms.words), func(i int) string { return x.terms.words[i] })
		}},
	}
	if x.terms == nil {
		small = small[:len(small)-1]
	} else {
		m.Terms = "words"
	}
	for _, part := range small {
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

// checkTarget accepts a folder that is absent, empty, an index, or the remains of an interrupted first Save.
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
	tempEnd = ".part" // of earlier versions, as the parts positions and offsets are
)

func isPart(name string) bool {
	if strings.HasSuffix(name, tempEnd) || atomic.Leftover(name) {
		return true
	}
	for _, part := range []string{partDocuments, partRanks, partLists, partPostings, partWeights, partWords, "positions", "offsets"} {
		if digest, ok := strings.CutPrefix(name, part+"-"); ok && strings.HasSuffix(digest, partEnd) {
			return true
		}
	}
	return false
}

// writePart writes a file and then gives it a name with its digest.
func writePart(disk atomic.Disk, dir, part string, fill func(io.Writer) error) (manifestFile, error) {
	counted := &countingHash{hash: sha256.New()}
	unnamed := filepath.Join(dir, part+"-"+rand.Text()+partEnd)
	err := disk.WriteFile(unnamed, func(w io.Writer) error { return fill(io.MultiWriter(w, counted)) })
	if err != nil {
		return manifestFile{}, err
	}
	digest := hex.EncodeToString(counted.hash.Sum(nil))
	file := manifestFile{Part: part, Name: part + "-" + digest[:16] + partEnd, Bytes: counted.bytes, SHA256: digest}
	return file, disk.Rename(unnamed, filepath.Join(dir, file.Name))
}

func writeManifest(disk atomic.Disk, dir string, text []byte) error {
	return disk.WriteFile(filepath.Join(dir, manifestName), func(w io.Writer) error { _, err := w.Write(text); return err })
}

// removeOld removes parts that the manifest does not name.
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
func writeWords(w io.Writer, n int, word func(int) string) error {
	var buffer []byte
	for i := range n {
		buffer = binary.AppendUvarint(buffer, uint64(len(word(i))))
		buffer = append(buffer, word(i)...)
		if len(buffer) < 1<<16 && i < n-1 {
			continue
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		buffer = buffer[:0]
	}
	return nil
}
