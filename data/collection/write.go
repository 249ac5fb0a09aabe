package collection

import (
	"bufio"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"headroom/data/trec"
)

// Write makes a folder in BEIR's layout. It is there whole or not at all: files are written and synced under
// a temporary name beside it, then renamed. A folder that exists is refused (fs.ErrExist). Qrels are written
// in the order of queries and, within a query, of docs; what Open and Judgments would refuse is refused here,
// unknown documents of any split included.
func Write(folder string, docs []Document, queries []Query, splits map[string]trec.Qrels) (err error) {
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
	parent := filepath.Dir(folder)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(parent, "."+filepath.Base(folder)+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging) // gone already where the rename succeeded
	if err := os.Chmod(staging, 0o755); err != nil {
		return err
	}
	if err := writeFiles(staging, docs, queries, splits); err != nil {
		return err
	}
	if err := os.Rename(staging, folder); err != nil {
		return err
	}
	return syncFolder(parent)
}

func writeFiles(folder string, docs []Document, queries []Query, splits map[string]trec.Qrels) error {
	err := writeFile(filepath.Join(folder, "corpus.jsonl"), func(w *bufio.Writer) error {
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
	err = writeFile(filepath.Join(folder, "queries.jsonl"), func(w *bufio.Writer) error {
		for _, q := range queries {
			if err := writeRow(w, queryRow(q)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(folder, "qrels"), 0o755); err != nil {
		return err
	}
	for _, split := range slices.Sorted(maps.Keys(splits)) {
		err := writeFile(filepath.Join(folder, "qrels", split+".tsv"), func(w *bufio.Writer) error {
			return writeQrels(w, docs, queries, splits[split])
		})
		if err != nil {
			return err
		}
	}
	if err := syncFolder(filepath.Join(folder, "qrels")); err != nil {
		return err
	}
	return syncFolder(folder)
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

func writeRow[T corpusRow | queryRow](w *bufio.Writer, row T) error {
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	if _, err := w.Write(line); err != nil {
		return err
	}
	return w.WriteByte('\n')
}

func writeQrels(w *bufio.Writer, docs []Document, queries []Query, qrels trec.Qrels) error {
	place := make(map[string]int, len(docs))
	for i, d := range docs {
		place[d.ID] = i
	}
	if _, err := w.WriteString("query-id\tcorpus-id\tscore\n"); err != nil {
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

func writeFile(path string, fill func(*bufio.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<16)
	return errors.Join(fill(buffered), buffered.Flush(), file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// check refuses what could not be read back.
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
