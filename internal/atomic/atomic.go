// Package atomic puts files and folders in place whole. Everything of the program
// that must survive a crash is written by it.
//
// The guarantee. After a crash, a kill, a full disk or a loss of power a path holds
// what it held before, or all of what was written, and never a part of it; once a
// function has returned nil it holds what was written, for good. An error leaves the
// old content, except an error of the last step, the sync of the parent folder: then
// either may be there. For this the content is written aside, synced, renamed, and the
// folder that holds the name is synced.
//
// A folder that replaces another needs two renames. Between them the old one lies
// beside the path as ".old-NAME": the next write puts it back first, as does Mend.
//
// Modes are those of new files: 0666 and 0777 less the umask. A path that is a symbolic
// link stays one, and what it leads to is written. What a killed process leaves behind
// is named ".new-…" and lies in the folder of the path.
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

// The names of what a killed process may leave beside a path.
const (
	Unfinished = ".new-" // and a random word: half written, of no use
	Replaced   = ".old-" // and the path's name: a folder that is being replaced
)

// Disk writes through a file system. The zero value is the operating system's.
type Disk struct{ system System }

// On writes through another file system than the operating system's.
func On(system System) Disk { return Disk{system} }

func (d Disk) calls() System {
	if d.system == nil {
		return OS{}
	}
	return d.system
}

// WriteFile is that of the operating system's disk.
func WriteFile(path string, fill func(io.Writer) error) error { return Disk{}.WriteFile(path, fill) }

// WriteFile makes a file of what fill writes, or replaces one. The folder must exist.
func (d Disk) WriteFile(path string, fill func(io.Writer) error) error {
	target, err := d.follow(path)
	if err != nil {
		return err
	}
	temporary, err := d.aside(target, fill)
	if err != nil {
		return err
	}
	if err := d.calls().Rename(temporary, target); err != nil {
		return errors.Join(about(target, err), d.discard(temporary))
	}
	return d.SyncFolder(filepath.Dir(target))
}

// CreateFile is that of the operating system's disk.
func CreateFile(path string, fill func(io.Writer) error) error { return Disk{}.CreateFile(path, fill) }

// CreateFile makes a file of what fill writes. One that is there, even a symbolic link
// to nothing, stays, and the error is fs.ErrExist.
//
// Where a file system has no hard links the file is written in place: of two that
// create it one still wins, but a crash may leave it torn.
func (d Disk) CreateFile(path string, fill func(io.Writer) error) error {
	temporary, err := d.aside(path, fill)
	if err != nil {
		return err
	}
	err = d.calls().Link(temporary, path) // unlike a rename it never replaces
	if err != nil && d.same(temporary, path) {
		err = nil // a server may repeat a request that it has granted
	}
	if gone := d.discard(temporary); err == nil {
		err = gone
	}
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // there are no hard links
		err = d.fill(path, path, fill)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = errors.Join(err, d.discard(path))
		}
	}
	if err != nil {
		return about(path, err)
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

// Link gives a finished file a second name, for good. A name that is there stays, and
// the error is fs.ErrExist.
func (d Disk) Link(from, to string) error {
	if err := d.calls().Link(from, to); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(to))
}

// CreateLog makes a folder that is not there, with an empty file to append to, for good.
// Where the folder is there it stays, and the error is fs.ErrExist: of two that create one
// of them wins. What is appended is on the disk once the file was synced.
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

// MkdirAll is that of the operating system's disk.
func MkdirAll(path string) error { return Disk{}.MkdirAll(path) }

// MkdirAll makes a folder and those that it lies in, for good.
func (d Disk) MkdirAll(path string) error {
	if path, err := d.follow(path); err != nil {
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

// SyncFolder is that of the operating system's disk.
func SyncFolder(path string) error { return Disk{}.SyncFolder(path) }

// SyncFolder returns when the names in a folder are on the disk. A file system that
// cannot sync folders is taken to keep names by itself.
func (d Disk) SyncFolder(path string) error {
	folder, err := d.calls().OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(about(path, err), folder.Close())
}

// aside writes a temporary file in the folder of a path, synced, and returns its name.
func (d Disk) aside(path string, fill func(io.Writer) error) (string, error) {
	temporary := filepath.Join(filepath.Dir(path), Unfinished+rand.Text())
	if err := d.fill(temporary, path, fill); err != nil {
		return "", errors.Join(err, d.discard(temporary))
	}
	return temporary, nil
}

// fill makes a new file, synced. Errors name the path that the file is for.
func (d Disk) fill(name, path string, fill func(io.Writer) error) error {
	file, err := d.calls().OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return about(path, err)
	}
	out := &writer{to: file}
	buffered := bufio.NewWriterSize(out, 1<<16)
	err = fill(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if out.err != nil { // whatever fill made of it
		err = about(path, out.err)
	}
	if err == nil {
		err = about(path, file.Sync())
	}
	if closing := file.Close(); err == nil {
		err = about(path, closing)
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

// discard removes what is of no use; that it is gone already is no error.
func (d Disk) discard(path string) error {
	if err := d.calls().RemoveAll(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("left behind: %w", err)
	}
	return nil
}

// follow is where a path leads to when it is a symbolic link.
func (d Disk) follow(path string) (string, error) {
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

// about names the path in an error of a call that would name a temporary file.
func about(path string, err error) error {
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
