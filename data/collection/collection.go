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

// Content is the text that is encoded and indexed: title, a space and text, or the text alone if the
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

// Collection is an opened folder. Its files are read on first use and kept, except the documents' texts, which most
// callers only walk through. It is safe for concurrent use.
type Collection struct {
	// Name is the folder's last element.
	Name string
	// Folder is the path as given to Open.
	Folder string
	// Layout is the layout of its files.
	Layout Layout

	files files
	asked func() (queries, error)

	mu       sync.Mutex // guards the fields below
	outlined *outline
	held     *corpus // once somebody has asked for all documents
	failed   error   // to read the corpus
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
	c.asked = sync.OnceValues(func() (queries, error) { return readQueries(c.paths(found.queries)) })
	return c, nil
}

func (c *Collection) path(name string) string {
	return joinUnlessAbsolute(c.Folder, name)
}

func (c *Collection) paths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = c.path(name)
	}
	return paths
}

// outline reads the corpus without keeping its texts.
func (c *Collection) outline() (*outline, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read(func(Document) {})
}

// read makes the outline, if there is none yet, and hands the documents over while it does. The lock is held.
func (c *Collection) read(each func(Document)) (*outline, error) {
	if c.outlined == nil && c.failed == nil {
		asked, err := c.asked() // faults of the queries are returned to those who ask for queries
		if err != nil {
			asked = queries{}
		}
		isQuery := func(id string) bool { _, is := asked.at[id]; return is }
		c.outlined, c.failed = readCorpus(c.CorpusFiles(), isQuery, each)
	}
	return c.outlined, c.failed
}

// hold reads the corpus with its texts and keeps it. The lock is held.
func (c *Collection) hold() (*corpus, error) {
	if c.held != nil {
		return c.held, nil
	}
	held := &corpus{at: map[string]int{}}
	add := func(d Document) {
		held.at[d.ID] = len(held.documents)
		held.documents = append(held.documents, d)
	}
	known := c.outlined
	if _, err := c.read(add); err != nil {
		return nil, err
	}
	if known != nil {
		if err := c.readAgain(known, func(d Document) error { add(d); return nil }); err != nil {
			return nil, err
		}
	}
	c.held = held
	return held, nil
}

// readAgain reads documents whose outline is known.
func (c *Collection) readAgain(known *outline, each func(Document) error) error {
	n := 0
	err := readRows(Corpus, c.CorpusFiles(), nil, func(d Document, _ string, _ int) error {
		if _, there := known.lines[d.ID]; !there {
			return fmt.Errorf("_id %q was not there before: the file has changed while it is used", d.ID)
		}
		n++
		return each(d)
	})
	if err == nil && n != len(known.lines) {
		err = fmt.Errorf("read %s: %d documents, before there were %d: the file has changed while it is used", c.CorpusFiles()[0], n, len(known.lines))
	}
	return err
}

// Len is the number of documents.
func (c *Collection) Len() (int, error) {
	read, err := c.outline()
	if err != nil {
		return 0, err
	}
	return len(read.lines), nil
}

// Has reports whether the corpus has a document of that id.
func (c *Collection) Has(id string) (bool, error) {
	read, err := c.outline()
	if err != nil {
		return false, err
	}
	_, known := read.lines[id]
	return known, nil
}

// Walk calls each for every document in file order, and ends with its first error. The texts are not kept, so that a
// corpus of any size can be walked in the memory of its ids.
func (c *Collection) Walk(each func(Document) error) error {
	known, err := c.outline()
	if err != nil {
		return err
	}
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held == nil {
		var stopped error
		err := c.readAgain(known, func(d Document) error {
			stopped = each(d)
			return stopped
		})
		if stopped != nil { // it has nothing to do with a line
			return stopped
		}
		return err
	}
	for _, d := range held.documents {
		if err := each(d); err != nil {
			return err
		}
	}
	return nil
}

// Documents returns the corpus in file order; it is never empty. It is held in memory from then on. The slice is
// shared: do not change it.
func (c *Collection) Documents() ([]Document, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, err := c.hold()
	if err != nil {
		return nil, err
	}
	return held.documents, nil
}

// Queries returns all queries in file order, of all splits. The slice is shared: do not change it.
func (c *Collection) Queries() ([]Query, error) {
	read, err := c.asked()
	return read.queries, err
}

// Document returns the document with an id. Unless it has a query's id, the corpus is held in memory from then on.
func (c *Collection) Document(id string) (Document, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, err := c.read(func(Document) {})
	if err != nil {
		return Document{}, false, err
	}
	if _, there := known.lines[id]; !there {
		return Document{}, false, nil
	}
	if d, asked := known.asked[id]; asked {
		return d, true, nil
	}
	held, err := c.hold()
	if err != nil {
		return Document{}, false, err
	}
	return held.documents[held.at[id]], true, nil
}

// Select returns the documents of some ids, without holding the others; those that the corpus lacks are not among them.
func (c *Collection) Select(ids map[string]bool) (map[string]Document, error) {
	found := map[string]Document{}
	err := c.Walk(func(d Document) error {
		if ids[d.ID] {
			found[d.ID] = d
		}
		return nil
	})
	return found, err
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
