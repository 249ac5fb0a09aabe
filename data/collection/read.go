package collection

import (
	"fmt"
	"strings"
)

// outline is what is held of a corpus without its texts.
type outline struct {
	// lines has the line of each document, by its id.
	lines map[string]int
	empty Empty
	// asked are the documents that have a query's id: they may be the query itself.
	asked map[string]Document
}

// corpus is a corpus with its texts.
type corpus struct {
	documents []Document
	at        map[string]int
}

type queries struct {
	queries []Query
	at      map[string]int
	empty   Empty
}

// Empty holds, by id, the rows whose text has nothing but white space.
type Empty map[string]Place

// Place is the place of a row.
type Place struct {
	// Row counts from 0, over all files.
	Row int
	// Where is file and line.
	Where string
}

// EmptyDocuments are the documents without a title or text.
func (c *Collection) EmptyDocuments() (Empty, error) {
	read, err := c.outline()
	if err != nil {
		return nil, err
	}
	return read.empty, nil
}

// EmptyQueries are the queries without a text.
func (c *Collection) EmptyQueries() (Empty, error) {
	read, err := c.asked()
	return read.empty, err
}

func (e Empty) note(text, id, path string, row, line int) {
	if strings.TrimSpace(text) == "" {
		e[id] = Place{row, fmt.Sprintf("%s:%d", path, line)}
	}
}

// readCorpus reads documents and hands each over; isQuery reports whether an id is a query's.
func readCorpus(paths []string, isQuery func(id string) bool, each func(Document)) (*outline, error) {
	read := &outline{lines: map[string]int{}, empty: Empty{}, asked: map[string]Document{}}
	err := readRows(Corpus, paths, read.lines, func(d Document, path string, line int) error {
		if err := checkID(d.ID); err != nil {
			return err
		}
		read.empty.note(d.Content(), d.ID, path, len(read.lines)-1, line)
		if isQuery(d.ID) {
			read.asked[d.ID] = d
		}
		each(d)
		return nil
	})
	if err == nil && len(read.lines) == 0 {
		err = fmt.Errorf("read %s: no document in it; a corpus must not be empty", paths[0])
	}
	if err != nil {
		return nil, err
	}
	return read, nil
}

func readQueries(paths []string) (queries, error) {
	read := queries{at: map[string]int{}, empty: Empty{}}
	err := readRows(Asked, paths, map[string]int{}, func(d Document, path string, line int) error {
		if err := checkQueryID(d.ID); err != nil {
			return err
		}
		read.empty.note(d.Text, d.ID, path, len(read.queries), line)
		read.at[d.ID] = len(read.queries)
		read.queries = append(read.queries, Query{ID: d.ID, Text: d.Text})
		return nil
	})
	if err == nil && len(read.queries) == 0 {
		err = fmt.Errorf("read %s: no query in it", paths[0])
	}
	if err != nil {
		return queries{}, err
	}
	return read, nil
}
