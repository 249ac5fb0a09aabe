package evaluate_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/collection"
	"headroom/runner/evaluate"
)

func dataRoot(t *testing.T) string {
	t.Helper()
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	return root
}

// The figures are sentence-transformers' and trec_eval's for the same checkpoint
// and collection, max length 256, exact dot product.
func TestARealCheckpointGivesSentenceTransformersFigures(t *testing.T) {
	root := dataRoot(t)
	enc, err := evaluate.OpenEncoder(t.Context(), filepath.Join(root, "checkpoints/splade-tiny"), evaluate.EncoderOptions{Backend: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	c, err := collection.Open(filepath.Join(root, "beir/scifact"))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "evaluation")
	s, err := evaluate.OnCollection(context.Background(), enc, c, evaluate.CollectionOptions{
		Dataset: "beir:scifact", MaxQuery: 256, MaxDocument: 256, OutDir: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v, active dims %.3f and %.3f, FLOPS %.5f, seconds %+v", s.Measures, *s.ActiveQuery, *s.ActiveDocument, *s.Flops, s.Seconds)
	for _, x := range []struct {
		name            string
		got, want, near float64
	}{
		{"nDCG@10", s.Measures["nDCG@10"], 0.64361, 2e-4},
		{"R@1000", s.Measures["R@1000"], 0.97333, 2e-4},
		{"active dims of queries", *s.ActiveQuery, 52.593, 0.02},
		{"active dims of documents", *s.ActiveDocument, 248.464, 0.02},
		{"FLOPS", *s.Flops, 10.03066, 0.002},
	} {
		if math.Abs(x.got-x.want) > x.near {
			t.Errorf("%s is %.5f, want %.5f", x.name, x.got, x.want)
		}
	}
	again, err := evaluate.ReadSummary(out)
	if err != nil || again.Measures["nDCG@10"] != s.Measures["nDCG@10"] || again.Queries != 300 || again.Documents != 5183 {
		t.Errorf("kept summary reads back as %+v (%v)", again, err)
	}
}
