package store

import (
	"context"
	"testing"
)

// Hold takes the lock of a database as another process would.
func Hold(t *testing.T, path string) (release func()) {
	t.Helper()
	l, err := acquire(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return l.release
}

// Cached is where Locate puts the database of a workspace that cannot hold it.
func Cached(workspace, cacheDir string) (string, error) { return cached(workspace, cacheDir) }

// HostFolder returns the folder of a database below one that several machines may see.
func HostFolder(folder string, shared bool, name func() (string, error)) (string, error) {
	return hostFolder(folder, shared, name)
}

// Network reports whether a folder is on a network file system.
func Network(folder string) bool { return network(folder) }
