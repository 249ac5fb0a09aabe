// Package published is the table of collections that have names: where each comes from, its
// files, sizes and licence, and its numbers of rows. The table is published.toml; this package
// neither reads nor writes the disk.
package published

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"headroom/data/download"
	"headroom/internal/near"
)

//go:embed published.toml
var text []byte

// File is one file that is downloaded: from an address, or from a dataset on the hub.
type File struct {
	// URL is the address; "" for a file of the hub.
	URL string `toml:"url"`
	// Header is sent with the request, as "Name: value"; "" sends none.
	Header string `toml:"header"`
	// Hub is the dataset, owner/name; Path the file in it or a pattern of several, as of
	// path.Match; Revision the branch or commit, "" for main.
	Hub      string `toml:"hub"`
	Path     string `toml:"path"`
	Revision string `toml:"revision"`
	// Flat stores files of the hub under their own names, without their folders.
	Flat bool `toml:"flat"`
	// Size in bytes, 0 if it is not published.
	Size int64 `toml:"size"`
	// MD5 or SHA256 as published, in hexadecimal; "" if none is.
	MD5    string `toml:"md5"`
	SHA256 string `toml:"sha256"`
}

// Digest is the published digest; "" if there is none.
func (f File) Digest() string {
	return cmp.Or(f.SHA256, f.MD5)
}

// Name is the file's own name.
func (f File) Name() string {
	if f.URL != "" {
		if u, err := url.Parse(f.URL); err == nil {
			return path.Base(u.Path)
		}
	}
	return path.Base(f.Path)
}

// Package is a set of files that are downloaded together into one folder.
type Package struct {
	// Name is its folder below the data folder, such as "beir/scifact".
	Name    string `toml:"name"`
	Licence string `toml:"licence"`
	Cite    string `toml:"cite"`
	Home    string `toml:"home"`
	Files   []File `toml:"files"`
	// Unpacked is the approximate size of the package in bytes; 0 if it can only be
	// guessed from the downloads.
	Unpacked int64 `toml:"unpacked"`
	// Inside is the folder around the archive's members, which is left out of their names;
	// "" if there is none.
	Inside string `toml:"inside"`
	// Rows is the number of lines or rows of each file, by its name in the package.
	Rows map[string]int `toml:"rows"`
}

// Size is the number of bytes to download, as far as it is published.
func (p Package) Size() int64 {
	total := int64(0)
	for _, f := range p.Files {
		total += f.Size
	}
	return total
}

// Counts are the numbers that a collection should have: of documents, and of judged queries and
// judgements in the split for which it is named (test, if it has one).
type Counts struct {
	Documents  int `toml:"documents" json:"documents"`
	Queries    int `toml:"queries" json:"queries"`
	Judgements int `toml:"judgements" json:"judgements"`
}

// Collection is the data behind a reference: a package's folder, or files of several packages.
type Collection struct {
	Name  string `toml:"name"`
	Title string `toml:"title"`
	// Package and, inside it, Folder ("" for the package itself) hold it as it is.
	Package string `toml:"package"`
	Folder  string `toml:"folder"`
	// Otherwise its parts are files, "package:file".
	Corpus  string            `toml:"corpus"`
	Queries string            `toml:"queries"`
	Splits  map[string]string `toml:"splits"`
	Counts  Counts            `toml:"counts"`
}

// Training is a set of examples that data.train may name.
type Training struct {
	Name  string `toml:"name"`
	Title string `toml:"title"`
	// Files are the examples, "package:file" or a pattern.
	Files string `toml:"files"`
	// Corpus and Queries resolve the ids in them, "package:file"; "" if they have none.
	Corpus  string `toml:"corpus"`
	Queries string `toml:"queries"`
	// Examples is the number of examples; 0 if that is not published.
	Examples int `toml:"examples"`
}

// Table lists all data with names.
type Table struct {
	Packages    []Package    `toml:"package"`
	Collections []Collection `toml:"collection"`
	Trainings   []Training   `toml:"training"`
}

// Read reads the table that comes with the program.
func Read() (Table, error) { return Parse(text) }

