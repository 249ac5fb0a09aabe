// Package atomic writes files and folders whole or not at all. The program uses it
// for everything that must survive a crash.
//
// The guarantee. After a crash, a kill, a full disk or a loss of power a path holds
// its old content or the whole new content, never a part. Once a function has returned
// nil, the path holds the new content for good. After an error it holds the old content.
// There is one exception: after an error of the last step, the sync of the parent
// folder, it may hold either. To achieve this, the content is written to a temporary
// name, synced and renamed, and the folder that holds the name is synced.
//
// To replace a folder takes two renames. Between them the old folder has the name
// ".old-NAME" in the same parent folder. The next write moves it back first, and so
// does Mend.
//
// Modes are those of new files: 0666 and 0777 less the umask. A path that is a symbolic
// link stays one, and its target is written. A killed process may leave files named
// ".new-…" in the folder of the path.
package atomic

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The first part of names that a killed process may leave in the folder of a path.
const (
	Unfinished = ".new-" // and a random word: half written, useless
	Replaced   = ".old-" // and the path's name: a folder that is being replaced
)

// Disk writes through a file system. The zero value is the operating system's.
type Disk struct{ system System }

// DiskOn returns a disk that writes through the given file system instead of the operating system's.
func DiskOn(system System) Disk { return Disk{system} }

func (d Disk) calls() System {
	if d.system == nil {
		return OS{}
	}
	return d.system
}

// WriteFile is Disk.WriteFile on the operating system's disk.
func WriteFile(path string, fill func(io.Writer) error) error { return Disk{}.WriteFile(path, fill) }

// WriteFile makes or replaces a file, whose content fill writes. The folder must exist.
func (d Disk) WriteFile(path string, fill func(io.Writer) error) error {
	target, err := d.linkTarget(path)
	if err != nil {
		return err
	}
	temporary, err := d.writeTemporary(target, fill)
	if err != nil {
		return err
	}
	if err := d.calls().Rename(temporary, target); err != nil {
		return errors.Join(withPath(target, err), d.discard(temporary))
	}
	return d.SyncFolder(filepath.Dir(target))
}

// CreateFile is Disk.CreateFile on the operating system's disk.
func CreateFile(path string, fill func(io.Writer) error) error { return Disk{}.CreateFile(path, fill) }

// CreateFile makes a file, whose content fill writes. If the path exists, even as a
// symbolic link to nothing, it stays and the error is fs.ErrExist.
//
// Where a file system has no hard links the file is written in place. If two processes
// create it, still only one succeeds, but a crash may leave a part of the file.
func (d Disk) CreateFile(path string, fill func(io.Writer) error) error {
	temporary, err := d.writeTemporary(path, fill)
	if err != nil {
		return err
	}
	err = d.calls().Link(temporary, path) // unlike a rename, a link never replaces a file
	if err != nil && d.same(temporary, path) {
		err = nil // a file server may repeat a request that has succeeded
	}
	if gone := d.discard(temporary); err == nil {
		err = gone
	}
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // there are no hard links
		err = d.writeNew(path, path, fill)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = errors.Join(err, d.discard(path))
		}
	}
	if err != nil {
		return withPath(path, err)
	}
	return d.SyncFolder(filepath.Dir(path))
}

// Rename gives a finished file or folder another name, for good.
func (d Disk) Rename(from, to string) error {
	if err := d.calls().Rename(from, to); err != nil {
		return err
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		if err := d.SyncFolder(filepath.Dir(from)); err != nil {
			return err
		}
	}
	return d.SyncFolder(filepath.Dir(to))
}

// Link gives a finished file a second name, for good. A name that exists stays, and
// the error is fs.ErrExist.
func (d Disk) Link(from, to string) error {
	if err := d.calls().Link(from, to); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(to))
}

// CreateLog makes a new folder with an empty file to append to, for good. A folder that
// exists stays, and the error is fs.ErrExist: of two processes that create it only one
// succeeds. Appended bytes are on the disk once the caller has synced the file.
func (d Disk) CreateLog(path string) (File, error) {
	if err := d.calls().Mkdir(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	file, err := d.calls().OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := d.SyncFolder(folder); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}

// MkdirAll is Disk.MkdirAll on the operating system's disk.
func MkdirAll(path string) error { return Disk{}.MkdirAll(path) }

// MkdirAll makes a folder and its parent folders, for good.
func (d Disk) MkdirAll(path string) error {
	if path, err := d.linkTarget(path); err != nil {
		return err
	} else if info, err := d.calls().Lstat(path); err == nil && info.IsDir() {
		return nil
	} else if err == nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := d.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := d.calls().Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// SyncFolder returns when the names in a folder are on the disk. If a file system
// cannot sync folders, SyncFolder trusts that it keeps names without that.
func (d Disk) SyncFolder(path string) error {
	folder, err := d.calls().OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(withPath(path, err), folder.Close())
}

// writeTemporary writes a temporary file in the folder of a path, syncs it and returns its name.
func (d Disk) writeTemporary(path string, fill func(io.Writer) error) (string, error) {
	temporary := filepath.Join(filepath.Dir(path), Unfinished+rand.Text())
	if err := d.writeNew(temporary, path, fill); err != nil {
		return "", errors.Join(err, d.discard(temporary))
	}
	return temporary, nil
}

// writeNew makes a new file at name, whose content fill writes, and syncs it. Errors name
// path, which the file will get.
func (d Disk) writeNew(name, path string, fill func(io.Writer) error) error {
	file, err := d.calls().OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return withPath(path, err)
	}
	out := &writer{to: file}
	buffered := bufio.NewWriterSize(out, 1<<16)
	err = fill(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if out.err != nil { // even if fill has ignored it
		err = withPath(path, out.err)
	}
	if err == nil {
		err = withPath(path, file.Sync())
	}
	if closing := file.Close(); err == nil {
		err = withPath(path, closing)
	}
	return err
}

// writer remembers the error of the file.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// discard removes a temporary file or folder; one that does not exist is no error.
func (d Disk) discard(path string) error {
	if err := d.calls().RemoveAll(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if _, missing := d.calls().Lstat(path); errors.Is(missing, fs.ErrNotExist) {
			return nil // a read-only file system refuses to remove even what does not exist
		}
		return fmt.Errorf("left behind: %w", err)
	}
	return nil
}

// linkTarget is the path to which a symbolic link leads, or path itself if it is no link.
func (d Disk) linkTarget(path string) (string, error) {
	at := path
	for range 40 {
		to, err := d.calls().Readlink(at)
		if err != nil {
			return at, nil // no link, or nothing there
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		at = to
	}
	return "", &fs.PathError{Op: "write", Path: path, Err: syscall.ELOOP}
}

func (d Disk) same(a, b string) bool {
	one, err := d.calls().Lstat(a)
	if err != nil {
		return false
	}
	two, err := d.calls().Lstat(b)
	return err == nil && os.SameFile(one, two)
}

// withPath returns the error of a call with path in the place of the name of a temporary file.
func withPath(path string, err error) error {
	switch call := err.(type) {
	case nil:
		return nil
	case *fs.PathError:
		err = call.Err
	case *os.LinkError:
		err = call.Err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}
