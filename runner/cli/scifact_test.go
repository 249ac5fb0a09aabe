package cli_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The shortened form of experiments/scifact-small.toml: a real checkpoint trained
// further on real pairs and measured on all 5,183 documents beside BM25.
func TestARealCheckpointIsTrainedAndMeasuredOnRealText(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	p := newPlace(t)
	p.role = "program"
	p.extra = []string{"HEADROOM_DATA=" + root}
	p.ok("run", "scifact-small", "train.steps=8", "train.batch=4", "model.rescale=4", "seed=1", "regularizer.lambda_query=5e-4", "regularizer.lambda_document=5e-4", `evaluate.baselines=["bm25"]`)
	type row struct {
		Measure string
		Value   float64
	}
	rows := decode[struct{ Rows []row }](t, p.ok("query", "SELECT measure, value FROM baselines WHERE name = 'bm25'", "--json")).Rows
	found := map[string]float64{}
	for _, r := range rows {
		found[r.Measure] = r.Value
	}
	// What bm25s and trec_eval give.
	for measure, want := range map[string]float64{"nDCG@10": 0.6550, "R@1000": 0.9650} {
		if math.Abs(found[measure]-want) > 5e-5 {
			t.Errorf("BM25's %s is %.5f, want %.4f", measure, found[measure], want)
		}
	}
	rows = decode[struct{ Rows []row }](t, p.ok("query", "SELECT measure, value FROM scores", "--json")).Rows
	for _, r := range rows {
		t.Logf("after 8 steps at k = 4: %s %.4f", r.Measure, r.Value)
		// The checkpoint as it came has 0.6436; a quarter of its head and eight steps
		// of four pairs must not destroy it.
		if r.Measure == "nDCG@10" && !(r.Value > 0.5 && r.Value < 0.8) {
			t.Errorf("nDCG@10 is %.4f", r.Value)
		}
	}
	if len(rows) != 3 {
		t.Errorf("%d scores, want nDCG@10, RR@10 and R@1000", len(rows))
	}
}

// Hard negatives of real pairs: BM25's best that are not relevant, for each of the 919 pairs.
func TestRealHardNegatives(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	p := newPlace(t)
	p.extra = []string{"HEADROOM_DATA=" + root}
	output := filepath.Join(p.dir, "train.jsonl")
	r := decode[struct {
		Rows  int
		Short []struct{ Query string }
	}](t, p.ok("mine", "beir:scifact", "--negatives", "5", "--depth", "50", "--output", output, "--json"))
	if r.Rows != 919 || len(r.Short) != 0 {
		t.Errorf("%d rows, %d left out", r.Rows, len(r.Short))
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	positives := map[string]map[string]bool{}
	rows := minedRows(t, string(text))
	for _, row := range rows {
		if positives[row.Query] == nil {
			positives[row.Query] = map[string]bool{}
		}
		positives[row.Query][row.Positive] = true
	}
	for _, row := range rows {
		if positives[row.Query][row.First] || positives[row.Query][row.Second] || row.First == "" {
			t.Errorf("a negative of %q is relevant to it", row.Query)
		}
	}
	p.sample()
	p.ok("plan", filepath.Join(p.dir, "small.toml"), "data.train="+output, "data.negatives=5", "train.batch=64")
}
