// Package packages keeps packages of published files on this machine: it finds them, brings
// them, and says whether they are what they were when they came.
//
// A package lies whole in one folder, FAMILY/NAME below the data folder, or it does not lie
// there: it is downloaded aside, compared with the published digests, unpacked, counted and
// only then given its name. With it lie SOURCE.json, which says where it came from, and
// MANIFEST, the digest of each file. A package that somebody else has put into one of the
// further roots is taken as it is.
package packages

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/download"
	"headroom/data/published"
	"headroom/internal/seal"
)

// Store is where packages lie and where they come from.
type Store struct {
	// Folder is the data folder that packages are brought into; "" brings none.
	Folder string
	// Also are folders that may have packages as well. They come before Folder.
	Also []string
	// Hub is where datasets of the hub come from.
	Hub download.Hub
	// Mirror is an address under which hosts' files stand as MIRROR/HOST/PATH; "" asks the
	// hosts themselves. Files of the hub come from Hub's endpoint whatever it is.
	Mirror string
	// Patience is how long servers are tried.
	Patience download.Patience
	// Free says how many bytes are free where a folder is or will be; nil does not look.
	Free func(folder string) (bytes uint64, known bool)
}

// SourceFile is the name of the file that says where a package came from.
const SourceFile = "SOURCE.json"

// Origin is one file that was downloaded.
type Origin struct {
	From   string `json:"from"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Published is the digest that it was held to: "md5:…", "sha256:…" or, of the hub,
	// "git-sha1:…"; "" where none was known, and then SHA256 holds for every later download.
	Published string `json:"published"`
	// Commit is the hub's, "" for other files.
	Commit string `json:"commit,omitempty"`
}

// Source is what SourceFile holds.
type Source struct {
	Schema  int            `json:"schema"`
	Package string         `json:"package"`
	Licence string         `json:"licence"`
	Cite    string         `json:"cite"`
	Home    string         `json:"home"`
	Files   []Origin       `json:"files"`
	Rows    map[string]int `json:"rows"`
	Bytes   int64          `json:"bytes"`
}

// ErrAbsent is returned when a package is nowhere here.
var ErrAbsent = errors.New("not here")

// Find returns the folder of a package; ErrAbsent where it is in none.
func (s Store) Find(name string) (string, error) {
	for _, root := range append(append([]string{}, s.Also...), s.Folder) {
		if root == "" {
			continue
		}
		folder := filepath.Join(root, filepath.FromSlash(name))
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder, nil
		}
	}
	return "", fmt.Errorf("package %s: %w", name, ErrAbsent)
}

// Source reads what a package says of itself; fs.ErrNotExist where somebody else put it there.
func (s Store) Source(folder string) (Source, error) {
	var from Source
	text, err := os.ReadFile(filepath.Join(folder, SourceFile))
	if err != nil {
		return from, err
	}
	if err := json.Unmarshal(text, &from); err != nil {
		return from, fmt.Errorf("read %s: %w", filepath.Join(folder, SourceFile), err)
	}
	return from, nil
}

// Verify reads every byte of a package and compares it with the digests it came with, and its
// rows with what is published. sealed is false for a package that has no digests, because
// somebody else put it there: then only rows were compared.
func (s Store) Verify(p published.Package) (sealed bool, err error) {
	folder, err := s.Find(p.Name)
	if err != nil {
		return false, err
	}
	err = seal.Check(folder, nil)
	switch {
	case errors.Is(err, seal.ErrNone):
	case err != nil:
		return false, fmt.Errorf("verify package %s: %w; remove %s and bring it again: headroom data get", p.Name, err, folder)
	default:
		sealed = true
	}
	if _, err := checkRows(folder, p.Rows); err != nil {
		return sealed, fmt.Errorf("verify package %s in %s: %w", p.Name, folder, err)
	}
	return sealed, nil
}

// Bytes is the size of all files of a package.
func Bytes(folder string) int64 {
	total := int64(0)
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// Incoming is the folder in which a package's downloads lie until it is whole.
func (s Store) Incoming(name string) string {
	return filepath.Join(s.Folder, ".incoming", strings.ReplaceAll(name, "/", "--"))
}

// recorded is where the digests of first downloads are kept that nobody publishes.
func (s Store) recorded(name string) string {
	return filepath.Join(s.Folder, ".recorded", strings.ReplaceAll(name, "/", "--")+".json")
}
