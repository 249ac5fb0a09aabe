package collection

import (
	"fmt"
	"os"
)

type corpus struct {
	documents []Document
	at        map[string]int
}

type queries struct {
	queries []Query
	at      map[string]int
}

func readCorpus(path string) (corpus, error) {
	read := corpus{at: map[string]int{}}
	err := readFile(path, func(d Document) error {
		if err := checkID(d.ID); err != nil {
			return err
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
	read := queries{at: map[string]int{}}
	err := readFile(path, func(d Document) error {
		if err := checkQueryID(d.ID); err != nil {
			return err
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

func readFile(path string, fn func(Document) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return ReadJSONL(file, path, fn)
}
