package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
)

// TestADamagedIndexIsMadeAgain flips bits of what is kept about training data.
func TestADamagedIndexIsMadeAgain(t *testing.T) {
	rows := []said{{1, []int{2, 3}, 4}, {1, []int{5, 2}, 6}, {7, []int{5, 8}, 2}}
	set := writeSaid(t, "lists", rows)
	store := kept.Store{Dir: filepath.Join(t.TempDir(), "cache")}
	look := func() string {
		source, err := examples.Open(context.Background(), set, store, examples.Options{Negatives: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		marks, err := source.Marks([]batch.Range{{From: 0, To: source.Len()}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		survey, err := examples.ReadSurvey(context.Background(), set, store)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v %+v", survey, marks)
	}
	want := look()
	names, err := filepath.Glob(filepath.Join(store.Dir, "examples", "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("kept %q, %v", names, err)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 7 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		if err := os.WriteFile(names[0], flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != want {
			t.Fatalf("a bit of byte %d: %s, want %s", at, got, want)
		}
		if after, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(after, whole) {
			t.Fatalf("a bit of byte %d: the index is not made again: %v", at, err)
		}
	}
}
