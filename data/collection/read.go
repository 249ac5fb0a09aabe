package collection

import (
	"fmt"
	"os"
	"strings"
)

type corpus struct {
	documents []Document
	at        map[string]int
	empty     map[string]int
}

type queries struct {
	queries []Query
	at      map[string]int
	empty   map[string]int
}

// Empty are rows of a file whose text is nothing but white space.
type Empty struct {
	// File is the path.
	File string
	// Lines are the rows' lines by their ids.
	Lines map[string]int
}

// EmptyDocuments are the documents without a title or text.
func (c *Collection) EmptyDocuments() (Empty, error) {
	read, err := c.corpus()
	return Empty{File: c.path(c.files.corpus), Lines: read.empty}, err
}

// EmptyQueries are the queries without a text.
func (c *Collection) EmptyQueries() (Empty, error) {
	read, err := c.asked()
	return Empty{File: c.path(c.files.queries), Lines: read.empty}, err
}

func readCorpus(path string) (corpus, error) {
	read := corpus{at: map[string]int{}, empty: map[string]int{}}
	err := readFile(path, func(d Document, line int) error {
		if err := checkID(d.ID); err != nil {
			return err
		}
		if strings.TrimSpace(d.Content()) == "" {
			read.empty[d.ID] = line
		}
		read.at[d.ID] = len(read.documents)
		read.documents = append(read.documents, d)
		return nil
	})
	if err == nil && len(read.documents) == 0 {
		err = fmt.Errorf("read %s: no document in it; a corpus must not be empty", path)
	}
	if err != nil {
		return corpus{}, err
	}
	return read, nil
}

func readQueries(path string) (queries, error) {
	read := queries{at: map[string]int{}, empty: map[string]int{}}
	err := readFile(path, func(d Document, line int) error {
		if err := checkQueryID(d.ID); err != nil {
			return err
		}
		if strings.TrimSpace(d.Text) == "" {
			read.empty[d.ID] = line
		}
		read.at[d.ID] = len(read.queries)
		read.queries = append(read.queries, Query{ID: d.ID, Text: d.Text})
		return nil
	})
	if err == nil && len(read.queries) == 0 {
		err = fmt.Errorf("read %s: no query in it", path)
	}
	if err != nil {
		return queries{}, err
	}
	return read, nil
}

func readFile(path string, fn func(d Document, line int) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return readJSONL(file, path, fn)
}
