package lines

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Line is one line of a file. Text is valid until the next one is read.
type Line struct {
	At     int64 // of its first byte in the file, unpacked
	Number int   // counted from 1, from the place where reading began
	Text   []byte
}

// Scan calls fn for each line of the file and returns the hexadecimal SHA-256 of its unpacked text. An error of fn
// ends the reading and is returned with file and line.
func (f *File) Scan(fn func(Line) error) (sum string, err error) {
	digest := sha256.New()
	r := f.reader(0, 1<<20, digest)
	for {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(digest.Sum(nil)), nil
		}
		if err == nil {
			err = fn(line)
		}
		if err != nil {
			return "", fmt.Errorf("read %s:%d: %w", f.Path, r.number, err)
		}
	}
}

// reader goes through lines from a place on.
type reader struct {
	in     *bufio.Reader
	at     int64
	number int
	long   []byte
}

func (f *File) reader(at int64, buffer int, digest hash.Hash) *reader {
	var in io.Reader = io.NewSectionReader(f, at, f.size-at)
	if digest != nil {
		in = io.TeeReader(in, digest)
	}
	return &reader{in: bufio.NewReaderSize(in, buffer), at: at}
}

var errLong = fmt.Errorf("the line is longer than the %d MiB allowed", maxLine>>20)

// next returns the next line that is not blank; io.EOF at the end.
func (r *reader) next() (Line, error) {
	for {
		text, err := r.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			r.long = append(r.long[:0], text...)
			for errors.Is(err, bufio.ErrBufferFull) && len(r.long) <= maxLine {
				text, err = r.in.ReadSlice('\n')
				r.long = append(r.long, text...)
			}
			text = r.long
		}
		r.number++
		if len(text) > maxLine {
			return Line{}, errLong
		}
		if err != nil && !(errors.Is(err, io.EOF) && len(text) > 0) {
			return Line{}, err
		}
		at := r.at
		r.at += int64(len(text))
		if at == 0 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if text = trimEnd(text); !isBlank(text) {
			return Line{at, r.number, text}, nil
		}
	}
}

func trimEnd(text []byte) []byte {
	text = bytes.TrimSuffix(text, []byte("\n"))
	return bytes.TrimSuffix(text, []byte("\r"))
}

// isBlank reports whether a line has nothing but spaces. A tab counts: it separates columns.
func isBlank(text []byte) bool { return len(bytes.TrimLeft(text, " ")) == 0 }

// line reads the line at a place.
func (f *File) line(at int64) ([]byte, error) {
	text := make([]byte, 0, 8<<10)
	for {
		n, err := f.ReadAt(text[len(text):cap(text)], at+int64(len(text)))
		if end := bytes.IndexByte(text[len(text):len(text)+n], '\n'); end >= 0 {
			text = text[:len(text)+end]
			break
		}
		text = text[:len(text)+n]
		if errors.Is(err, io.EOF) && len(text) > 0 {
			break
		}
		if err == nil && len(text) > maxLine {
			err = errLong
		}
		if err != nil {
			return nil, fmt.Errorf("read %s at byte %d: %w", f.Path, at, err)
		}
		text = append(make([]byte, 0, 4*cap(text)), text...)
	}
	if at == 0 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	return bytes.TrimSuffix(text, []byte("\r")), nil
}

// First returns the first line that is not blank; nil if there is none.
func (f *File) First() ([]byte, error) {
	line, err := f.reader(0, 1<<16, nil).next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s:1: %w", f.Path, err)
	}
	return line.Text, nil
}