// Parse reads a table, strictly.
func Parse(text []byte) (Table, error) {
	var t Table
	meta, err := toml.NewDecoder(bytes.NewReader(text)).Decode(&t)
	if err != nil {
		return Table{}, fmt.Errorf("read the table of collections: %w", err)
	}
	var faults []error
	for _, key := range meta.Undecoded() {
		faults = append(faults, fmt.Errorf("unknown key %s", key))
	}
	faults = append(faults, t.check()...)
	if err := errors.Join(faults...); err != nil {
		return Table{}, fmt.Errorf("read the table of collections: %w", err)
	}
	return t, nil
}

// check finds contradictions in the table.
func (t Table) check() []error {
	var faults []error
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	known := map[string]bool{}
	for _, p := range t.Packages {
		if known[p.Name] {
			wrong("package %q is there twice", p.Name)
		}
		known[p.Name] = true
		if len(p.Files) == 0 || strings.Count(p.Name, "/") != 1 {
			wrong("package %q: FAMILY/NAME with files is allowed", p.Name)
		}
		for _, f := range p.Files {
			if (f.URL == "") == (f.Hub == "") {
				wrong("package %q: a file has a url or a hub", p.Name)
			}
			if digest := f.Digest(); digest != "" && !download.IsDigest(digest) {
				wrong("package %q: %q is no digest", p.Name, digest)
			}
		}
	}
	named := map[string]bool{}
	name := func(of string) {
		if named[of] || strings.Count(of, ":") != 1 {
			wrong("collection %q: a FAMILY:NAME of its own is allowed", of)
		}
		named[of] = true
	}
	for _, c := range t.Collections {
		name(c.Name)
	}
	for _, r := range t.Trainings {
		name(r.Name)
	}
	for of := range named {
		for _, p := range t.PackagesOf(of) {
			if !known[p] {
				wrong("%q needs package %q, which is not there", of, p)
			}
		}
	}
	return faults
}

// Collection finds a collection by its reference.
func (t Table) Collection(name string) (Collection, bool) {
	i := slices.IndexFunc(t.Collections, func(c Collection) bool { return c.Name == name })
	if i < 0 {
		return Collection{}, false
	}
	return t.Collections[i], true
}

// Training finds a set of examples by its reference.
func (t Table) Training(name string) (Training, bool) {
	i := slices.IndexFunc(t.Trainings, func(r Training) bool { return r.Name == name })
	if i < 0 {
		return Training{}, false
	}
	return t.Trainings[i], true
}

// Package finds a package by its name.
func (t Table) Package(name string) (Package, bool) {
	i := slices.IndexFunc(t.Packages, func(p Package) bool { return p.Name == name })
	if i < 0 {
		return Package{}, false
	}
	return t.Packages[i], true
}

// Split splits "package:file".
func Split(part string) (of, file string) {
	of, file, _ = strings.Cut(part, ":")
	return of, file
}

// PackagesOf lists the names of the packages that a reference needs; none for a reference that the
// table lacks.
func (t Table) PackagesOf(name string) []string {
	var parts []string
	if c, ok := t.Collection(name); ok {
		if c.Package != "" {
			return []string{c.Package}
		}
		parts = []string{c.Corpus, c.Queries}
		for _, split := range c.Splits {
			parts = append(parts, split)
		}
	}
	if r, ok := t.Training(name); ok {
		parts = []string{r.Files, r.Corpus, r.Queries}
	}
	var needs []string
	for _, part := range parts {
		if of, _ := Split(part); part != "" && !slices.Contains(needs, of) {
			needs = append(needs, of)
		}
	}
	slices.Sort(needs)
	return needs
}

// Names lists all references, in the table's order.
func (t Table) Names() []string {
	var names []string
	for _, c := range t.Collections {
		names = append(names, c.Name)
	}
	for _, r := range t.Trainings {
		names = append(names, r.Name)
	}
	return names
}

// Family reports whether the table has a family.
func (t Table) Family(name string) bool {
	return slices.ContainsFunc(t.Names(), func(known string) bool { return strings.HasPrefix(known, name+":") })
}

// Nearest is the reference, in the table or in further, that a misspelt one probably means; ""
// if none is near.
func (t Table) Nearest(name string, further ...string) string {
	return near.Word(name, append(t.Names(), further...))
}
