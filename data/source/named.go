package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/groups"
	"headroom/data/packages"
	"headroom/data/published"
	"headroom/internal/atomic"
)

// Own is a collection that a user has named in headroom.toml: it is in a folder, or is
// downloaded from the hub or an address.
type Own struct {
	// Name is the reference, "family:name".
	Name string
	// Folder is absolute; "" if Hub or URL is given.
	Folder string
	// Hub is a dataset, owner/name[@revision].
	Hub string
	// URL is the address of an archive (zip, tar.gz) of a folder, SHA256 its digest or "".
	URL, SHA256 string
	// Layout is the layout that the folder must have; "" is any.
	Layout string
}

// packaged returns the package to download for a collection without a folder.
func (o Own) packaged(name string) published.Package {
	p := published.Package{Name: name, Home: o.URL, Files: []published.File{{URL: o.URL, SHA256: o.SHA256}}}
	if o.Hub != "" {
		dataset, revision, _ := strings.Cut(o.Hub, "@")
		p.Home = "hub:datasets/" + o.Hub
		p.Files = nil
		for _, pattern := range []string{"*", "*/*"} { // as collections are laid out there
			p.Files = append(p.Files, published.File{Hub: dataset, Revision: revision, Path: pattern})
		}
	}
	return p
}

// tables keeps the published table, which is read at its first use. Copies of a Resolver share it.
type tables struct {
	once  sync.Once
	table published.Table
	err   error
}

// published reads the table without the user's own collections.
func (r *Resolver) published() (published.Table, error) {
	read := published.Read
	if r.TableFile != "" {
		read = func() (published.Table, error) { return tableOf(r.TableFile) }
	}
	if r.tables == nil {
		return read()
	}
	r.tables.once.Do(func() { r.tables.table, r.tables.err = read() })
	t := r.tables.table
	t.Packages, t.Collections = slices.Clone(t.Packages), slices.Clone(t.Collections)
	return t, r.tables.err
}

// Table returns the published table with the user's own collections.
func (r *Resolver) Table() (published.Table, error) {
	t, err := r.published()
	if err != nil {
		return t, err
	}
	for _, own := range r.Own {
		t.Collections = slices.DeleteFunc(t.Collections, func(c published.Collection) bool { return c.Name == own.Name })
		c := published.Collection{Name: own.Name, Title: "of headroom.toml"}
		if own.Folder == "" {
			c.Package = strings.ReplaceAll(own.Name, ":", "/")
			t.Packages = slices.DeleteFunc(t.Packages, func(p published.Package) bool { return p.Name == c.Package })
			t.Packages = append(t.Packages, own.packaged(c.Package))
		}
		t.Collections = append(t.Collections, c)
	}
	return t, nil
}

func tableOf(path string) (published.Table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return published.Table{}, fmt.Errorf("read HEADROOM_COLLECTIONS: %w", err)
	}
	t, err := published.Parse(text)
	if err != nil {
		return t, fmt.Errorf("HEADROOM_COLLECTIONS, %s: %w", path, err)
	}
	return t, nil
}

// Packages returns the store of downloaded packages.
func (r *Resolver) Packages() packages.Store {
	s := packages.Store{Folder: r.cached("data"), Hub: r.Hub, Mirror: r.Mirror, Patience: r.Hub.Patience, Free: r.Free}
	if r.DataRoot != "" {
		s.Also = []string{r.DataRoot}
	}
	return s
}

// family finds a collection that has a name: the user's own, in HEADROOM_DATA, of the table,
// or put into the cache by hand.
func (r *Resolver) family(ref reference) (string, error) {
	if i := slices.IndexFunc(r.Own, func(o Own) bool { return o.Name == ref.text && o.Folder != "" }); i >= 0 {
		return r.ownFolder(ref, r.Own[i].Folder, r.Own[i].Layout)
	}
	t, err := r.Table()
	if err != nil {
		return "", err
	}
	c, named := t.Collection(ref.text)
	if folder := existingFolder(r.DataRoot, ref.name); folder != "" {
		// A package of that name may be only a part, such as trec-dl/19, which has no passages.
		part := named && slices.Contains(t.PackagesOf(ref.text), ref.name)
		if _, incomplete := collection.Open(folder); !part || c.Package == "" && incomplete == nil {
			return folder, nil
		}
	}
	if named {
		return r.namedFolder(ref, t, c)
	}
	if folder := existingFolder(r.cached("data"), ref.name); folder != "" {
		return folder, nil
	}
	if members := groups.Members(ref.text); members != nil {
		return "", fmt.Errorf("resolve data %q: it stands for %d collections, and one is allowed here: %s", ref.text, len(members), strings.Join(members, ", "))
	}
	if err := r.unknownError(ref, t); err != nil {
		return "", err
	}
	var looked []string
	for _, root := range []string{r.DataRoot, r.cached("data")} {
		if root != "" {
			looked = append(looked, filepath.Join(root, filepath.FromSlash(ref.name)))
		}
	}
	if len(looked) == 0 {
		return "", fmt.Errorf("resolve data %q: %w: HEADROOM_DATA is not set; set it to a folder with %s in BEIR's layout", ref.text, ErrUnresolved, ref.name)
	}
	return "", fmt.Errorf("resolve data %q: %w: put it in BEIR's layout into %s, or name where it comes from in headroom.toml ([[collection]])", ref.text, ErrUnresolved, strings.Join(looked, " or "))
}

