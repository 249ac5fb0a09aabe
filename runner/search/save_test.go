package search_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/runner/search"
)

func TestASavedIndexFindsTheSame(t *testing.T) {
	for name, c := range map[string]collection{
		"random": randomCollection(3, 500, 80, 0),
		"none":   {},
	} {
		t.Run(name, func(t *testing.T) {
			built := build(t, c.ids, c.documents, 80)
			dir := filepath.Join(t.TempDir(), "new", "index")
			if err := built.Save(dir); err != nil {
				t.Fatal(err)
			}
			loaded, err := search.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if loaded.Summary() != built.Summary() {
				t.Errorf("%+v became %+v", built.Summary(), loaded.Summary())
			}
			want, err := built.SearchAll(context.Background(), c.queries, 50, 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := loaded.SearchAll(context.Background(), c.queries, 50, 3)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the hits differ, %v", err)
			}
		})
	}
}

func TestSavingTwiceReplacesAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	first, second := randomCollection(1, 50, 30, 0), randomCollection(2, 60, 30, 0)
	if err := build(t, first.ids, first.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	if err := build(t, second.ids, second.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	after := names(t, dir)
	if len(after) != len(before) {
		t.Errorf("%v became %v", before, after)
	}
	loaded, err := search.Load(dir)
	if err != nil || loaded.Documents() != 60 {
		t.Errorf("%v", err)
	}
	if err := build(t, second.ids, second.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	if again := names(t, dir); !reflect.DeepEqual(again, after) {
		t.Errorf("the same index has other files: %v, %v", after, again)
	}
}

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

// What an interrupted Save leaves beside a whole index does not touch it, and the next Save clears it away.
func TestAnInterruptedSaveLeavesTheOldIndex(t *testing.T) {
	dir := t.TempDir()
	c := randomCollection(1, 50, 30, 0)
	if err := build(t, c.ids, c.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	whole := names(t, dir)
	for _, leftover := range []string{"postings-0123456789abcdef.bin", "weights-123.part", "index-9.part"} {
		if err := os.WriteFile(filepath.Join(dir, leftover), []byte("torn"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := search.Load(dir); err != nil {
		t.Fatal(err)
	}
	if err := build(t, c.ids, c.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !reflect.DeepEqual(got, whole) {
		t.Errorf("left over: %v", got)
	}
}

func TestAForeignFolderIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := build(t, nil, nil, 0).Save(dir)
	if !errors.Is(err, search.ErrNotIndex) || !strings.Contains(err.Error(), "thesis.tex") || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder has %v", got)
	}
	file := filepath.Join(dir, "thesis.tex")
	if err := build(t, nil, nil, 0).Save(file); err == nil {
		t.Error("a file was taken for a folder")
	}
	if _, err := search.Load(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "index.json") {
		t.Errorf("got %v", err)
	}
}

// Every file of the index is cut, lengthened, removed and changed in every place.
func TestEveryDamageIsNoticed(t *testing.T) {
	dir := t.TempDir()
	vectors := filepath.Join(dir, "v.jsonl")
	text := `{"id":"b","vector":{"cat":1,"dog":0.5}}` + "\n" + `{"id":"a","vector":{"dog":2,"eel":1}}` + "\n"
	if err := os.WriteFile(vectors, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "index")
	if _, err := search.IndexFile(context.Background(), vectors, folder); err != nil {
		t.Fatal(err)
	}
	files := names(t, folder)
	if len(files) != 7 {
		t.Fatalf("files %v", files)
	}
	for _, name := range files {
		path := filepath.Join(folder, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(what string, damaged []byte) {
			t.Helper()
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := search.Load(folder); err == nil {
				t.Errorf("%s: %s was not noticed", name, what)
			} else if name != "index.json" && (!errors.Is(err, search.ErrDamaged) || !strings.Contains(err.Error(), name)) {
				t.Errorf("%s: %s: got %v", name, what, err)
			}
		}
		refused("a cut file", whole[:len(whole)-2])
		refused("an empty file", nil)
		refused("a longer file", append(append([]byte(nil), whole...), 0))
		for i := range whole {
			if name == "index.json" {
				break // what its numbers and names may be has a test of its own
			}
			damaged := append([]byte(nil), whole...)
			damaged[i] ^= 0x10
			refused("a flipped bit", damaged)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := search.Load(folder); err == nil {
			t.Errorf("%s: its absence was not noticed", name)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := search.Load(folder); err != nil {
			t.Fatalf("%s: mended, but %v", name, err)
		}
	}
}

func TestTheManifestIsChecked(t *testing.T) {
	c := randomCollection(1, 50, 30, 0)
	dir := t.TempDir()
	if err := build(t, c.ids, c.documents, 0).Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "index.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][3]string{
		{`"version": 2`, `"version": 1`, "format version 1, this program reads 2: build the index again from its vectors, with `headroom index`"},
		{`"headroom sparse index"`, `"something else"`, "format"},
		{`"documents": 50`, `"documents": 51`, "its blocks have 50 documents"},
		{"\"documents\": 50,\n      ", "\"documents\": 49,\n      ", "its blocks have 49 documents"},
		{`"lists": `, `"lists": -`, "lists"},
		{`"lists": `, `"lists": 1`, "lists"},
		{`"weights": "float32"`, `"weights": "float16"`, "bytes instead of"},
		{`"weights": "float32"`, `"weights": "int8"`, "neither float32 nor float16"},
		{`"documents": 50`, `"documents": -1`, "-1 documents"},
		{`"documents": 50`, `"documents": 2147483647`, "damaged"},
		{`"vocab": 30`, `"vocab": 29`, "lists"},
		{`"vocab": 30`, `"vocab": 99999999999`, "terms"},
		{`"postings": `, `"postings": 1`, "postings, not"},
		{`"terms": "ids"`, `"terms": "words"`, "no file for words"},
		{`"terms": "ids"`, `"terms": "?"`, "neither ids nor words"},
		{`"name": "weights-`, `"name": "../weights-`, "no file for weights"},
		{`"part": "ranks"`, `"part": "banks"`, "no file for ranks"},
	} {
		changed := strings.Replace(string(whole), change[0], change[1], 1)
		if changed == string(whole) {
			t.Fatalf("%s is not in the manifest", change[0])
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := search.Load(dir); err == nil || !strings.Contains(err.Error(), change[2]) {
			t.Errorf("%s: got %v, want an error with %q", change[1], err, change[2])
		}
	}
}

func TestAnIndexIsTheOldOrTheNewWhateverFails(t *testing.T) {
	first, second := randomCollection(1, 5, 30, 0), randomCollection(2, 6, 30, 0)
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := build(t, first.ids, first.documents, 0).Save(filepath.Join(dir, "i")); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			return search.SaveOn(disk, build(t, second.ids, second.documents, 0), filepath.Join(dir, "i"))
		},
		Read: func(dir string) (string, error) {
			x, err := search.Load(filepath.Join(dir, "i"))
			if err != nil {
				return "", err
			}
			return fmt.Sprint(x.Summary()), nil
		},
	})
}
