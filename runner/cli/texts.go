package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"headroom/data/collection"
)

// texts is an input of {"_id","title"?,"text"} rows that can be read twice:
// once to check all of it before the work begins, once to work on it.
type texts struct {
	name string
	open func() (io.ReadCloser, error)
}

// errNoTexts is returned for an input without any row.
var errNoTexts = errors.New("it holds no text: a row is {\"_id\": \"…\", \"text\": \"…\"}")

// newTexts names an input file; "-" is standard input, which is kept in memory.
func (a *app) newTexts(path string) (*texts, error) {
	name, in := "standard input", a.env.Stdin
	if path != "-" {
		info, err := os.Stat(path)
		if err != nil || info.Mode().IsRegular() {
			return &texts{path, func() (io.ReadCloser, error) { return os.Open(path) }}, nil
		}
		file, err := os.Open(path) // a pipe gives its text once, and is kept in memory as well
		if err != nil {
			return nil, err
		}
		defer file.Close()
		name, in = path, file
	}
	all, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &texts{name, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(all)), nil }}, nil
}

// each calls fn for every row.
func (t *texts) each(fn func(collection.Document) error) error {
	file, err := t.open()
	if err != nil {
		return err
	}
	defer file.Close()
	return collection.ReadJSONL(file, t.name, fn)
}

// count checks every row and returns how many there are.
func (t *texts) count() (int, error) {
	n := 0
	if err := t.each(func(collection.Document) error { n++; return nil }); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, fmt.Errorf("read %q: %w", t.name, errNoTexts)
	}
	return n, nil
}

// plainLines reads a text a line; its number is its id.
func plainLines(r io.Reader, fn func(collection.Document) error) error {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if line != "" {
			if line[len(line)-1] == '\n' {
				line = line[:len(line)-1]
			}
			if err := fn(collection.Document{ID: strconv.Itoa(n), Text: line}); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
	}
}
