package worker_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/trec"
	"headroom/metrics/event"
	"headroom/runner/plan"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// One test query of a world becomes a document too. The run's evaluation leaves it out, counts it and says so.
func TestTheEvaluationAtTheEndLeavesOutTheQueryItself(t *testing.T) {
	b := newBench(t, "bert")
	c, err := collection.Open(b.data)
	if err != nil {
		t.Fatal(err)
	}
	qrels, err := c.Qrels(plan.FinalSplit)
	if err != nil {
		t.Fatal(err)
	}
	query, _, err := c.Query(qrels.Queries()[0])
	if err != nil {
		t.Fatal(err)
	}
	row, err := json.Marshal(map[string]string{"_id": query.ID, "text": query.Text})
	if err != nil {
		t.Fatal(err)
	}
	corpus, err := os.OpenFile(filepath.Join(b.data, "corpus.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corpus.Write(append(row, '\n')); err != nil {
		t.Fatal(err)
	}
	if err := corpus.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := b.config(func(c *sweeps.RunConfig) { c.Train.Steps, c.Evaluate.Measures = 2, []string{"nDCG@10", "R@1200"} })
	id := b.prepare(t, cfg)
	if err := worker.Run(t.Context(), b.job(worker.KindRun, id), io.Discard); err != nil {
		t.Fatal(err)
	}
	e := last[event.Evaluated](t, b.events(t, id, 1))
	folder := filepath.Join(b.files.Run(id), filepath.FromSlash(e.Folder))
	text, err := os.ReadFile(filepath.Join(folder, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		SelfDropped int `json:"self_dropped"`
		Depth       int `json:"depth"`
	}
	if err := json.Unmarshal(text, &summary); err != nil || summary.SelfDropped != 1 || summary.Depth != 1200 {
		t.Errorf("%v: summary %s", err, text)
	}
	run, err := trec.OpenRun(filepath.Join(folder, "run.trec.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(run[query.ID]) == 0 || slices.ContainsFunc(run[query.ID], func(s trec.Scored) bool { return s.Doc == query.ID }) {
		t.Errorf("the query itself is in its ranking: %v", run[query.ID])
	}
	if !slices.ContainsFunc(all[event.Notice](t, b, id), func(n event.Notice) bool {
		return strings.Contains(n.Message, "1 ranked document is left out as the query itself")
	}) {
		t.Errorf("notices %+v", all[event.Notice](t, b, id))
	}
}
