// Package lines reads text files as lines at any place. What is packed is unpacked once, into the cache, where
// it stays until the packed file changes: a compressed text has no places to go to.
//
// A line ends with \n or \r\n, which is not part of it. A byte order mark at the begin of a file is passed
// over, and so are lines that are empty or hold only spaces.
package lines

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"headroom/data/kept"
)

// maxLine bounds a line, so that a file that is no text does not fill the memory.
const maxLine = 64 << 20

// File is an open text. Its methods are safe for concurrent use, Close excepted.
type File struct {
	// Path is the file as it was named, packed or not.
	Path string
	text *os.File
	size int64
	// temporary tells that text is to go when it is closed.
	temporary bool
}

// Unpack writes the lines that a file stands for.
type Unpack func(path string, to io.Writer) error

// Open opens a file: plain, gzipped (by content, whatever its name) or, with unpack, what that makes of it.
// Unpacked lines are kept in the store's folder "unpacked"; of a file that was changed a moment ago, and
// without a store, only until Close. Unpacking ends with ctx.
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
		form, unpack = "gunzipped", gunzip
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

// sink remembers an error of writing, which is none of what is read.
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
	return bytes.Equal(magic[:], []byte{0x1f, 0x8b}), nil
}

func gunzip(path string, to io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err == nil {
		_, err = io.Copy(to, text)
	}
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the gzip data end in the middle: the file is cut short: %w", err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fmt.Errorf("the gzip data are damaged: %w", err)
	}
	return err
}

// openKept opens what was unpacked before, or unpacks it now.
func (f *File) openKept(name string, store kept.Store, key kept.Key, unpack Unpack) error {
	if f.open(name) == nil {
		return nil
	}
	store.Superseded(key, "unpacked")
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

// openTemporary unpacks into a file that only this process knows.
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
	f.text, f.temporary = to, true
	// Where the system allows it the name goes at once, so that nothing is left behind however this process ends.
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
	text, err := os.Open(name)
	if err != nil {
		return err
	}
	info, err := text.Stat()
	if err != nil {
		return errors.Join(err, text.Close())
	}
	f.text, f.size = text, info.Size()
	return nil
}

// Size is the number of bytes, unpacked.
func (f *File) Size() int64 { return f.size }

// Close closes the file, and removes what was unpacked for this process alone.
func (f *File) Close() error {
	err := f.text.Close()
	if f.temporary {
		_ = os.Remove(f.text.Name()) // mostly it is gone already
	}
	return err
}
