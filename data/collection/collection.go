// Package collection reads retrieval collections in the layouts in which they are published,
// and writes BEIR's:
//
//	corpus.jsonl      {"_id": "d1", "title": "…", "text": "…"}   title may be absent
//	queries.jsonl     {"_id": "q1", "text": "…"}
//	qrels/SPLIT.tsv   query-id <TAB> corpus-id <TAB> score, under a header with these names
//
// A folder without corpus.jsonl and queries.jsonl may have one of these layouts: MS MARCO's tsv files, a corpus with
// TREC's topics and qrels, or a dataset of the hub in Parquet. The files may be in the only folder inside the folder.
// A folder with collection.json (View) names files elsewhere.
//
// Each text may be gzipped and have .gz at the end of its name (where both files exist, the plain one is read).
// Members with other names, such as BEIR's own "metadata", are ignored. Nothing malformed is skipped: a line that is
// not a JSON object, invalid UTF-8, an id that is missing, empty, no string or not unique is an error that names file
// and line. Blank lines are not rows.
//
// Qrels must name queries of queries.jsonl. A document that the corpus lacks is an error in the train split, because
// the pair would be lost silently. In any other split it is counted (Judgments.Unknown): published test sets judge
// documents that their corpus no longer holds, and the ideal ranking of the measures counts all judged documents.
package collection

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
)

// Document is one row of a corpus.
type Document struct{ ID, Title, Text string }

// Content is the text that is encoded and indexed: title, a space and text, or the text alone where the
// title is empty. White space is not trimmed.
func (d Document) Content() string {
	if d.Title == "" {
		return d.Text
	}
	return d.Title + " " + d.Text
}

// Query is one row of a query file.
type Query struct{ ID, Text string }

// ErrNoSplit is returned when the folder has no qrels of a split.
var ErrNoSplit = errors.New("no such split")

// Collection is an opened folder. Its files are read on first use and kept; it is safe for concurrent use.
type Collection struct {
	// Name is the folder's last element.
	Name string
	// Folder is the path as given to Open.
	Folder string
	// Layout is the layout of its files.
	Layout Layout

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
	c := &Collection{Folder: folder, Name: filepath.Base(folder), files: found, Layout: found.layout}
	if absolute, err := filepath.Abs(folder); err == nil {
		c.Name = filepath.Base(absolute)
	}
	c.corpus = sync.OnceValues(func() (corpus, error) { return readCorpus(c.paths(found.corpus)) })
	c.asked = sync.OnceValues(func() (queries, error) { return readQueries(c.paths(found.queries)) })
	return c, nil
}

func (c *Collection) path(name string) string {
	return within(c.Folder, name)
}

func (c *Collection) paths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = c.path(name)
	}
	return paths
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

// Document returns the document with an id.
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

// Query returns the query with an id.
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
