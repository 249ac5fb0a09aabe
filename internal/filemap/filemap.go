// Package filemap gives the bytes of large files without copying them.
package filemap

import (
	"errors"
	"os"
)

// Map returns the first size bytes of a file, which must only be read, and a function that releases them. Until then the
// file may be closed, removed or replaced by another of its name. If it is cut short, an access ends the process.
func Map(f *os.File, size int64) (data []byte, release func() error, err error) {
	switch {
	case int64(int(size)) != size:
		return nil, nil, errors.New("file is too large for this machine's addresses")
	case size == 0:
		return nil, func() error { return nil }, nil
	}
	return mapWhole(f, int(size))
}
