// Package lines reads lines of text files at any place. A compressed file cannot be read from the middle, so it is
// unpacked once, into the cache, where the text stays until the file changes.
//
// A line ends with \n or \r\n, which is not part of it. A byte order mark at the beginning of a file is skipped, and
// so are lines that are empty or hold only spaces.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"headroom/data/kept"
	"headroom/internal/gunzip"
)

// maxLine bounds a line, so that a file that is no text does not fill the memory.
const maxLine = 64 << 20

// File is an open text. Its methods are safe for concurrent use, Close excepted.
type File struct {
	// Path is the file as it was named, packed or not.
	Path string
	text text
	size int64
	// temporary is the name of a file that Close removes; "" if there is none.
	temporary string

	mutex sync.RWMutex // guards text, if it can be made again
	// unpacked opens the text again after it was unpacked again; nil if the text is not kept.
	unpacked func() error
}

type text interface {
	io.ReaderAt
	io.Closer
}

// Unpack writes the lines that a file stands for.
type Unpack func(path string, to io.Writer) error

// Open opens a file that is plain or gzipped, which its content shows, or, with unpack, one that unpack turns into
// lines. Unpacked lines are kept in the store's folder "unpacked", with checksums; if they turn out to be damaged, the
// file is unpacked again. Without a store, and for a file that was changed a moment ago, they are kept only until
// Close. Unpacking ends when ctx ends.
func Open(ctx context.Context, path string, store kept.Store, unpack Unpack) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("read lines of %s: not a file", path)
	}
	form := "converted"
	if err == nil && unpack == nil {
		var zipped bool
		if zipped, err = gzipped(file); err == nil && !zipped {
			return &File{Path: path, text: file, size: info.Size()}, nil
		}
		form, unpack = "gunzipped", unzip
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	key, err := kept.KeyOf("unpacked 1 "+form, path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	whole := unpack
	unpack = func(path string, to io.Writer) error { return whole(path, &stoppable{ctx, to}) }
	if name := store.File(key, "unpacked"); name != "" {
		err = f.openKept(name, store, key, unpack)
	} else {
		err = f.openTemporary(store, unpack)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return f, nil
}

// sink remembers an error of writing, to distinguish it from errors of reading.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// stoppable is a writer that fails once its context has ended.
type stoppable struct {
	ctx context.Context
	to  io.Writer
}

func (s *stoppable) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.to.Write(p)
}

func gzipped(file *os.File) (bool, error) {
	var magic [2]byte
	if _, err := file.ReadAt(magic[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read lines: %w", err)
	}
	return gunzip.IsGzip(magic[:]), nil
}

func unzip(path string, to io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := gunzip.NewReader(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, text)
	return err
}

// openKept opens the kept unpacked text, or unpacks the file now.
func (f *File) openKept(name string, store kept.Store, key kept.Key, unpack Unpack) error {
	f.unpacked = func() error {
		store.RemoveSuperseded(key, "unpacked")
		var unreadable error
		err := store.WriteFile(name, func(to io.Writer) error {
			written := &sink{to: to}
			err := unpack(f.Path, written)
			if written.err == nil {
				unreadable = err
			}
			return err
		})
		if unreadable != nil {
			return unreadable
		}
		if err != nil {
			return fmt.Errorf("into %s (HEADROOM_CACHE chooses another folder): %w", name, err)
		}
		return f.open(name)
	}
	if f.open(name) == nil {
		return nil
	}
	return f.unpacked()
}

// ReadAt reads the unpacked text at a place.
func (f *File) ReadAt(p []byte, at int64) (int, error) {
	f.mutex.RLock()
	damaged := f.text
	n, err := f.text.ReadAt(p, at)
	f.mutex.RUnlock()
	if f.unpacked == nil || !errors.Is(err, kept.ErrDamaged) {
		return n, err
	}
	if err := f.unpackAgain(damaged); err != nil {
		return 0, err
	}
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	return f.text.ReadAt(p, at)
}

// unpackAgain replaces a damaged text, unless another reader has done so.
func (f *File) unpackAgain(damaged text) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.text != damaged {
		return nil
	}
	size := f.size
	if err := f.unpacked(); err != nil {
		return fmt.Errorf("unpack %s again, since what was kept of it is damaged: %w", f.Path, err)
	}
	if err := damaged.Close(); err != nil {
		return err
	}
	if f.size != size {
		return fmt.Errorf("unpack %s again, since what was kept of it is damaged: %d bytes, %d before: the file has changed", f.Path, f.size, size)
	}
	return nil
}

// openTemporary unpacks into a file for this process alone.
func (f *File) openTemporary(store kept.Store, unpack Unpack) error {
	if store.Dir != "" {
		if err := os.MkdirAll(store.Dir, 0o755); err != nil {
			return err
		}
	}
	to, err := os.CreateTemp(store.Dir, "unpacked-*")
	if err != nil {
		return err
	}
	f.text, f.temporary = to, to.Name()
	// Where the system allows it the name is removed at once, so that no file is left, however this process ends.
	_ = os.Remove(to.Name())
	if err = unpack(f.Path, to); err == nil {
		f.size, err = to.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

func (f *File) open(name string) error {
	text, err := kept.OpenFile(name)
	if err != nil {
		return err
	}
	f.text, f.size = text, text.Size()
	return nil
}

// Size is the number of bytes, unpacked.
func (f *File) Size() int64 { return f.size }

// Close closes the file, and removes a text that was unpacked for this process alone.
func (f *File) Close() error {
	err := f.text.Close()
	if f.temporary != "" {
		_ = os.Remove(f.temporary) // in most cases it is gone already
	}
	return err
}
