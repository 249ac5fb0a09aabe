// Package packages keeps packages of published files on this machine: it finds them,
// downloads them, and verifies that they have not changed since.
//
// A package is whole in one folder, FAMILY/NAME below the data folder, or not there at all. It
// is downloaded to another folder, compared with the published digests, unpacked and counted,
// and only then gets its name. The folder also has SOURCE.json, which says where the files
// came from, and MANIFEST with the digest of each file. A package that somebody else has put
// into one of the further roots is used as it is.
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

// Store holds the folders of packages and the servers from which they come.
type Store struct {
	// Folder is the data folder for downloaded packages; with "" none can be downloaded.
	Folder string
	// Also are further folders that may have packages. They are searched before Folder.
	Also []string
	// Hub is the server of the hub's datasets.
	Hub download.Hub
	// Mirror is an address with files of other hosts at MIRROR/HOST/PATH; "" asks the hosts
	// themselves. Files of the hub always come from Hub's endpoint.
	Mirror string
	// Patience says how long to keep trying.
	Patience download.Patience
	// Free returns the free bytes on the disk where a folder is or will be; nil does not look.
	Free func(folder string) (bytes uint64, known bool)
}

// SourceFile is the name of the file that says where a package came from.
const SourceFile = "SOURCE.json"

// Origin is one file that was downloaded.
type Origin struct {
	From   string `json:"from"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Published is the digest with which the file was compared: "md5:…", "sha256:…" or, from
	// the hub, "git-sha1:…"; "" if none was known. Then every later download is compared
	// with SHA256.
	Published string `json:"published"`
	// Commit is the commit on the hub, "" for other files.
	Commit string `json:"commit,omitempty"`
}

// Source is the content of SourceFile.
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

// ErrAbsent is returned when a package is in none of the folders.
var ErrAbsent = errors.New("not here")

// Find returns the folder of a package; ErrAbsent if it is in none.
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

// Source reads a package's SourceFile. The error is fs.ErrNotExist if somebody else put the package there.
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

// Verify reads every byte of a package. It compares the digests with those at its download, and
// the numbers of rows with the published ones. sealed is false for a package without digests,
// which somebody else put there; then only rows are compared.
func (s Store) Verify(p published.Package) (sealed bool, err error) {
	folder, err := s.Find(p.Name)
	if err != nil {
		return false, err
	}
	err = seal.Check(folder, nil)
	switch {
	case errors.Is(err, seal.ErrNone):
	case err != nil:
		return false, fmt.Errorf("verify package %s: %w; remove %s and download it again: headroom data get", p.Name, err, folder)
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

// IncomingFolder is the folder for a package's downloads until the package is whole.
func (s Store) IncomingFolder(name string) string {
	return filepath.Join(s.Folder, ".incoming", strings.ReplaceAll(name, "/", "--"))
}

// recorded is the file with the digests of first downloads that nobody publishes.
func (s Store) recorded(name string) string {
	return filepath.Join(s.Folder, ".recorded", strings.ReplaceAll(name, "/", "--")+".json")
}
