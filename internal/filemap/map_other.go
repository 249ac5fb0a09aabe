//go:build !unix

package filemap

import (
	"io"
	"os"
)

// mapWhole reads the file if the system has no POSIX mapping.
func mapWhole(f *os.File, size int) ([]byte, func() error, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}
