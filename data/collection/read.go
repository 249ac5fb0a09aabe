package collection

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
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

// decompress finds gzip out by content: files are renamed, and servers unpack what they serve.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}
