package kept_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"headroom/data/kept"
)

// old writes a file that looks as if it had been there for a while.
func old(t *testing.T, path, text string, age time.Duration) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func key(t *testing.T, what string, paths ...string) kept.Key {
	t.Helper()
	k, err := kept.KeyOf(what, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestResultsAreKeptUntilAFileChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	old(t, path, "one", time.Hour)
	s := kept.Store{Dir: filepath.Join(dir, "cache")}
	s.Put(key(t, "count", path), "3")
	if got, ok := s.Get(key(t, "count", path)); !ok || got != "3" {
		t.Errorf("kept %q, %v", got, ok)
	}
	if _, ok := s.Get(key(t, "digest", path)); ok {
		t.Error("another question has the same answer")
	}
	old(t, path, "two", time.Minute)
	if _, ok := s.Get(key(t, "count", path)); ok {
		t.Error("a file that changed within its size keeps its result")
	}
	young := filepath.Join(dir, "b")
	old(t, young, "new", -time.Hour) // younger than anything, however slow this machine is
	if s.Put(key(t, "count", young), "3"); s.File(key(t, "count", young), "x") != "" {
		t.Error("a young file's result has a place")
	}
	if _, ok := s.Get(key(t, "count", young)); ok {
		t.Error("a young file's result was kept")
	}
	if _, err := kept.KeyOf("count", filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestFormerStatesAreSuperseded(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	old(t, path, "one", time.Hour)
	old(t, other, "one", time.Hour)
	s := kept.Store{Dir: filepath.Join(dir, "cache")}
	var names []string
	for _, k := range []kept.Key{key(t, "index", path), key(t, "index", other)} {
		name := s.File(k, "indexes")
		names = append(names, name)
		if err := s.WriteFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	half, fresh := filepath.Join(s.Dir, "indexes", ".new-1"), filepath.Join(s.Dir, "indexes", ".new-2")
	old(t, half, "left by a killed process", 25*time.Hour)
	old(t, fresh, "being written", time.Minute)
	old(t, path, "two!", time.Minute)
	now := key(t, "index", path)
	if s.File(now, "indexes") == names[0] {
		t.Fatal("another state has the same name")
	}
	s.RemoveSuperseded(now, "indexes")
	if _, err := os.Stat(names[0]); err == nil {
		t.Error("the former state is still there")
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("what was left half written is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what is being written is gone: %v", err)
	}
	if _, err := os.Stat(names[1]); err != nil {
		t.Errorf("another file's result is gone: %v", err)
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("disk full")
	err := kept.Store{}.WriteFile(filepath.Join(dir, "sub", "x"), func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			t.Fatal(err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "sub")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A digest that changed on disk would change a run's id without a word.
func TestADamagedResultIsFoundOutAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	old(t, path, "one", time.Hour)
	s := kept.Store{Dir: filepath.Join(dir, "cache")}
	k := key(t, "digest", path)
	s.Put(k, "sha256:0123456789abcdef")
	files, err := filepath.Glob(filepath.Join(s.Dir, "digests", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for bit := range 8 {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << bit
			if err := os.WriteFile(files[0], damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if got, ok := s.Get(k); ok && got != "sha256:0123456789abcdef" {
				t.Fatalf("bit %d of byte %d: %q", bit, at, got)
			}
		}
	}
	unsealed := regexp.MustCompile(`,"sum":"[0-9a-f]*"`).ReplaceAll(whole, nil) // as an older program wrote it
	if err := os.WriteFile(files[0], unsealed, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Get(k); ok {
		t.Errorf("an entry without a checksum gives %q", got)
	}
	s.Put(k, "sha256:0123456789abcdef")
	if got, ok := s.Get(k); !ok || got != "sha256:0123456789abcdef" {
		t.Errorf("kept again: %q, %v", got, ok)
	}
}
