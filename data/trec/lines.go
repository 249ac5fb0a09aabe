package trec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"headroom/internal/gunzip"
)

// maxLine bounds a line. Sensible rows are far shorter, and a binary file that is given by mistake must not be
// read into memory as one line.
const maxLine = 1 << 20

// lines walks a text, plain or gzipped, and counts its lines from 1.
type lines struct {
	name    string
	scanner *bufio.Scanner
	number  int
}

func newLines(r io.Reader, name string) (*lines, error) {
	text, err := gunzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	scanner := bufio.NewScanner(text)
	scanner.Buffer(make([]byte, 0, 1<<16), maxLine)
	return &lines{name: name, scanner: scanner}, nil
}

// next returns the next line that is not blank, without its line end; false at the end or on an error.
// The bytes are valid until the next call.
func (l *lines) next() ([]byte, bool) {
	for l.scanner.Scan() {
		l.number++
		line := l.scanner.Bytes()
		if l.number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(trimSpace(line)) > 0 {
			return line, true
		}
	}
	return nil, false
}

func (l *lines) err() error {
	err := l.scanner.Err()
	if err == nil {
		return nil
	}
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("read %s:%d: the line is longer than %d bytes: not a qrels or run file", l.name, l.number+1, maxLine)
	}
	return fmt.Errorf("read %s:%d: %w", l.name, l.number+1, err)
}

// fault returns an error about the current line, unless a failed read has cut that line off.
func (l *lines) fault(format string, args ...any) error {
	if err := l.err(); err != nil {
		return err
	}
	return fmt.Errorf("read %s:%d: %w", l.name, l.number, fmt.Errorf(format, args...))
}

// isSpace is C's isspace in the POSIX locale: ids are bytes, so a Unicode space is part of an id.
func isSpace(b byte) bool { return b == ' ' || (b >= '\t' && b <= '\r') }

func trimSpace(line []byte) []byte {
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

// fields splits at white space into at most len(into) fields and returns how many the line has in all.
func fields(line []byte, into [][]byte) int {
	n := 0
	for i := 0; i < len(line); {
		if isSpace(line[i]) {
			i++
			continue
		}
		start := i
		for i < len(line) && !isSpace(line[i]) {
			i++
		}
		if n < len(into) {
			into[n] = line[start:i]
		}
		n++
	}
	return n
}

// noNUL refuses a line with a NUL byte, which ends a text in C: trec_eval would read another id or score.
func noNUL(line []byte) error {
	if bytes.IndexByte(line, 0) >= 0 {
		return errors.New("a NUL byte: not a qrels or run file")
	}
	return nil
}

// open opens a file and calls one of the readers with it.
func open[T any](path string, read func(io.Reader, string) (T, error)) (T, error) {
	file, err := os.Open(path)
	if err != nil {
		var none T
		return none, err
	}
	defer file.Close()
	return read(file, path)
}
