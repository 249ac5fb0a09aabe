package workspace_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/record"
	"headroom/runner/workspace"
)

func TestCollectionsAreWhatWasSeenLast(t *testing.T) {
	w, err := workspace.OpenOrCreate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	holds := map[string]string{"/a": "sha256:1", "/b": "sha256:2", "/asked": "sha256:3"}
	find := func(reference, split string) (string, error) {
		if digest := holds[reference]; digest != "" {
			return digest, nil
		}
		return "", errors.New("no such folder")
	}
	if _, err := w.WriteSweep([]byte("x"), record.Manifest{Sweep: "s", Runs: []record.ManifestRun{{Run: "r", Config: []byte(`{"evaluate":{"final":["/asked","/never seen"]}}`)}}}); err != nil {
		t.Fatal(err)
	}
	look := func(want map[string]string, more ...record.Reference) {
		t.Helper()
		if note, err := w.RecordCollections(find, more...); err != nil || note != "" {
			t.Fatal(note, err)
		}
		c, err := record.ReadCollections(w.Root)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range c.References {
			got[r.Reference] = r.Collection
		}
		if len(got) != len(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for name, digest := range want {
			if got[name] != digest {
				t.Errorf("%s: %q, want %q", name, got[name], digest)
			}
		}
	}
	look(map[string]string{"/asked": "sha256:3", "/a": "sha256:1", "/b": "sha256:2"}, record.Reference{Reference: "/a", Split: "test"}, record.Reference{Reference: "/b", Split: "test"})
	before, err := os.Stat(filepath.Join(w.Root, record.CollectionsFile))
	if err != nil {
		t.Fatal(err)
	}
	look(map[string]string{"/asked": "sha256:3", "/a": "sha256:1", "/b": "sha256:2"})
	if after, err := os.Stat(filepath.Join(w.Root, record.CollectionsFile)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Error("the same again was written again")
	}
	// An edit is seen; what is gone stays as it was seen last.
	holds["/a"] = "sha256:11"
	delete(holds, "/b")
	delete(holds, "/asked")
	look(map[string]string{"/asked": "sha256:3", "/a": "sha256:11", "/b": "sha256:2"})
	// What is gone and is found under another name has moved, unless a sweep asks for the old one.
	holds["/b2"], holds["/asked2"] = "sha256:2", "sha256:3"
	look(map[string]string{"/asked": "sha256:3", "/asked2": "sha256:3", "/a": "sha256:11", "/b": "", "/b2": "sha256:2"},
		record.Reference{Reference: "/b2", Split: "test"}, record.Reference{Reference: "/asked2", Split: "test"})
}

// TestDamagedCollectionsAreMadeAgain: a flipped digest would make an evaluation superseded
// in a workspace that was copied away from its data.
func TestDamagedCollectionsAreMadeAgain(t *testing.T) {
	w, err := workspace.OpenOrCreate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	find := func(string, string) (string, error) { return "sha256:12", nil }
	look := func() string {
		t.Helper()
		note, err := w.RecordCollections(find, record.Reference{Reference: "/a", Split: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return note
	}
	look()
	path := filepath.Join(w.Root, record.CollectionsFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		note := look()
		if note == "" && at > bytes.Index(whole, []byte(`"crc"`)) {
			continue // without a checksum that can be read it is one of an older program, and says the same
		}
		if !strings.Contains(note, "is damaged") || !strings.Contains(note, "put aside as collections.json.damaged") {
			t.Fatalf("a bit of byte %d: %q", at, note)
		}
		if aside, err := os.ReadFile(path + ".damaged"); err != nil || !bytes.Equal(aside, flipped) {
			t.Fatalf("a bit of byte %d: aside: %v", at, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) {
			t.Fatalf("a bit of byte %d: made again as %q, %v", at, now, err)
		}
	}
}
