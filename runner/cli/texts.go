package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"headroom/data/collection"
)

// texts is an input of {"_id","title"?,"text"} rows that can be read twice: once to
// check everything before the work begins, and once for the work.
type texts struct {
	name string
	open func() (io.ReadCloser, error)
}

// errNoTexts is returned for an input without any row.
var errNoTexts = errors.New("it holds no text: a row is {\"_id\": \"…\", \"text\": \"…\"}")

// newTexts opens an input file. Standard input, for "-", and a pipe give their text only
// once: it is checked while it is read, and kept in a file without a name.
func (a *app) newTexts(path string) (*texts, error) {
	name, in := "standard input", a.env.Stdin
	if path != "-" {
		info, err := os.Stat(path)
		if err != nil || info.Mode().IsRegular() {
			return &texts{path, func() (io.ReadCloser, error) { return os.Open(path) }}, nil
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		name, in = path, file
	}
	kept, err := os.CreateTemp("", "headroom-input-*")
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	if err := os.Remove(kept.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("keep %s: %w", name, err), kept.Close())
	}
	once := &texts{name, func() (io.ReadCloser, error) { return io.NopCloser(io.TeeReader(in, kept)), nil }}
	if err := once.each(func(collection.Document) error { return nil }); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	// Each reader has its own position; the file is closed when the process ends.
	return &texts{name, func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(kept, 0, math.MaxInt64)), nil
	}}, nil
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

// count checks every row and returns their number.
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

// plainLines reads one text per line; its number is its id.
func plainLines(r io.Reader, fn func(collection.Document) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), collection.MaxLine)
	lines.Split(wholeLines)
	n := 0
	for lines.Scan() {
		n++
		if err := fn(collection.Document{ID: strconv.Itoa(n), Text: lines.Text()}); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("read standard input:%d: line longer than the %d MiB allowed", n+1, collection.MaxLine>>20)
	} else if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}

// wholeLines splits at line feeds; unlike bufio.ScanLines it keeps carriage returns.
func wholeLines(data []byte, end bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if end && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
