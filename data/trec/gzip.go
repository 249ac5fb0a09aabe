package trec

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// Decompress reads a text that may be gzipped. It goes by content: files are
// renamed, and servers unpack what they serve.
func Decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}
