package atomic

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// Folder is a folder that is being written.
type Folder struct {
	disk   Disk
	path   string // where it lies until it is whole
	target string
	made   []string // the folders below it
}

// Path is where the folder lies until it is whole. What is written there by other
// means than Folder's must be synced by them.
func (f *Folder) Path() string { return f.path }

// WriteFile makes a file of what fill writes; name is relative, with slashes.
func (f *Folder) WriteFile(name string, fill func(io.Writer) error) error {
	name = filepath.FromSlash(name)
	if err := f.mkdir(filepath.Dir(name)); err != nil {
		return err
	}
	return f.disk.fill(filepath.Join(f.path, name), filepath.Join(f.target, name), fill)
}

func (f *Folder) mkdir(name string) error {
	if name == "." {
		return nil
	}
	if err := f.mkdir(filepath.Dir(name)); err != nil {
		return err
	}
	path := filepath.Join(f.path, name)
	err := f.disk.calls().Mkdir(path, 0o777)
	switch {
	case err == nil:
		f.made = append(f.made, path)
	case !errors.Is(err, fs.ErrExist):
		return about(filepath.Join(f.target, name), err)
	}
	return nil
}

// CreateFolder is that of the operating system's disk.
func CreateFolder(path string, fill func(*Folder) error) error {
	return Disk{}.CreateFolder(path, fill)
}

// CreateFolder makes a folder of what fill writes. One that is there stays, unless it
// is empty, and the error is fs.ErrExist. The folder around it must exist.
func (d Disk) CreateFolder(path string, fill func(*Folder) error) error {
	return d.folder(path, fill, false)
}

// ReplaceFolder is that of the operating system's disk.
func ReplaceFolder(path string, fill func(*Folder) error) error {
	return Disk{}.ReplaceFolder(path, fill)
}

// ReplaceFolder makes a folder of what fill writes, or replaces one whatever is in it.
// The folder around it must exist.
func (d Disk) ReplaceFolder(path string, fill func(*Folder) error) error {
	return d.folder(path, fill, true)
}

func (d Disk) folder(path string, fill func(*Folder) error, replace bool) error {
	target, err := d.follow(filepath.Clean(path))
	if err != nil {
		return err
	}
	if err := d.Mend(target); err != nil {
		return err
	}
	parent := filepath.Dir(target)
	f := &Folder{disk: d, path: filepath.Join(parent, Unfinished+rand.Text()), target: target}
	if err := d.calls().Mkdir(f.path, 0o777); err != nil {
		return about(target, err)
	}
	err = fill(f)
	for _, made := range append(f.made, f.path) {
		if err == nil {
			err = d.SyncFolder(made)
		}
	}
	if err == nil {
		err = d.place(f.path, target, replace)
	}
	if err != nil {
		return errors.Join(err, d.discard(f.path))
	}
	if err := d.SyncFolder(parent); err != nil {
		return err
	}
	return d.removeOld(target)
}

// removeOld removes the folder that was replaced. It loses its name first: what is
// half removed is of no use.
func (d Disk) removeOld(target string) error {
	gone := filepath.Join(filepath.Dir(target), Unfinished+rand.Text())
	err := d.calls().Rename(replacedPath(target), gone)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, d.discard(gone))
}

// place gives a finished folder its name.
func (d Disk) place(from, target string, replace bool) error {
	info, err := d.calls().Lstat(target)
	moved := false
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.IsDir():
		return &fs.PathError{Op: "write", Path: target, Err: fs.ErrExist}
	case replace || d.empty(target):
		if err := d.calls().Rename(target, replacedPath(target)); err != nil {
			return about(target, err)
		}
		moved = true
	default:
		return &fs.PathError{Op: "write", Path: target, Err: fs.ErrExist}
	}
	err = about(target, d.calls().Rename(from, target))
	if err != nil && moved {
		err = errors.Join(err, d.calls().Rename(replacedPath(target), target))
	}
	return err
}

func (d Disk) empty(path string) bool {
	names, err := d.calls().Names(path)
	return err == nil && len(names) == 0
}

// replacedPath is where a folder lies while another takes its place.
func replacedPath(target string) string {
	return filepath.Join(filepath.Dir(target), Replaced+filepath.Base(target))
}

// Leftover tells whether a name is one that a killed process leaves behind.
func Leftover(name string) bool {
	return strings.HasPrefix(name, Unfinished) || strings.HasPrefix(name, Replaced)
}

// ReplacedBy is the path that a name beside it was being replaced at; "" for a name
// that no replacement left.
func ReplacedBy(path string) string {
	name, found := strings.CutPrefix(filepath.Base(path), Replaced)
	if !found {
		return ""
	}
	return filepath.Join(filepath.Dir(path), name)
}

// Mend is that of the operating system's disk.
func Mend(path string) error { return Disk{}.Mend(path) }

// Mend undoes a replacement of a folder that was cut short: it puts the old folder
// back where none is, and else removes it.
func (d Disk) Mend(path string) error {
	if _, err := d.calls().Lstat(replacedPath(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := d.calls().Lstat(path); err == nil {
		return d.removeOld(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.Rename(replacedPath(path), path)
}
