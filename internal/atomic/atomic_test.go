package atomic_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
)

// text fills a file in two writes that are larger than a buffer.
func text(word string) func(io.Writer) error {
	return func(w io.Writer) error {
		for range 2 {
			if _, err := io.WriteString(w, strings.Repeat(word, 70_000/len(word))); err != nil {
				return err
			}
		}
		return nil
	}
}

// firstWords reads files as their first word and size; "-" for one that is missing.
func firstWords(paths ...string) func(dir string) (string, error) {
	return func(dir string) (string, error) {
		var all []string
		for _, path := range paths {
			got, err := os.ReadFile(filepath.Join(dir, path))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				all = append(all, "-")
			case err != nil:
				return "", err
			default:
				all = append(all, fmt.Sprintf("%.3s %d", got, len(got)))
			}
		}
		return strings.Join(all, ", "), nil
	}
}

func put(t *testing.T, path, word string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(word), 0o666); err != nil {
		t.Fatal(err)
	}
}

func pair(word string) func(f *atomic.Folder) error {
	return func(f *atomic.Folder) error {
		return errors.Join(f.WriteFile("a", text(word)), f.WriteFile("sub/deep/b", text(word)))
	}
}

func TestEveryFaultLeavesTheOldOrTheNew(t *testing.T) {
	folderBefore := func(t *testing.T, dir string) {
		put(t, filepath.Join(dir, "f", "a"), "old")
		put(t, filepath.Join(dir, "f", "sub", "deep", "b"), "old")
	}
	mended := func(dir string) (string, error) {
		if err := atomic.Mend(filepath.Join(dir, "f")); err != nil {
			return "", err
		}
		return firstWords("f/a", "f/sub/deep/b")(dir)
	}
	for name, c := range map[string]faults.Case{
		"new file": {
			Write: func(d atomic.Disk, dir string) error { return d.WriteFile(filepath.Join(dir, "f"), text("new")) },
			Read:  firstWords("f"),
		},
		"replaced file": {
			Before: func(t *testing.T, dir string) { put(t, filepath.Join(dir, "f"), "old") },
			Write:  func(d atomic.Disk, dir string) error { return d.WriteFile(filepath.Join(dir, "f"), text("new")) },
			Read:   firstWords("f"),
		},
		"created file": {
			Write: func(d atomic.Disk, dir string) error {
				err := d.CreateFile(filepath.Join(dir, "f"), text("new"))
				if errors.Is(err, fs.ErrExist) {
					return nil
				}
				return err
			},
			Read: firstWords("f"),
		},
		"file in new folders": {
			Write: func(d atomic.Disk, dir string) error {
				if err := d.MkdirAll(filepath.Join(dir, "a", "b")); err != nil {
					return err
				}
				return d.WriteFile(filepath.Join(dir, "a", "b", "f"), text("new"))
			},
			Read: firstWords("a/b/f"),
		},
		"new folder": {
			Write: func(d atomic.Disk, dir string) error {
				err := d.CreateFolder(filepath.Join(dir, "f"), pair("new"))
				if errors.Is(err, fs.ErrExist) {
					return nil
				}
				return err
			},
			Read: mended,
		},
		"replaced folder": {
			Before: folderBefore,
			Write:  func(d atomic.Disk, dir string) error { return d.ReplaceFolder(filepath.Join(dir, "f"), pair("new")) },
			Read:   mended,
		},
	} {
		t.Run(name, func(t *testing.T) { faults.Test(t, c) })
	}
}

func TestModesFollowTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir := t.TempDir()
	check := func(name string, want fs.FileMode) {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
	err := errors.Join(atomic.WriteFile(filepath.Join(dir, "f"), text("new")), atomic.CreateFolder(filepath.Join(dir, "d"), pair("new")), atomic.MkdirAll(filepath.Join(dir, "m")))
	if err != nil {
		t.Fatal(err)
	}
	check("f", 0o640)
	check("d", 0o750)
	check("d/sub", 0o750)
	check("d/a", 0o640)
	check("m", 0o750)
}

