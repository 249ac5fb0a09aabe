package collection

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"headroom/data/parquet"
)

// Kind is the kind of a file's rows.
type Kind string

// The kinds. Documents have a title in some forms.
const (
	Corpus Kind = "documents"
	Asked  Kind = "queries"
)

// Form says how the rows of a file are read. FormOf makes it.
type Form struct {
	kind   Kind
	format string // ".jsonl", ".tsv" or ".parquet"
	// The indexes of Parquet's columns; −1 if there is no title.
	columns, id, title, text int
}

// FormOf returns, by a file's name, how its rows are read:
//
//	.jsonl    {"_id": string, "title"?: string, "text": string}, as BEIR's corpora and queries
//	.tsv      id ⇥ text without a header, as MS MARCO's
//	.parquet  an id and a text, of documents also a title, in columns with the names that Names lists
//
// The first two may be gzipped and have .gz at the end of their names.
func FormOf(kind Kind, path string) (Form, error) {
	m := Form{kind: kind}
	name := strings.TrimSuffix(path, ".gz")
	for _, format := range []string{".jsonl", ".tsv", ".parquet"} {
		if strings.HasSuffix(name, format) {
			m.format = format
		}
	}
	if m.format == "" || m.Headed() && name != path {
		return m, fmt.Errorf("read %s of %s: .jsonl, .jsonl.gz, .tsv, .tsv.gz or .parquet is allowed", kind, path)
	}
	return m, nil
}

// Names returns the names that published sets give to the columns of ids and of texts in Parquet files.
func Names(kind Kind) (ids, texts []string) {
	if kind == Asked {
		return []string{"_id", "id", "query_id", "qid"}, []string{"text", "query"}
	}
	return []string{"_id", "id", "passage_id", "pid", "doc_id", "docid"}, []string{"text", "passage"}
}

// Headed reports whether the first line names columns, which Head reads, and is not a row.
func (m *Form) Headed() bool { return m.format == ".parquet" }

// Head finds the columns of a Parquet file in the first line that parquet.Lines writes.
func (m *Form) Head(head []byte) error {
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
		case c.Name == "title" && c.Kind == parquet.Text && m.kind == Corpus:
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

// Row reads a line. The title of a query is left out.
func (m *Form) Row(line []byte) (Document, error) {
	var d Document
	switch m.format {
	case ".jsonl":
		var err error
		if d, err = ParseRow(line); err != nil {
			return Document{}, err
		}
	case ".tsv":
		cells := bytes.Split(line, []byte("\t"))
		if len(cells) != 2 {
			return Document{}, fmt.Errorf("%d columns; a row is id ⇥ text", len(cells))
		}
		if !utf8.Valid(line) {
			return Document{}, errors.New("the line is not UTF-8")
		}
		d = Document{ID: string(cells[0]), Text: string(cells[1])}
	default:
		cells := parquet.Split(line)
		if len(cells) != m.columns {
			return Document{}, fmt.Errorf("%d columns of %d", len(cells), m.columns)
		}
		d = Document{ID: cells[m.id], Text: cells[m.text]}
		if m.title >= 0 {
			d.Title = cells[m.title]
		}
	}
	if d.ID == "" {
		return Document{}, errors.New("the id is empty")
	}
	return d, nil
}
