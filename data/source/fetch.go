package source

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/download"
	"headroom/internal/atomic"
)

// Progress is the progress of a download.
type Progress struct {
	Model string // owner/name
	File  string
	// Done and Total are bytes of all files that are fetched together.
	Done, Total int64
	// Failed is the error of an attempt after which another one follows; the other fields
	// except Model are then empty.
	Failed string
}

// Fetchable reports whether a reference is one that Fetch may download.
func (r *Resolver) Fetchable(text string) bool {
	return r.Downloadable(text) && !r.Offline && r.HubCache != ""
}

// Downloadable reports whether a reference is of a model on the hub, also if downloads are
// forbidden now.
func (r *Resolver) Downloadable(text string) bool {
	ref, err := parse(text, true)
	return err == nil && ref.kind == kindHub
}

// Fetch is Model, and downloads a model of the hub that is not in the cache: configuration,
// tokenizer, sentence-transformers' files and safetensors, of the revision's present
// commit. If nothing is missing it makes no request. A part of a file is kept after an
// error, and the next call resumes it. progress may be nil; it is called from this
// goroutine.
func (r *Resolver) Fetch(ctx context.Context, text string, progress func(Progress)) (folder string, err error) {
	return r.bring(ctx, text, needModel, progress)
}

// FetchTokenizer is Tokenizer, and downloads the tokenizer of a hub model without its
// weights.
func (r *Resolver) FetchTokenizer(ctx context.Context, text string, progress func(Progress)) (path string, err error) {
	if strings.HasSuffix(text, ".json") || !r.Fetchable(text) {
		return r.Tokenizer(text)
	}
	if _, err := r.bring(ctx, text, needTokenizer, progress); err != nil {
		return "", err
	}
	return r.Tokenizer(text)
}

func (r *Resolver) bring(ctx context.Context, text string, what need, progress func(Progress)) (string, error) {
	folder, _, err := r.find(text, what)
	if err == nil || !errors.Is(err, ErrUnresolved) || !r.Fetchable(text) {
		return folder, err
	}
	ref, err := parse(text, true)
	if err != nil {
		return "", err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	c, err := r.Hub.Open(download.Model, ref.name)
	if err == nil {
		defer c.Close()
		c.Failed = func(what string) { progress(Progress{Model: ref.name, Failed: what}) }
		err = r.download(ctx, c, ref, what, progress)
	}
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("fetch model %q from %s: %w", text, r.Hub.Shown(), err)
	}
	folder, _, err = r.find(text, what)
	return folder, err
}

// download downloads the needed files of one revision into the hub's cache.
func (r *Resolver) download(ctx context.Context, c *download.Repository, ref reference, what need, progress func(Progress)) error {
	info, err := c.Resolve(ctx, ref.branch())
	if err != nil {
		return err
	}
	names, err := filesToFetch(info, what)
	if err != nil {
		return err
	}
	folder := filepath.Join(r.HubCache, repository(ref.name))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the model's folder in the hub's cache (HF_HUB_CACHE chooses another): %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open the model's folder in the hub's cache: %w", err)
	}
	defer root.Close()
	if err := root.MkdirAll("blobs", 0o755); err != nil {
		return fmt.Errorf("make %s: %w", filepath.Join(folder, "blobs"), err)
	}
	d := &delivery{
		remote: c, store: &store{root: root, disk: atomic.DiskOn(atomic.Root{Root: root}), locks: filepath.Join(r.HubCache, ".locks", repository(ref.name))},
		commit: info.Commit, progress: progress,
	}
	// The lists of further files come first.
	for _, list := range []struct {
		name string
		read func([]byte) ([]string, error)
	}{{indexFile, shardNames}, {modulesFile, func(text []byte) ([]string, error) { return moduleConfigs(text, "") }}} {
		if !slices.Contains(names, list.name) {
			continue
		}
		further, err := d.list(ctx, list.name, list.read)
		if err != nil {
			return err
		}
		for _, name := range further {
			switch {
			case info.Has(name):
				names = append(names, name)
			case list.name == indexFile:
				return fmt.Errorf("%s names the shard %s, which the model does not have", list.name, name)
			}
		}
	}
	if err := d.files(ctx, names, true); err != nil {
		return err
	}
	if download.IsCommit(ref.branch()) {
		return nil
	}
	// The revision's name comes last: until then it names the former commit.
	return d.store.note("refs/"+ref.branch(), info.Commit)
}

