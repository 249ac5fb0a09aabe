package collection

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"headroom/data/trec"
	"headroom/internal/atomic"
)

// Write makes a folder in BEIR's layout, whole or not at all (internal/atomic). A folder that exists is an error
// (fs.ErrExist). Qrels are written in the order of queries and, within a query, of docs. Write refuses everything that
// Open and Judgments would refuse, and unknown documents in any split.
func Write(folder string, docs []Document, queries []Query, splits map[string]trec.Qrels) error {
	return write(atomic.Disk{}, folder, docs, queries, splits)
}

func write(disk atomic.Disk, folder string, docs []Document, queries []Query, splits map[string]trec.Qrels) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write collection %q: %w", folder, err)
		}
	}()
	if _, err := os.Lstat(folder); err == nil {
		return fs.ErrExist
	}
	if err := check(docs, queries, splits); err != nil {
		return err
	}
	if err := disk.MkdirAll(filepath.Dir(folder)); err != nil {
		return err
	}
	return disk.CreateFolder(folder, func(f *atomic.Folder) error { return writeFiles(f, docs, queries, splits) })
}

func writeFiles(f *atomic.Folder, docs []Document, queries []Query, splits map[string]trec.Qrels) error {
	err := f.WriteFile("corpus.jsonl", func(w io.Writer) error {
		for _, d := range docs {
			if err := writeRow(w, corpusRow(d)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = f.WriteFile("queries.jsonl", func(w io.Writer) error {
		for _, q := range queries {
			if err := writeRow(w, queryRow(q)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, split := range slices.Sorted(maps.Keys(splits)) {
		if err == nil {
			err = f.WriteFile("qrels/"+split+".tsv", func(w io.Writer) error { return writeQrels(w, docs, queries, splits[split]) })
		}
	}
	return err
}

type corpusRow struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

type queryRow struct {
	ID   string `json:"_id"`
	Text string `json:"text"`
}

func writeRow[T corpusRow | queryRow](w io.Writer, row T) error {
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

func writeQrels(w io.Writer, docs []Document, queries []Query, qrels trec.Qrels) error {
	place := make(map[string]int, len(docs))
	for i, d := range docs {
		place[d.ID] = i
	}
	if _, err := io.WriteString(w, "query-id\tcorpus-id\tscore\n"); err != nil {
		return err
	}
	for _, q := range queries {
		judged := slices.SortedFunc(maps.Keys(qrels[q.ID]), func(a, b string) int { return place[a] - place[b] })
		for _, id := range judged {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%d\n", q.ID, id, qrels[q.ID][id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// check refuses a collection that could not be read back.
func check(docs []Document, queries []Query, splits map[string]trec.Qrels) error {
	if len(docs) == 0 {
		return errors.New("no document; a corpus must not be empty")
	}
	if len(queries) == 0 {
		return errors.New("no query")
	}
	known := make(map[string]bool, len(docs))
	for _, d := range docs {
		if err := checkNew(known, d.ID, checkID(d.ID)); err != nil {
			return fmt.Errorf("documents: %w", err)
		}
	}
	asked := make(map[string]bool, len(queries))
	for _, q := range queries {
		if err := checkNew(asked, q.ID, checkQueryID(q.ID)); err != nil {
			return fmt.Errorf("queries: %w", err)
		}
	}
	for split, qrels := range splits {
		if split == "" || split[0] == '.' || filepath.Base(split) != split {
			return fmt.Errorf("split %q: a file name is allowed", split)
		}
		if len(qrels) == 0 {
			return fmt.Errorf("split %q: no judgement in it", split)
		}
		for query, judged := range qrels {
			if !asked[query] {
				return fmt.Errorf("split %q: query %q is not among the queries", split, query)
			}
			for id := range judged {
				if !known[id] {
					return fmt.Errorf("split %q: document %q of query %q is not in the corpus", split, id, query)
				}
			}
		}
	}
	return nil
}

func checkNew(seen map[string]bool, id string, malformed error) error {
	if id == "" {
		return errors.New("_id \"\": an id must not be empty")
	}
	if malformed != nil {
		return malformed
	}
	if seen[id] {
		return fmt.Errorf("_id %q: there twice; an id is allowed once", id)
	}
	seen[id] = true
	return nil
}
