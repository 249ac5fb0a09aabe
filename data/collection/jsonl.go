package collection

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxLine bounds a line, so that a file that is not JSONL does not fill the memory.
const MaxLine = 64 << 20

// row is a line of corpus or queries. Pointers tell an absent or null member from an empty one.
type row struct {
	ID    *string `json:"_id"`
	Title *string `json:"title"`
	Text  *string `json:"text"`
}

// ReadJSONL calls fn for each row of a corpus or query file, plain or gzipped (its content shows which), in order,
// and keeps no texts. Messages use the name. `_id` must be a string that is not empty and not repeated, `text` a
// string; `title` may be absent or null. An error of fn ends the reading and is returned with file and line.
func ReadJSONL(r io.Reader, name string, fn func(Document) error) error {
	return readLines(r, name, ParseRow, map[string]int{}, func(d Document, _ int) error { return fn(d) })
}

// ParseRow reads one line of a corpus or query file, as ReadJSONL does.
func ParseRow(line []byte) (Document, error) {
	var read row
	if err := json.Unmarshal(line, &read); err != nil {
		return Document{}, fmt.Errorf("want a JSON object {\"_id\": string, \"text\": string}: %w", err)
	}
	switch {
	case bytes.Equal(bytes.TrimSpace(line), []byte("null")):
		return Document{}, errors.New("null; want a JSON object {\"_id\": string, \"text\": string}")
	case read.ID == nil:
		return Document{}, errors.New("no _id; a string is required")
	case *read.ID == "":
		return Document{}, errors.New("_id \"\": an id must not be empty")
	case read.Text == nil:
		return Document{}, fmt.Errorf("_id %q: no text; a string is required (it may be empty)", *read.ID)
	}
	document := Document{ID: *read.ID, Text: *read.Text}
	if read.Title != nil {
		document.Title = *read.Title
	}
	return document, nil
}

// checkID refuses ids that the collection's other files cannot hold: white space separates the columns of qrels
// and of TREC run files.
func checkID(id string) error {
	if strings.ContainsAny(id, " \t\n\v\f\r") {
		return fmt.Errorf("_id %q: white space is not allowed, because it separates the columns of qrels and run files", id)
	}
	return nil
}

// checkQueryID also refuses ids that would begin a comment in a run file.
func checkQueryID(id string) error {
	if strings.HasPrefix(id, "#") {
		return fmt.Errorf("_id %q: a query's id must not start with #, which is a comment in run files", id)
	}
	return checkID(id)
}
