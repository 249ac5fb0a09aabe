package collection

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"headroom/data/parquet"
	"headroom/internal/gunzip"
)

// readRows calls fn for each row of files of one kind, in order. An id may occur once in
// all files together: first, which is empty, gets the line of each; nil if that is known already. An error
// of fn ends the reading and is returned with file and line.
func readRows(kind Kind, paths []string, first map[string]int, fn func(d Document, path string, line int) error) error {
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		err = readFile(kind, file, path, first, func(d Document, line int) error { return fn(d, path, line) })
		if closing := file.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readFile reads one file in the form that its name shows. first maps the ids that were
// read before to their lines.
func readFile(kind Kind, file *os.File, path string, first map[string]int, fn func(d Document, line int) error) error {
	if isTopics(path) {
		return readTopics(file, path, first, fn)
	}
	form, err := FormOf(kind, path)
	if err != nil {
		return err
	}
	if !form.Headed() {
		return readLines(file, path, form.Row, first, fn)
	}
	return withLines(path, func(text *bufio.Scanner) error {
		if !text.Scan() {
			return fmt.Errorf("read %s: it holds no %s", path, kind)
		}
		if err := form.Head(text.Bytes()); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		return scanRows(text, path, form.Row, first, fn)
	})
}

// withLines calls read with the lines of a Parquet file. The first line names the columns.
func withLines(path string, read func(*bufio.Scanner) error) error {
	in, out := io.Pipe()
	go func() { out.CloseWithError(parquet.Lines(path, out)) }()
	text := newScanner(in)
	err := read(text)
	if failed := text.Err(); failed != nil && !errors.Is(failed, bufio.ErrTooLong) {
		err = fmt.Errorf("read %s: %w", path, failed)
	}
	in.CloseWithError(io.ErrClosedPipe) // ends the writer, also if lines are left
	return err
}

func newScanner(r io.Reader) *bufio.Scanner {
	text := bufio.NewScanner(r)
	text.Buffer(make([]byte, 0, 1<<16), MaxLine)
	return text
}

// readLines reads a text of rows, which may be gzipped.
func readLines(r io.Reader, name string, parse func([]byte) (Document, error), first map[string]int, fn func(d Document, line int) error) error {
	text, err := gunzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return scanRows(newScanner(text), name, parse, first, fn)
}

func scanRows(lines *bufio.Scanner, name string, parse func([]byte) (Document, error), first map[string]int, fn func(d Document, line int) error) error {
	number := 0
	for lines.Scan() {
		number++
		line := lines.Bytes()
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		document, err := parse(line)
		if err == nil {
			if err = checkRepeated(first, document.ID, number); err == nil {
				err = fn(document, number)
			}
		}
		if err != nil && lines.Err() != nil {
			break // a part of a line, left by a failed read
		}
		if err != nil {
			return fmt.Errorf("read %s:%d: %w", name, number, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("read %s:%d: line longer than the %d MiB allowed", name, number+1, MaxLine>>20)
	} else if err != nil {
		return fmt.Errorf("read %s:%d: %w", name, number+1, err)
	}
	return nil
}

// checkRepeated refuses an id that was read before, and notes its line; with a nil first it does neither.
func checkRepeated(first map[string]int, id string, line int) error {
	if first == nil {
		return nil
	}
	if at, taken := first[id]; taken {
		return fmt.Errorf("_id %q: already on line %d; an id is allowed once", id, at)
	}
	first[id] = line
	return nil
}
