package texts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/data/parquet"
)

// form is how the lines of a file are read.
type form struct {
	kind   Kind
	format string // ".jsonl", ".tsv" or ".parquet"
	// columns of Parquet; −1 for a title that is not there.
	columns, id, title, text int
}

// Names are the columns of Parquet files that hold ids and texts, as published sets name them.
func Names(kind Kind) (ids, texts []string) {
	if kind == Queries {
		return []string{"_id", "id", "query_id", "qid"}, []string{"text", "query"}
	}
	return []string{"_id", "id", "passage_id", "pid", "doc_id", "docid"}, []string{"text", "passage"}
}

func openFile(ctx context.Context, kind Kind, path string, store kept.Store) (*lines.File, form, error) {
	m := form{kind: kind}
	name := strings.TrimSuffix(path, ".gz")
	for _, format := range []string{".jsonl", ".tsv", ".parquet"} {
		if strings.HasSuffix(name, format) {
			m.format = format
		}
	}
	if m.format == "" || m.headed() && name != path {
		return nil, m, fmt.Errorf("read %s of %s: .jsonl, .jsonl.gz, .tsv, .tsv.gz or .parquet is allowed", kind, path)
	}
	if !m.headed() {
		f, err := lines.Open(ctx, path, store, nil)
		return f, m, err
	}
	f, err := lines.Open(ctx, path, store, parquet.Lines)
	if err != nil {
		return nil, m, err
	}
	head, err := f.First()
	if err == nil {
		err = m.read(head)
	}
	if err != nil {
		f.Close()
		return nil, m, fmt.Errorf("read %s: %w", path, err)
	}
	return f, m, nil
}

// headed tells whether the first line is no row.
func (m *form) headed() bool { return m.format == ".parquet" }

// read finds the columns of a Parquet file.
func (m *form) read(head []byte) error {
	columns, err := parquet.ParseHead(head)
	if err != nil {
		return err
	}
	ids, texts := Names(m.kind)
	m.columns, m.id, m.title, m.text = len(columns), -1, -1, -1
	for i, c := range columns {
		var at *int
		switch {
		case slices.Contains(ids, c.Name) && c.Kind != parquet.Number:
			at = &m.id
		case slices.Contains(texts, c.Name) && c.Kind == parquet.Text:
			at = &m.text
		case c.Name == "title" && c.Kind == parquet.Text && m.kind == Documents:
			at = &m.title
		default:
			return fmt.Errorf("column %q of %s is not known; %s have an id (%s) and a text (%s)", c.Name, c.Kind, m.kind, strings.Join(ids, ", "), strings.Join(texts, ", "))
		}
		if *at >= 0 {
			return fmt.Errorf("columns %q and %q: one of them is allowed", columns[*at].Name, c.Name)
		}
		*at = i
	}
	if m.id < 0 || m.text < 0 {
		return fmt.Errorf("%s need an id (%s) and a text (%s)", m.kind, strings.Join(ids, ", "), strings.Join(texts, ", "))
	}
	return nil
}

// parse reads a line.
func (m *form) parse(line []byte) (id, text string, err error) {
	var d collection.Document
	switch m.format {
	case ".jsonl":
		if d, err = collection.ParseRow(line); err != nil {
			return "", "", err
		}
	case ".tsv":
		cells := bytes.Split(line, []byte("\t"))
		if len(cells) != 2 {
			return "", "", fmt.Errorf("%d columns; a row is id ⇥ text", len(cells))
		}
		if !utf8.Valid(line) {
			return "", "", errors.New("the line is not UTF-8")
		}
		d = collection.Document{ID: string(cells[0]), Text: string(cells[1])}
	default:
		cells := parquet.Split(line)
		if len(cells) != m.columns {
			return "", "", fmt.Errorf("%d columns of %d", len(cells), m.columns)
		}
		d = collection.Document{ID: cells[m.id], Text: cells[m.text]}
		if m.title >= 0 {
			d.Title = cells[m.title]
		}
	}
	if d.ID == "" {
		return "", "", errors.New("the id is empty")
	}
	if m.kind == Queries {
		return d.ID, d.Text, nil
	}
	return d.ID, d.Content(), nil
}