// filesToFetch returns the files to fetch from those that the hub has.
func filesToFetch(info download.Revision, what need) ([]string, error) {
	if !info.Has(tokenizerFile) && !info.Has(vocabularyFile) {
		return nil, errors.New("it has no tokenizer.json and no vocab.txt; make the first: load its tokenizer with transformers (use_fast=True), save_pretrained(FOLDER), and give the folder as ./FOLDER")
	}
	var names []string
	if info.Has(tokenizerFile) {
		names = append(names, tokenizerFile)
	}
	if info.Has(configFile) {
		names = append(names, configFile)
	}
	if what == needModel {
		switch {
		case !info.Has(configFile):
			return nil, errors.New("it has no config.json")
		case info.Has(weightsFile):
			names = append(names, weightsFile)
		case info.Has(indexFile):
			names = append(names, indexFile)
		case info.Has("pytorch_model.bin"), info.Has("pytorch_model.bin.index.json"):
			return nil, errors.New("it has only pytorch_model.bin; convert it: load it with transformers, save_pretrained(FOLDER, safe_serialization=True), and give the folder as ./FOLDER")
		default:
			return nil, errors.New("it has no model.safetensors")
		}
	}
	for _, name := range optionalFiles() {
		if info.Has(name) && (what == needModel || name != modulesFile) {
			names = append(names, name)
		}
	}
	return names, nil
}

// delivery downloads files of one commit.
type delivery struct {
	remote   *download.Repository
	store    *store
	commit   string
	progress func(Progress)
}

func (d *delivery) place(name string) string { return path.Join("snapshots", d.commit, name) }

// list downloads a file that names further files, and reads it.
func (d *delivery) list(ctx context.Context, name string, read func([]byte) ([]string, error)) ([]string, error) {
	if err := d.files(ctx, []string{name}, false); err != nil {
		return nil, err
	}
	text, err := d.store.root.ReadFile(d.place(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	names, err := read(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return names, nil
}

// files downloads those files that are not in the snapshot yet.
func (d *delivery) files(ctx context.Context, names []string, tell bool) error {
	type item struct {
		download.File
		where *url.URL
	}
	var todo []item
	p := Progress{Model: d.remote.Name}
	for _, name := range names {
		if info, err := d.store.root.Stat(d.place(name)); err == nil && info.Mode().IsRegular() {
			continue
		}
		where := d.remote.Address(d.commit, name)
		b, err := d.remote.Describe(ctx, where, name)
		if err != nil {
			return err
		}
		todo = append(todo, item{b, where})
		p.Total += b.Size
	}
	for _, it := range todo {
		p.File = it.Name
		report := func() {
			if tell {
				d.progress(p)
			}
		}
		report()
		if !d.store.has(it.File) {
			err := d.store.fetch(ctx, d.remote, it.where, it.File, func(n int64) {
				p.Done += n
				report()
			})
			if err != nil {
				return err
			}
		} else {
			p.Done += it.Size
			report()
		}
		if err := d.store.link(d.place(it.Name), it.File); err != nil {
			return err
		}
	}
	return nil
}

// link puts a blob into a snapshot under its name.
func (s *store) link(name string, b download.File) error {
	wrap := func(err error) error {
		return fmt.Errorf("put %s into the hub's cache: %w", b.Name, err)
	}
	if err := s.disk.MkdirAll(path.Dir(name)); err != nil {
		return wrap(err)
	}
	target := strings.Repeat("../", strings.Count(name, "/")) + "blobs/" + b.Digest
	temporary := name + "." + rand.Text()[:8] + ".tmp"
	if err := s.root.Symlink(target, temporary); err != nil {
		// This file system has no symbolic links: a hard link serves as well.
		if hard := s.root.Link("blobs/"+b.Digest, temporary); hard != nil {
			return wrap(err)
		}
	}
	if err := s.disk.Rename(temporary, name); err != nil {
		s.root.Remove(temporary)
		return wrap(err)
	}
	return nil
}

// note writes a small file whole or not at all.
func (s *store) note(name, text string) error {
	if known, err := s.root.ReadFile(name); err == nil && string(known) == text {
		return nil
	}
	err := s.disk.MkdirAll(path.Dir(name))
	if err == nil {
		err = s.disk.WriteFile(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	}
	if err != nil {
		return fmt.Errorf("write %s into the hub's cache: %w", name, err)
	}
	return nil
}
