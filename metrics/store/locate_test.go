package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/store"
)

func TestWhereTheDatabaseIs(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "workspace.json"), []byte(`{"id":"abc","format":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := store.Locate(root, cache)
	if err != nil || (got != filepath.Join(root, "headroom.db") && !store.Network(root)) {
		t.Errorf("a local workspace: %s, %v", got, err)
	}
	if err := os.Chmod(root, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(root, 0o777)
	want := filepath.Join(cache, "workspaces", "abc", "headroom.db")
	if got, err := store.Cached(root, cache); err != nil || got != want {
		t.Errorf("outside: %s, %v", got, err)
	}
	if os.Geteuid() != 0 { // root may write everywhere
		if got, err := store.Locate(root, cache); err != nil || got != want {
			t.Errorf("a read-only workspace: %s, %v", got, err)
		}
	}
	s, err := store.Open(want)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := store.Fold(context.Background(), root, s); err != nil {
		t.Errorf("fold of a read-only workspace: %v", err)
	}
	if _, err := store.Locate(filepath.Join(root, "absent"), cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent workspace: %v", err)
	}
	os.Chmod(root, 0o777)
	for text, want := range map[string]string{"{": "unexpected end", `{"id":""}`: "want a name", `{"id":"../x"}`: "want a name"} {
		if err := os.WriteFile(filepath.Join(root, "workspace.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Cached(root, cache); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("workspace.json %s: %v", text, err)
		}
	}
}

func TestTwoHostsNeverShareADatabase(t *testing.T) {
	host := func(name string) func() (string, error) { return func() (string, error) { return name, nil } }
	for _, c := range []struct {
		shared     bool
		name, want string
	}{{false, "a", "/c/workspaces/w"}, {true, "a", "/c/workspaces/w/host-a"}, {true, "b.cluster", "/c/workspaces/w/host-b.cluster"}, {true, "../x", "/c/workspaces/w/host-x"}} {
		if got, err := store.HostFolder("/c/workspaces/w", c.shared, host(c.name)); err != nil || got != c.want {
			t.Errorf("shared %v on %s: %q, %v; want %q", c.shared, c.name, got, err, c.want)
		}
	}
}

func TestOpenNeedsAFolder(t *testing.T) {
	if _, err := store.Open(filepath.Join(t.TempDir(), "absent", "x.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestAPathMayHoldAnything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect(t, s, "SELECT count(*) FROM runs", "0")
	if _, err := os.Stat(filepath.Join(dir, "x.db")); err != nil {
		t.Error(err)
	}
}
