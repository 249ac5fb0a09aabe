package atomic

import (
	"io"
	"io/fs"
	"os"
)

// System lists the calls of a file system that this package needs. OS and Root implement
// it; tests add implementations with faults and losses of power.
type System interface {
	OpenFile(name string, flag int, mode fs.FileMode) (File, error)
	Mkdir(name string, mode fs.FileMode) error
	Rename(from, to string) error
	Link(from, to string) error
	RemoveAll(name string) error
	Lstat(name string) (fs.FileInfo, error)
	Readlink(name string) (string, error)
	// Names lists a folder.
	Names(name string) ([]string, error)
}

// File is an open file or folder.
type File interface {
	io.WriteCloser
	Sync() error
}

// OS is the operating system's file system.
type OS struct{}

// OpenFile is os.OpenFile.
func (OS) OpenFile(name string, flag int, mode fs.FileMode) (File, error) {
	return os.OpenFile(name, flag, mode)
}

// Mkdir is os.Mkdir.
func (OS) Mkdir(name string, mode fs.FileMode) error { return os.Mkdir(name, mode) }

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Link is os.Link.
func (OS) Link(from, to string) error { return os.Link(from, to) }

// RemoveAll is os.RemoveAll.
func (OS) RemoveAll(name string) error { return os.RemoveAll(name) }

// Lstat is os.Lstat.
func (OS) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Readlink is os.Readlink.
func (OS) Readlink(name string) (string, error) { return os.Readlink(name) }

// Names returns the names that os.ReadDir finds.
func (OS) Names(name string) ([]string, error) {
	folder, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}

// Root is the file system below a folder; no symbolic link leads out of it.
type Root struct{ *os.Root }

// OpenFile is os.Root.OpenFile.
func (r Root) OpenFile(name string, flag int, mode fs.FileMode) (File, error) {
	return r.Root.OpenFile(name, flag, mode)
}

// Names lists a folder.
func (r Root) Names(name string) ([]string, error) {
	folder, err := r.Root.Open(name)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}