func existingFolder(root, name string) string {
	if root == "" {
		return ""
	}
	folder := filepath.Join(root, filepath.FromSlash(name))
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return ""
	}
	return folder
}

// ownFolder returns the folder of a user's collection.
func (r *Resolver) ownFolder(ref reference, folder, layout string) (string, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return "", fmt.Errorf("resolve data %q of headroom.toml: %w", ref.text, err)
	}
	if layout != "" && string(c.Layout) != layout {
		return "", fmt.Errorf("resolve data %q of headroom.toml: %s is in the layout %q, not %q", ref.text, folder, c.Layout, layout)
	}
	return folder, nil
}

// namedFolder returns the folder of a collection of the table: a package's folder, or a folder of
// the cache that names files of several packages.
func (r *Resolver) namedFolder(ref reference, t published.Table, c published.Collection) (string, error) {
	store := r.Packages()
	if c.Package != "" {
		folder, err := store.Find(c.Package)
		if err != nil {
			return "", r.lackingError(ref, t)
		}
		folder = filepath.Join(folder, filepath.FromSlash(c.Folder))
		if i := slices.IndexFunc(r.Own, func(o Own) bool { return o.Name == ref.text }); i >= 0 {
			return r.ownFolder(ref, folder, r.Own[i].Layout)
		}
		return folder, nil
	}
	find := func(part string) (string, error) { return partOf(store, part) }
	v := collection.View{Splits: map[string]string{}}
	var err error
	for _, part := range []struct {
		text string
		to   *[]string
	}{{c.Corpus, &v.Corpus}, {c.Queries, &v.Queries}} {
		path, failed := find(part.text)
		*part.to, err = []string{path}, errors.Join(err, failed)
	}
	for split, text := range c.Splits {
		path, failed := find(text)
		v.Splits[split], err = path, errors.Join(err, failed)
	}
	switch {
	case errors.Is(err, packages.ErrAbsent):
		return "", r.lackingError(ref, t)
	case err != nil:
		return "", fmt.Errorf("resolve data %q: %w", ref.text, err)
	case r.CacheDir == "":
		return "", fmt.Errorf("resolve data %q: no cache folder to name its files in; set HEADROOM_CACHE", ref.text)
	}
	return r.viewFolder(ref, v)
}

// partOf returns the path of "package:file".
func partOf(store packages.Store, part string) (string, error) {
	of, file := published.Split(part)
	folder, err := store.Find(of)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.FromSlash(file))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("package %s lacks a file; remove %s and bring it again: headroom data get: %w", of, folder, err)
	}
	return path, nil
}

// viewFolder returns a folder of the cache that names files in other folders. Its content depends
// only on their paths, so any process may make it.
func (r *Resolver) viewFolder(ref reference, v collection.View) (string, error) {
	folder := filepath.Join(r.CacheDir, "views", filepath.FromSlash(ref.name))
	path := filepath.Join(folder, collection.ViewFile)
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "", err
	}
	text = append(text, '\n')
	if known, err := os.ReadFile(path); err == nil && string(known) == string(text) {
		return folder, nil
	}
	if err = atomic.MkdirAll(folder); err == nil {
		err = atomic.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err != nil {
		return "", fmt.Errorf("resolve data %q: %w", ref.text, err)
	}
	return folder, nil
}

// trainingOf finds examples of the table in the downloaded packages.
func (r *Resolver) trainingOf(ref reference, set published.Training) (examples.Set, error) {
	store := r.Packages()
	of, pattern := published.Split(set.Files)
	folder, err := store.Find(of)
	if err != nil {
		return examples.Set{}, err
	}
	found := examples.Set{Files: examples.Matches(folder, pattern)}
	if len(found.Files) == 0 {
		return examples.Set{}, fmt.Errorf("resolve data %q: package %s lacks %s", ref.text, of, pattern)
	}
	for _, part := range []struct {
		text string
		to   *[]string
	}{{set.Corpus, &found.Documents}, {set.Queries, &found.Queries}} {
		if part.text == "" {
			continue
		}
		path, err := partOf(store, part.text)
		if err != nil {
			return examples.Set{}, fmt.Errorf("resolve data %q: %w", ref.text, err)
		}
		*part.to = []string{path}
	}
	return found, nil
}
