package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/synthetic"
	"headroom/data/trec"
	"headroom/models/safetensors"
)

func small(t *testing.T) string {
	t.Helper()
	w, err := synthetic.New(7, synthetic.Size{Documents: 60, Train: 80, Dev: 20, Test: 4, NoOverlap: 1})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "world")
	if err := w.Write(folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

func qrels(t *testing.T, folder, split string) trec.Qrels {
	t.Helper()
	c, err := collection.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	q, err := c.Qrels(split)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// Of wrong labels none is the query's own but by chance, of half of them half; dev labels stay
// right, and so does what is cut.
func TestLabels(t *testing.T) {
	out := t.TempDir()
	if err := prepare(options{from: small(t), train: 50, dev: 10}, out); err != nil {
		t.Fatal(err)
	}
	right := qrels(t, filepath.Join(out, "right"), "train")
	for name, most := range map[string]int{"right": 50, "half-wrong": 30, "wrong": 5} {
		got, same := qrels(t, filepath.Join(out, name), "train"), 0
		for query, documents := range got {
			for id := range documents {
				if right[query][id] > 0 {
					same++
				}
			}
		}
		if len(got) != 50 || same > most || name == "half-wrong" && same < 25 || name == "right" && same < 50 {
			t.Errorf("%s: %d queries, %d of their labels are right", name, len(got), same)
		}
		if dev := qrels(t, filepath.Join(out, name), "dev"); len(dev) != 10 {
			t.Errorf("%s has %d dev queries", name, len(dev))
		}
	}
}

func TestScores(t *testing.T) {
	out := t.TempDir()
	if err := prepare(options{from: small(t)}, out); err != nil {
		t.Fatal(err)
	}
	best := map[string]int{} // how often the positive has the greatest score
	large, rows := 0, 0
	for _, name := range []string{"scored", "scored-wrong", "scored-too-large"} {
		text, err := os.ReadFile(filepath.Join(out, name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			var r row
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Negatives) != negatives || len(r.Scores) != negatives+1 || r.Positive == r.Negatives[0] {
				t.Fatalf("%s has %+v", name, r)
			}
			if r.Scores[0] > r.Scores[1] {
				best[name]++
			}
			if square := float32(r.Scores[0]); math.IsInf(float64(square*square), 0) {
				large++
			}
			rows++
		}
	}
	if rows /= 3; best["scored"] < rows || best["scored-wrong"] > 0 || large != tooLargeRows {
		t.Errorf("of %d rows the positive is best in %v; %d scores are too large", rows, best, large)
	}
}

func TestANaNIsPutIntoOnePosition(t *testing.T) {
	from, out := t.TempDir(), filepath.Join(t.TempDir(), "nan")
	weights := filepath.Join(from, "model.safetensors")
	if err := safetensors.Write(weights, []safetensors.Tensor{{Name: "bert.embeddings.position_embeddings.weight", Shape: []int{3, 2}, Data: make([]float32, 6)}, {Name: "other", Shape: []int{2}, Data: []float32{1, 2}}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "MANIFEST"), []byte("digests of the whole one"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := prepare(options{model: from, position: 3}, out); err == nil || !strings.Contains(err.Error(), "no position embedding of 4 positions") {
		t.Errorf("a position beyond the last: %v", err)
	}
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	if err := prepare(options{model: from, position: 1}, out); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(filepath.Join(out, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.Float32("bert.embeddings.position_embeddings.weight")
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range got {
		if (x != x) != (i == 2) {
			t.Errorf("value %d is %v", i, x)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "MANIFEST")); err == nil {
		t.Error("the digests of the whole backbone stay")
	}
}
