package lease_test

import (
	"os"
	"path/filepath"
	"testing"

	"headroom/runner/lease"
)

// FuzzInspect: whatever is in the place of a lease's file, the answer is a state or an error, and inspecting changes
// nothing.
func FuzzInspect(f *testing.F) {
	dir := f.TempDir()
	held, err := lease.Acquire(dir, lease.Options{})
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "lease", "*.json"))
	if err != nil || len(files) != 1 {
		f.Fatalf("%q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		f.Fatal(err)
	}
	if err := held.Release(); err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"pid":-1,"host":"\u001b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(files[0], text, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := lease.Inspect(dir, lease.Options{}); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		after, err := os.ReadFile(files[0])
		if err != nil || string(after) != string(text) {
			t.Errorf("the file is %q now, %v", after, err)
		}
	})
}
