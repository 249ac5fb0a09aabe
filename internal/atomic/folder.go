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
	path   string // its temporary path, until it is whole
	target string
	made   []string // the folders below it
}

// Path is the temporary path of the folder, until it is whole. Whoever writes there
// without Folder's methods must sync the files.
func (f *Folder) Path() string { return f.path }

// WriteFile makes a file, whose content fill writes; name is relative, with slashes.
func (f *Folder) WriteFile(name string, fill func(io.Writer) error) error {
	name = filepath.FromSlash(name)
	if err := f.mkdir(filepath.Dir(name)); err != nil {
		return err
	}
	return f.disk.writeNew(filepath.Join(f.path, name), filepath.Join(f.target, name), fill)
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
		return withPath(filepath.Join(f.target, name), err)
	}
	return nil
}

// CreateFolder is Disk.CreateFolder on the operating system's disk.
func CreateFolder(path string, fill func(*Folder) error) error {
	return Disk{}.CreateFolder(path, fill)
}

// CreateFolder makes a folder, whose files fill writes. A folder that exists and is not
// empty stays, and the error is fs.ErrExist. The parent folder must exist.
func (d Disk) CreateFolder(path string, fill func(*Folder) error) error {
	return d.folder(path, fill, false)
}

// ReplaceFolder makes a folder, whose files fill writes. It replaces a folder that exists,
// whatever is in it. The parent folder must exist.
func (d Disk) ReplaceFolder(path string, fill func(*Folder) error) error {
	return d.folder(path, fill, true)
}

func (d Disk) folder(path string, fill func(*Folder) error, replace bool) error {
	target, err := d.linkTarget(filepath.Clean(path))
	if err != nil {
		return err
	}
	if err := d.Mend(target); err != nil {
		return err
	}
	parent := filepath.Dir(target)
	f := &Folder{disk: d, path: filepath.Join(parent, Unfinished+rand.Text()), target: target}
	if err := d.calls().Mkdir(f.path, 0o777); err != nil {
		return withPath(target, err)
	}
	err = fill(f)
	for _, made := range append(f.made, f.path) {
		if err == nil {
			err = d.SyncFolder(made)
		}
	}
	if err == nil {
		err = d.moveInto(f.path, target, replace)
	}
	if err != nil {
		return errors.Join(err, d.discard(f.path))
	}
	if err := d.SyncFolder(parent); err != nil {
		return err
	}
	return d.removeOld(target)
}

// removeOld removes the folder that was replaced. It renames the folder first, so that
// nobody takes a half removed folder for a whole one.
func (d Disk) removeOld(target string) error {
	gone := filepath.Join(filepath.Dir(target), Unfinished+rand.Text())
	err := d.calls().Rename(replacedPath(target), gone)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, d.discard(gone))
}

// moveInto gives a finished folder its name.
func (d Disk) moveInto(from, target string, replace bool) error {
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
			return withPath(target, err)
		}
		moved = true
	default:
		return &fs.PathError{Op: "write", Path: target, Err: fs.ErrExist}
	}
	err = withPath(target, d.calls().Rename(from, target))
	if err != nil && moved {
		err = errors.Join(err, d.calls().Rename(replacedPath(target), target))
	}
	return err
}

func (d Disk) empty(path string) bool {
	names, err := d.calls().Names(path)
	return err == nil && len(names) == 0
}

// replacedPath is the path of a folder while another folder takes its place.
func replacedPath(target string) string {
	return filepath.Join(filepath.Dir(target), Replaced+filepath.Base(target))
}

// Leftover reports whether a killed process may have left a file or folder of this name.
func Leftover(name string) bool {
	return strings.HasPrefix(name, Unfinished) || strings.HasPrefix(name, Replaced)
}

// ReplacedBy returns the path that a folder had before its replacement began; path is its
// name now. It returns "" for a name that no replacement leaves.
func ReplacedBy(path string) string {
	name, found := strings.CutPrefix(filepath.Base(path), Replaced)
	if !found {
		return ""
	}
	return filepath.Join(filepath.Dir(path), name)
}

// Mend is Disk.Mend on the operating system's disk.
func Mend(path string) error { return Disk{}.Mend(path) }

// Mend ends a replacement of a folder that was cut short. If path does not exist, it
// moves the old folder back; else it removes the old folder.
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
