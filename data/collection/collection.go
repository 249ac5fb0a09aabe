// Package collection reads and writes retrieval collections in BEIR's folder layout.
//
//	corpus.jsonl      {"_id": "d1", "title": "…", "text": "…"}   title may be absent
//	queries.jsonl     {"_id": "q1", "text": "…"}
//	qrels/SPLIT.tsv   query-id <TAB> corpus-id <TAB> score, under a header with these names
//
// Each file may be gzipped and then be named with .gz (the plain file is read where both exist). Members
// with other names are ignored, as BEIR's own "metadata" is. Nothing malformed is skipped: a line that is not
// a JSON object, invalid UTF-8, an id that is missing, empty, no string or there twice is an error that names
// file and line. Blank lines are no rows.
//
// Qrels must name queries of queries.jsonl. A document that the corpus lacks is an error in the train split,
// where the pair would be lost silently; in any other split it is tolerated and counted (Judgments.Unknown),
// since published test sets judge documents that their corpus no longer holds, and the measures' ideal
// ranking counts all judged documents.
package collection

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Document is one row of a corpus.
type Document struct{ ID, Title, Text string }

// Content is the text that is encoded and indexed: title, a space and text, or the text alone where the
// title is empty. Nothing is trimmed.
func (d Document) Content() string {
	if d.Title == "" {
		return d.Text
	}
	return d.Title + " " + d.Text
}

// Query is one row of a query file.
type Query struct{ ID, Text string }

// ErrNoSplit is returned when a split is asked for that the folder has no qrels of.
var ErrNoSplit = errors.New("no such split")

// Collection is an opened folder. Its files are read on first use and kept; it is safe for concurrent use.
type Collection struct {
	// Name is the folder's last element.
	Name string
	// Folder is the path as given to Open.
	Folder string

	files  files
	corpus func() (corpus, error)
	asked  func() (queries, error)
}

// Open looks at a folder and finds its files, without reading them.
func Open(folder string) (*Collection, error) {
	found, err := find(folder)
	if err != nil {
		return nil, fmt.Errorf("open collection %q: %w", folder, err)
	}
	c := &Collection{Folder: folder, Name: filepath.Base(folder), files: found}
	if absolute, err := filepath.Abs(folder); err == nil {
		c.Name = filepath.Base(absolute)
	}
	c.corpus = sync.OnceValues(func() (corpus, error) { return readCorpus(c.path(found.corpus)) })
	c.asked = sync.OnceValues(func() (queries, error) { return readQueries(c.path(found.queries)) })
	return c, nil
}

func (c *Collection) path(name string) string {
	return filepath.Join(c.Folder, filepath.FromSlash(name))
}

// Documents returns the corpus in file order; it is never empty. The slice is shared: do not change it.
func (c *Collection) Documents() ([]Document, error) {
	read, err := c.corpus()
	return read.documents, err
}

// Queries returns all queries in file order, of all splits. The slice is shared: do not change it.
func (c *Collection) Queries() ([]Query, error) {
	read, err := c.asked()
	return read.queries, err
}

// Document returns the document of an id.
func (c *Collection) Document(id string) (Document, bool, error) {
	read, err := c.corpus()
	if err != nil {
		return Document{}, false, err
	}
	at, ok := read.at[id]
	if !ok {
		return Document{}, false, nil
	}
	return read.documents[at], true, nil
}

// Query returns the query of an id.
func (c *Collection) Query(id string) (Query, bool, error) {
	read, err := c.asked()
	if err != nil {
		return Query{}, false, err
	}
	at, ok := read.at[id]
	if !ok {
		return Query{}, false, nil
	}
	return read.queries[at], true, nil
}

// Splits returns the names of the splits that have qrels, in byte order.
func (c *Collection) Splits() []string {
	names := make([]string, 0, len(c.files.splits))
	for name := range c.files.splits {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// files are the names of a folder's files relative to it, with slashes.
type files struct {
	corpus, queries string
	splits          map[string]string
}

func find(folder string) (files, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return files{}, err
	}
	if !info.IsDir() {
		return files{}, errors.New("not a folder; a collection is a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv")
	}
	found := files{splits: map[string]string{}}
	if found.corpus, err = plainOrGzip(folder, "corpus.jsonl"); err != nil {
		return files{}, err
	}
	if found.queries, err = plainOrGzip(folder, "queries.jsonl"); err != nil {
		return files{}, err
	}
	entries, err := os.ReadDir(filepath.Join(folder, "qrels"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files{}, err
	}
	for _, entry := range entries { // sorted: x.tsv stands before x.tsv.gz
		split, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), ".gz"), ".tsv")
		if !ok || split == "" || strings.HasPrefix(split, ".") || entry.IsDir() {
			continue
		}
		if info, err := os.Stat(filepath.Join(folder, "qrels", entry.Name())); err == nil && !info.Mode().IsRegular() {
			return files{}, fmt.Errorf("qrels/%s is a %s; a file is allowed", entry.Name(), kindOf(info))
		}
		if _, taken := found.splits[split]; !taken {
			found.splits[split] = "qrels/" + entry.Name()
		}
	}
	return found, nil
}

func kindOf(info fs.FileInfo) string {
	if info.IsDir() {
		return "folder"
	}
	return "pipe or a device"
}

func plainOrGzip(folder, name string) (string, error) {
	for _, candidate := range []string{name, name + ".gz"} {
		info, err := os.Stat(filepath.Join(folder, candidate))
		if err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
		if err == nil {
			return "", fmt.Errorf("%s is a %s; a file is allowed", candidate, kindOf(info))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("neither %s nor %s.gz is in it: %w", name, name, fs.ErrNotExist)
}
