// Package filemap gives the bytes of large files without copying them.
package filemap

import (
	"errors"
	"os"
)

// Map returns the first size bytes of a file, to be read only, and what gives them back. The file may be closed,
// removed or replaced by another of its name meanwhile; a file that is cut short meanwhile ends the process.
func Map(f *os.File, size int64) (data []byte, release func() error, err error) {
	switch {
	case int64(int(size)) != size:
		return nil, nil, errors.New("file is too large for this machine's addresses")
	case size == 0:
		return nil, func() error { return nil }, nil
	}
	return mapWhole(f, int(size))
}
