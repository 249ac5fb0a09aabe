package collection

import (
	"fmt"
	"strings"
)

type corpus struct {
	documents []Document
	at        map[string]int
	empty     Empty
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
	read, err := c.corpus()
	return read.empty, err
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

func readCorpus(paths []string) (corpus, error) {
	read := corpus{at: map[string]int{}, empty: Empty{}}
	err := readRows(Corpus, paths, func(d Document, path string, line int) error {
		if err := checkID(d.ID); err != nil {
			return err
		}
		read.empty.note(d.Content(), d.ID, path, len(read.documents), line)
		read.at[d.ID] = len(read.documents)
		read.documents = append(read.documents, d)
		return nil
	})
	if err == nil && len(read.documents) == 0 {
		err = fmt.Errorf("read %s: no document in it; a corpus must not be empty", paths[0])
	}
	if err != nil {
		return corpus{}, err
	}
	return read, nil
}

func readQueries(paths []string) (queries, error) {
	read := queries{at: map[string]int{}, empty: Empty{}}
	err := readRows(Asked, paths, func(d Document, path string, line int) error {
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