func TestLinksAreFollowed(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "far", "f"), "old")
	for link, to := range map[string]string{"l": "far/f", "l2": "l", "nothing": "far/new", "folder": "far/folder"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"l2", "nothing"} {
		if err := atomic.WriteFile(filepath.Join(dir, name), text("new")); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomic.CreateFolder(filepath.Join(dir, "folder"), pair("new")); err != nil {
		t.Fatal(err)
	}
	got, err := firstWords("far/f", "far/new", "far/folder/a")(dir)
	if want := "new 139998, new 139998, new 139998"; got != want || err != nil {
		t.Errorf("%q %v, want %q", got, err, want)
	}
	for _, link := range []string{"l", "l2", "nothing", "folder"} {
		if info, err := os.Lstat(filepath.Join(dir, link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v %v", link, info, err)
		}
	}
	if err := os.Symlink("circle", filepath.Join(dir, "circle")); err != nil {
		t.Fatal(err)
	}
	if err := atomic.WriteFile(filepath.Join(dir, "circle"), text("new")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a circle of links: %v", err)
	}
}

func TestWhatIsThereStays(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "f"), "old")
	put(t, filepath.Join(dir, "d", "a"), "old")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a file that exists":         atomic.CreateFile(filepath.Join(dir, "f"), text("new")),
		"a folder that exists":       atomic.CreateFolder(filepath.Join(dir, "d"), pair("new")),
		"a file in a folder's place": atomic.Disk{}.ReplaceFolder(filepath.Join(dir, "f"), pair("new")),
	} {
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := atomic.CreateFolder(filepath.Join(dir, "empty"), pair("new")); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	failing := errors.New("no content")
	if err := atomic.WriteFile(filepath.Join(dir, "f"), func(io.Writer) error { return failing }); !errors.Is(err, failing) {
		t.Errorf("an error of the content: %v", err)
	}
	if err := (atomic.Disk{}).ReplaceFolder(filepath.Join(dir, "d"), func(*atomic.Folder) error { return failing }); !errors.Is(err, failing) {
		t.Errorf("an error of the content: %v", err)
	}
	if got, err := firstWords("f", "d/a", "empty/a")(dir); got != "old 3, old 3, new 139998" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if names, err := os.ReadDir(dir); len(names) != 3 || err != nil {
		t.Errorf("left in the folder: %v %v", names, err)
	}
}

// noLinks is a file system without hard links.
type noLinks struct{ atomic.OS }

func (noLinks) Link(from, to string) error {
	return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM}
}

func TestOfTwoWithoutLinksOneCreates(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := atomic.DiskOn(noLinks{}).CreateFile(path, text("new")); err != nil {
		t.Fatal(err)
	}
	if err := atomic.DiskOn(noLinks{}).CreateFile(path, text("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second: %v", err)
	}
	if got, err := firstWords("f")(dir); got != "new 139998" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestBelowARootNothingLeadsOut(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	disk := atomic.DiskOn(atomic.Root{Root: root})
	if err := errors.Join(disk.MkdirAll("a/b"), disk.WriteFile("a/b/f", text("new"))); err != nil {
		t.Fatal(err)
	}
	if got, err := firstWords("a/b/f")(dir); got != "new 139998" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile("out/f", text("new")); err == nil {
		t.Error("a link led out of the root")
	}
	if names, err := os.ReadDir(outside); len(names) != 0 || err != nil {
		t.Errorf("outside: %v %v", names, err)
	}
}

func TestErrorsNameThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "f")
	for _, err := range []error{atomic.WriteFile(path, text("new")), atomic.CreateFile(path, text("new")), atomic.CreateFolder(path, pair("new"))} {
		if want := "write " + path + ": no such file or directory"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// readOnly is a file system that refuses every change, also of what does not exist.
type readOnly struct{ atomic.OS }

func (readOnly) OpenFile(name string, flag int, mode fs.FileMode) (atomic.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EROFS}
}

func (readOnly) RemoveAll(name string) error {
	return &fs.PathError{Op: "unlinkat", Path: name, Err: syscall.EROFS}
}

func TestAReadOnlyDiskLeavesNothingBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	err := atomic.DiskOn(readOnly{}).WriteFile(path, func(io.Writer) error { return nil })
	if !errors.Is(err, syscall.EROFS) || strings.Contains(err.Error(), "left behind") {
		t.Errorf("got %v", err)
	}
}
