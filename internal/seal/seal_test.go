package seal_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/seal"
)

type sample struct {
	Schema int      `json:"schema"`
	Name   string   `json:"name"`
	List   []string `json:"list"`
}

func texts(t *testing.T) map[string]struct {
	text  []byte
	check func(string, []byte) error
} {
	t.Helper()
	value := sample{1, `a "crc":"00000000"}`, []string{"x", "y"}}
	line, err := seal.JSON(value)
	if err != nil {
		t.Fatal(err)
	}
	indented, err := seal.IndentedJSON(value)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]struct {
		text  []byte
		check func(string, []byte) error
	}{
		"one line": {line, seal.CheckJSON}, "indented": {indented, seal.CheckJSON},
		"toml": {seal.TOML([]byte("a = 1\n[b]\nc = \"# crc 00000000\"\n")), seal.CheckTOML},
	}
}

func TestSealedTexts(t *testing.T) {
	for name, form := range texts(t) {
		t.Run(name, func(t *testing.T) {
			if err := form.check("f", form.text); err != nil {
				t.Fatalf("%s: %v", form.text, err)
			}
			if name != "toml" {
				var back sample
				if err := json.Unmarshal(form.text, &back); err != nil || back.Schema != 1 || len(back.List) != 2 {
					t.Errorf("%s reads back as %+v, %v", form.text, back, err)
				}
			}
		})
	}
}

// TestEveryFlip: no flipped bit and no cut passes as sound; what passes as a text of old,
// without a seal, holds what it held.
func TestEveryFlip(t *testing.T) {
	for name, form := range texts(t) {
		t.Run(name, func(t *testing.T) {
			for i := range form.text {
				for bit := range 8 {
					flipped := []byte(string(form.text))
					flipped[i] ^= 1 << bit
					err := form.check("f", flipped)
					if err == nil {
						t.Fatalf("bit %d of byte %d passes as sound: %s", bit, i, flipped)
					}
					if !seal.IsDamage(err) {
						sameUpToSeal(t, form.text, flipped)
					}
				}
			}
			for n := range len(form.text) - 1 {
				err := form.check("f", form.text[:n])
				if n > 60 && !seal.IsDamage(err) {
					t.Fatalf("cut after byte %d: %v", n, err)
				}
			}
		})
	}
}

func sameUpToSeal(t *testing.T, before, after []byte) {
	t.Helper()
	at := strings.LastIndex(string(before), "crc")
	if string(before[:at-1]) != string(after[:at-1]) {
		t.Fatalf("read as made without a seal, with other content: %s", after)
	}
}

func TestTextsWithoutASeal(t *testing.T) {
	if err := seal.CheckJSON("f", []byte("{\"a\":1}\n")); !errors.Is(err, seal.ErrNone) || seal.IsDamage(err) {
		t.Error(err)
	}
	if err := seal.CheckTOML("f", []byte("a = 1\n")); !errors.Is(err, seal.ErrNone) {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "f.json")
	if err := os.WriteFile(path, []byte(`{"schema":3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	var s sample
	if err := seal.ReadJSON(path, &s); err != nil || s.Schema != 3 {
		t.Error(s, err)
	}
	if err := os.WriteFile(path, []byte(`{"schema":3`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := seal.ReadJSON(path, &s); !seal.IsDamage(err) {
		t.Error(err)
	}
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.json": `{"a":1}`, "weights": strings.Repeat("w", 5000), "1_Pooling/config.json": "{}", "empty": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := seal.Manifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, seal.ManifestFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolder(t *testing.T) {
	dir := folder(t)
	if err := seal.Check(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := seal.Check(dir, nil); err != nil {
		t.Error("an added file:", err)
	}
	// A digest that is remembered wrongly is taken again.
	wrong := func(string) (string, error) { return strings.Repeat("0", 64), nil }
	if err := seal.Check(dir, wrong); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, seal.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	if err := seal.Check(dir, nil); !errors.Is(err, seal.ErrNone) {
		t.Error(err)
	}
	if err := seal.Check(filepath.Join(dir, "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestEveryFlipInAFolderIsNamed(t *testing.T) {
	dir := folder(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"config.json", "weights", "1_Pooling/config.json", seal.ManifestFile} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			flipped := []byte(string(whole))
			flipped[r.IntN(len(whole))] ^= 1 << r.IntN(8)
			if err := os.WriteFile(path, flipped, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := seal.Check(dir, nil); !seal.IsDamage(err) || !strings.Contains(err.Error(), name) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := seal.Check(dir, nil); name != seal.ManifestFile && !seal.IsDamage(err) {
			t.Fatalf("%s removed: %v", name, err)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	text, err := seal.Manifest(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("headroom manifest 1\n00000000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, seal.ManifestFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := seal.Check(dir, nil); err == nil {
			// Only a list of nothing agrees with an empty folder.
			whole, _ := seal.Manifest(dir)
			if string(whole) != string(text) {
				t.Errorf("%q agrees with an empty folder", text)
			}
		}
	})
}
