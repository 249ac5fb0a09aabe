// Package testfile writes the files that tests read. All of them are an hour old, because
// data/kept keeps results only for files that have not changed just now.
package testfile

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Put writes a text, gzipped if the path ends in .gz, makes its folders and returns the path.
func Put(t testing.TB, path, text string) string {
	t.Helper()
	content := []byte(text)
	if strings.HasSuffix(path, ".gz") {
		content = Gzip(t, text)
	}
	return PutBytes(t, path, content)
}

// PutBytes writes content as it is.
func PutBytes(t testing.TB, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return Age(t, path)
}

// Age makes a file an hour old, and returns its path.
func Age(t testing.TB, path string) string {
	t.Helper()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	return path
}

// Gzip packs a text.
func Gzip(t testing.TB, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
