package engine_test

import (
	"cmp"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headroom/data/collection"
	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
)

// realTexts loads a trained model and n documents of a real collection, cut to 256 tokens.
func realTexts(t testing.TB, n int) (*engine.Model, [][]int32) {
	t.Helper()
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	folder := filepath.Join(root, "checkpoints/splade-tiny")
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.NewModel(openEngine(t), ck, ck.Tied)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	tokenizer, err := tokenize.Load(filepath.Join(folder, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := collection.Open(filepath.Join(root, "beir/cranfield"))
	if err != nil {
		t.Fatal(err)
	}
	documents, err := c.Documents()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, d := range documents[:n] {
		texts = append(texts, d.Content())
	}
	ids := tokenizer.EncodeBatch(texts, 256, 2)
	slices.SortStableFunc(ids, func(a, b []int32) int { return cmp.Compare(len(b), len(a)) })
	return m, ids
}

func TestScreeningChangesNoBitOfARealModelsVectors(t *testing.T) {
	m, ids := realTexts(t, 40)
	pooler, err := m.Pooler(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	for batch := range slices.Chunk(ids, 8) {
		want, err := m.Pool(batch)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pooler.Positive(batch, m.Engine.Threads())
		if err != nil {
			t.Fatal(err)
		}
		for i, z := range want {
			if (z > 0 || got[i] > 0) && math.Float32bits(z) != math.Float32bits(got[i]) {
				t.Fatalf("element %d: %g, want %g", i, got[i], z)
			}
		}
	}
}

// Encoding eight real documents, the head alone and all of it, in both forms: in
// turns, documents per second at the best time of each, since other programs
// disturb the mean.
func BenchmarkRealEncoding(b *testing.B) {
	m, ids := realTexts(b, 8)
	batch, err := engine.NewBatch(m.Engine, ids, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
	if err != nil {
		b.Fatal(err)
	}
	defer batch.Free()
	hidden, err := m.Hidden(batch)
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Free(hidden)
	head := m.Head()
	screen, err := fused.NewScreen(head, m.Engine.Threads())
	if err != nil {
		b.Fatal(err)
	}
	pooler, err := m.Pooler(1 << 20)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, len(ids)*head.Vocab)
	names := []string{"head-float", "head-screened", "all-float", "all-screened"}
	best := slices.Repeat([]float64{math.Inf(1)}, len(names))
	if err := m.Engine.Read(hidden, func(values []float32) {
		texts := batch.Texts(values, head.Dim)
		for b.Loop() {
			for i, do := range []func() error{
				func() error { return head.Max(texts, out, nil, m.Engine.Threads()) },
				func() error { return screen.Positive(texts, out, m.Engine.Threads()) },
				func() error { _, err := m.Pool(ids); return err },
				func() error { _, err := pooler.Positive(ids, m.Engine.Threads()); return err },
			} {
				start := time.Now()
				if err := do(); err != nil {
					b.Fatal(err)
				}
				best[i] = min(best[i], time.Since(start).Seconds())
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
	for i, name := range names {
		b.ReportMetric(float64(len(ids))/best[i], name+"/s")
	}
}
