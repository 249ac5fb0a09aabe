package worker_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/synthetic"
	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// manyDocuments are enough for several batches.
const manyDocuments = 600

func newBenchOfMany(t *testing.T) bench {
	t.Helper()
	return newBenchIn(t, synthetic.Size{Documents: manyDocuments, Train: 150, Dev: 10, Test: 20, NoOverlap: 2}, "bert", 0, false, 32, 1)
}

// encodes does the job of a run or a baseline and returns the number of messages, while the finished model is
// measured, that a part of the documents is encoded: 0 if their vectors are there already.
func (b bench) encodes(t *testing.T, kind, id string) int {
	t.Helper()
	job := b.ticking(id)
	job.Kind = kind
	var out bytes.Buffer
	if err := worker.Run(t.Context(), job, &out); err != nil {
		t.Fatal(err)
	}
	told := 0
	for line := range strings.Lines(out.String()) {
		var m pool.Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m.Phase == pool.PhaseEvaluate && m.Step > 0 && m.Step < manyDocuments {
			told++
		}
	}
	return told
}

// The dev data are measured after the last step and the test data at once after that, by the same model, unless the best
// step's is the run's.
func TestTheLastStepsDocumentsAreEncodedOnce(t *testing.T) {
	for _, c := range []struct {
		edit  func(*sweeps.RunConfig)
		again bool
	}{{func(*sweeps.RunConfig) {}, false}, {selecting, true}} {
		b := newBenchOfMany(t)
		id := b.prepare(t, b.watching(8, c.edit))
		if told := b.encodes(t, worker.KindRun, id); told > 0 != c.again {
			t.Errorf("told %d times of documents that are encoded at the end; encoded again: %v", told, c.again)
		}
		dev, final := last[event.Measured](t, b.events(t, id, 1)), all[event.Evaluated](t, b, id)
		if same := final[0].ActiveDocument == dev.Collections[0].ActiveDocument; len(final) != 2 || dev.Step != 24 || same == c.again {
			t.Errorf("%+v, %+v", dev, final)
		}
	}
}

// Vectors that a run has kept are those of its further evaluations.
func TestARunThatKeepsVectorsEncodesThemOnce(t *testing.T) {
	b := newBenchOfMany(t)
	id := b.prepare(t, b.watching(20, func(c *sweeps.RunConfig) { c.Evaluate.KeepVectors = true }))
	b.encodes(t, worker.KindRun, id)
	before := all[event.Evaluated](t, b, id)
	blocks, err := filepath.Glob(filepath.Join(b.files.Run(id), "vectors", "*"))
	if err != nil || len(blocks) != 1 || filepath.Ext(blocks[0]) != ".vectors" {
		t.Fatalf("kept %v, %v", blocks, err)
	}
	evaluations := filepath.Join(b.files.Run(id), "evaluations")
	lists, err := filepath.Glob(filepath.Join(evaluations, "*", record.VectorsFile))
	if err != nil || len(lists) != 2 { // dev and test
		t.Fatalf("lists %v, %v", lists, err)
	}
	if err := os.RemoveAll(evaluations); err != nil {
		t.Fatal(err)
	}
	if told := b.encodes(t, worker.KindRun, id); told > 0 {
		t.Errorf("told %d times of documents that are encoded again", told)
	}
	after := all[event.Evaluated](t, b, id)
	if len(after) != 2*len(before) {
		t.Fatalf("%d evaluations, then %d", len(before), len(after))
	}
	for i, e := range before {
		again := after[len(before)+i]
		again.Seconds, e.Seconds = event.Seconds{}, event.Seconds{}
		want, one := json.Marshal(e)
		got, other := json.Marshal(again)
		if one != nil || other != nil || string(got) != string(want) {
			t.Errorf("%s, before %s", got, want)
		}
	}
}

// A file of kept vectors that is lost or damaged is made again, with the same vectors, by the run that asks for them.
func TestARunMakesLostKeptVectorsAgain(t *testing.T) {
	b := newBenchOfMany(t)
	id := b.prepare(t, b.watching(20, func(c *sweeps.RunConfig) { c.Evaluate.KeepVectors = true }))
	b.encodes(t, worker.KindRun, id)
	blocks, err := filepath.Glob(filepath.Join(b.files.Run(id), "vectors", "*.vectors"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("kept %v, %v", blocks, err)
	}
	sound, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(sound)
	damaged[len(damaged)/2] ^= 1
	for name, harm := range map[string]func() error{
		"lost":    func() error { return os.Remove(blocks[0]) },
		"damaged": func() error { return os.WriteFile(blocks[0], damaged, 0o644) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if told := b.encodes(t, worker.KindRun, id); told == 0 {
			t.Errorf("%s: no document is encoded again", name)
		}
		if again, err := os.ReadFile(blocks[0]); err != nil || !bytes.Equal(again, sound) {
			t.Errorf("%s: %v, or other vectors than before", name, err)
		}
	}
	if told := b.encodes(t, worker.KindRun, id); told > 0 {
		t.Errorf("told %d times of documents that are encoded again where nothing is lost", told)
	}
}

// A baseline reads what another of the same model has kept of the same documents.
func TestBaselinesThatKeepVectorsEncodeThemOnce(t *testing.T) {
	b := newBenchOfMany(t)
	cfg := b.config(func(c *sweeps.RunConfig) { c.Evaluate.KeepVectors = true })
	for i, split := range []string{plan.FinalSplit, plan.DuringSplit} {
		digest, err := b.resolver.DigestCollection(b.data, split)
		if err != nil {
			t.Fatal(err)
		}
		e := plan.UntrainedEvaluation(b.files.Root, cfg, b.inputs(t, cfg), b.data, split, digest)
		request := record.Baseline{ID: e.ID, Name: e.Name, Dataset: e.Dataset, Split: e.Split, Backbone: e.Backbone, Inputs: e.Inputs}
		if err := b.files.WriteBaseline(request, e.Config); err != nil {
			t.Fatal(err)
		}
		if told := b.encodes(t, worker.KindBaseline, e.ID); (told > 0) != (i == 0) {
			t.Errorf("%s: told %d times of documents that are encoded", split, told)
		}
		kept, err := record.ReadEvaluation(e.Folder)
		blocks, globbing := filepath.Glob(filepath.Join(e.Folder, "vectors", "*.vectors"))
		if err != nil || !kept.KeepsVectors() || globbing != nil || len(blocks) != 1 {
			t.Errorf("%s: %v, %v, %v", split, err, kept.Files, blocks)
		}
	}
}
