// Package gunzip reads texts that may be gzipped, and explains errors of damaged ones.
package gunzip

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// magic is the beginning of every gzip member.
var magic = []byte{0x1f, 0x8b}

// IsGzip reports whether data begin like gzip data; two bytes are enough.
func IsGzip(data []byte) bool { return bytes.HasPrefix(data, magic) }

// NewReader returns a reader of the text in r. The content shows whether r is gzipped, not a name: people rename files,
// and servers unpack what they send. Several gzip members, one after the other, are one text.
func NewReader(r io.Reader) (io.Reader, error) {
	from := bufio.NewReaderSize(r, 1<<16)
	begin, err := from.Peek(len(magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !IsGzip(begin) {
		return from, nil
	}
	zip, err := gzip.NewReader(from)
	if err != nil {
		return nil, explain(err)
	}
	zip.Multistream(false)
	return &members{from: from, zip: zip}, nil
}

// members reads gzip members one by one. The standard reader takes any bytes after a member for the next member, and
// so reports a few stray bytes as a file that is cut short.
type members struct {
	from *bufio.Reader
	zip  *gzip.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.zip.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, explain(err)
		}
		if err := m.next(); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// next begins the next member; it returns io.EOF if there is none.
func (m *members) next() error {
	begin, err := m.from.Peek(len(magic))
	switch {
	case len(begin) == 0 && errors.Is(err, io.EOF):
		return io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case !IsGzip(begin):
		return errors.New("other bytes follow the end of the gzip data: remove them, or pack the file again")
	}
	if err := m.zip.Reset(m.from); err != nil {
		return explain(err)
	}
	m.zip.Multistream(false)
	return nil
}

// explain adds to an error of the gzip reader its meaning for the file.
func explain(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the gzip data end in the middle: the file is cut short: %w", err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fmt.Errorf("the gzip data are damaged: %w", err)
	}
	return err
}
