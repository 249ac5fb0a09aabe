package lines_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/internal/testfile"
)

func TestUnpackedTextsAreKept(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	path := testfile.PutBytes(t, filepath.Join(dir, "a.gz"), testfile.Gzip(t, "one\ntwo\n"))
	calls := 0
	unpack := func(path string, to io.Writer) error {
		calls++
		_, err := io.WriteString(to, "x\ny\n")
		return err
	}
	for range 3 {
		f, err := lines.Open(t.Context(), path, store, unpack)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := scan(t, f); len(got) != 2 || got[1] != "2@2 y" {
			t.Errorf("lines %q", got)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if calls != 1 {
		t.Errorf("unpacked %d times", calls)
	}
	// Another state of the file is unpacked again, and what was kept of the former goes.
	if err := os.Chtimes(path, time.Now().Add(-time.Minute), time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	f, err := lines.Open(t.Context(), path, store, unpack)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	left, err := os.ReadDir(filepath.Join(store.Dir, "unpacked"))
	if calls != 2 || err != nil || len(left) != 1 {
		t.Errorf("unpacked %d times, kept %v %v", calls, left, err)
	}
	// Without a store, and of a file that has just changed, nothing is kept and nothing is left behind.
	young := filepath.Join(dir, "young.gz")
	if err := os.WriteFile(young, testfile.Gzip(t, "one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(young, time.Now().Add(time.Hour), time.Now().Add(time.Hour)); err != nil { // however slow this machine is
		t.Fatal(err)
	}
	for _, store := range []kept.Store{{}, store} {
		f := open(t, young, store)
		if got, _, _ := scan(t, f); len(got) != 1 {
			t.Errorf("lines %q", got)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if all, err := filepath.Glob(filepath.Join(store.Dir, "*", "*")); err != nil || len(all) != 1 {
		t.Errorf("left behind: %v %v", all, err)
	}
	if all, err := filepath.Glob(filepath.Join(store.Dir, "unpacked-*")); err != nil || len(all) != 0 {
		t.Errorf("left behind: %v %v", all, err)
	}
}

// TestADamagedUnpackedTextIsUnpackedAgain flips bits of what is kept, before it is opened and while it is open.
func TestADamagedUnpackedTextIsUnpackedAgain(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	text := strings.Repeat("a line of some length\n", 1000)
	path := testfile.PutBytes(t, filepath.Join(dir, "a.gz"), testfile.Gzip(t, text))
	f := open(t, path, store)
	defer func() { f.Close() }()
	want, _, digest := scan(t, f)
	names, err := filepath.Glob(filepath.Join(store.Dir, "unpacked", "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("kept %q, %v", names, err)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1009 {
		for _, opened := range []bool{false, true} {
			flipInPlace(t, names[0], int64(at))
			if !opened {
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				f = open(t, path, store)
			}
			got, _, sum := scan(t, f)
			if sum != digest || strings.Join(got, "|") != strings.Join(want, "|") {
				t.Fatalf("byte %d, opened %v: another text", at, opened)
			}
			if after, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(after, whole) {
				t.Fatalf("byte %d, opened %v: the kept file is not made again: %v", at, opened, err)
			}
		}
	}
	// Several readers meet the damage at once.
	flipInPlace(t, names[0], int64(len(whole)/2))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if sum, err := f.Scan(func(lines.Line) error { return nil }); err != nil || sum != digest {
				t.Errorf("%v", err)
			}
		})
	}
	group.Wait()
	// The packed file has gone, and damage cannot be made good.
	flipInPlace(t, names[0], 10)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Scan(func(lines.Line) error { return nil }); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "what was kept of it is damaged") {
		t.Errorf("%v", err)
	}
}

// flipInPlace flips a bit in a file that may be open.
func flipInPlace(t *testing.T, name string, at int64) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var b [1]byte
	if _, err := file.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (at % 8)
	if _, err := file.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

// The error names the cause: the packed file, or the folder that it is unpacked into.
func TestAPackedFileOrTheCacheIsToBlame(t *testing.T) {
	dir := t.TempDir()
	whole := testfile.Gzip(t, strings.Repeat("a line of text\n", 5000))
	then := time.Now().Add(-time.Hour)
	put := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, text, 0o644), os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := put("file", []byte("in the way"))
	for _, store := range []kept.Store{{}, {Dir: filepath.Join(dir, "cache")}} {
		_, err := lines.Open(t.Context(), put("cut.gz", whole[:len(whole)/2]), store, nil)
		if err == nil || !strings.Contains(err.Error(), "cut.gz: the gzip data end in the middle: the file is cut short") || strings.Contains(err.Error(), "HEADROOM_CACHE") {
			t.Errorf("cut short: %v", err)
		}
		damaged := bytes.Clone(whole)
		damaged[len(damaged)-6] ^= 1
		if _, err := lines.Open(t.Context(), put("damaged.gz", damaged), store, nil); err == nil || !strings.Contains(err.Error(), "damaged.gz: the gzip data are damaged") {
			t.Errorf("damaged: %v", err)
		}
	}
	_, err := lines.Open(t.Context(), put("whole.gz", whole), kept.Store{Dir: file}, nil)
	if err == nil || !strings.Contains(err.Error(), "HEADROOM_CACHE") {
		t.Errorf("no folder to unpack into: %v", err)
	}
}
