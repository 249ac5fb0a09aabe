package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/metrics/event"
	"headroom/metrics/measure"
	"headroom/runner/checkpoint"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// rising learns quickly and is then crushed by its regularizer: its best step is an
// early one.
func rising(c *sweeps.RunConfig) {
	rate, ramp := .1, 12
	c.Train.Steps, c.Train.LR, c.Model.Dropout, c.Regularizer.RampSteps = 24, 2e-2, &rate, &ramp
	c.Regularizer.LambdaQuery, c.Regularizer.LambdaDocument = 1, 1
}

// watching evaluates on the bench's own dev queries.
func (b bench) watching(every int, edits ...func(*sweeps.RunConfig)) sweeps.RunConfig {
	return b.config(func(c *sweeps.RunConfig) {
		rising(c)
		c.Evaluate.During, c.Evaluate.Every = []string{b.data}, every
		for _, edit := range edits {
			edit(c)
		}
	})
}

func selecting(c *sweeps.RunConfig) { c.Checkpoint.Select = "best" }

// all are the events of one type in the logs of a run's attempts, as they were written.
func all[E event.Event](t testing.TB, b bench, id string) []E {
	t.Helper()
	attempts, err := event.Attempts(b.files.Run(id))
	if err != nil {
		t.Fatal(err)
	}
	var list []E
	for _, n := range attempts {
		for _, r := range b.events(t, id, n) {
			if e, ok := r.Event.(E); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// bestOf is the earliest of the greatest values.
func bestOf(measured []event.Measured) (step int, value float64) {
	for _, m := range measured {
		if step == 0 || float64(m.Value) > value {
			step, value = m.Step, float64(m.Value)
		}
	}
	return step, value
}

func (b bench) steps(t testing.TB, id string) []int {
	t.Helper()
	steps, err := checkpoint.Steps(filepath.Join(b.files.Run(id), "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// exported measures the run's exported folder on a split, as a stranger would.
func (b bench) exported(t testing.TB, id, split string) float64 {
	t.Helper()
	return b.exportedAt(t, id, split, "nDCG@10", 40)
}

func (b bench) exportedAt(t testing.TB, id, split, name string, maxDocument int) float64 {
	t.Helper()
	encoder, err := evaluate.OpenEncoder(t.Context(), filepath.Join(b.files.Run(id), "model"), evaluate.EncoderOptions{Backend: "go", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	c, err := collection.Open(b.data)
	if err != nil {
		t.Fatal(err)
	}
	measures, err := measure.ParseAll([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	s, err := evaluate.OnCollection(t.Context(), encoder, c, evaluate.CollectionOptions{Dataset: "x", Split: split, Measures: measures, MaxQuery: 16, MaxDocument: maxDocument, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s.Measures[name]
}

func TestWatchingChangesNoStep(t *testing.T) {
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			b := newBench(t, architecture)
			plain, watched := b.prepare(t, b.config(rising)), ""
			if err := b.run(t, plain, io.Discard); err != nil {
				t.Fatal(err)
			}
			want, steps := last[event.Ended](t, b.events(t, plain, 1)).Weights, all[event.Step](t, b, plain)
			other := newBench(t, architecture)
			if watched = other.prepare(t, other.watching(4)); watched == plain {
				t.Log("watching enters no id")
			}
			if err := other.run(t, watched, io.Discard); err != nil {
				t.Fatal(err)
			}
			if got := last[event.Ended](t, other.events(t, watched, 1)).Weights; got != want {
				t.Errorf("weights %s, unwatched %s", got, want)
			}
			for i, s := range all[event.Step](t, other, watched) {
				for name, v := range s.Values {
					if !event.DependsOnMachine(name) && v != steps[i].Values[name] {
						t.Errorf("step %d: %s is %v, unwatched %v", i, name, v, steps[i].Values[name])
					}
				}
			}
		})
	}
}

func TestDevDataAreMeasuredEverySoManyStepsAndAtTheEnd(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.watching(5, func(c *sweeps.RunConfig) { c.Evaluate.Measures = []string{"nDCG@10", "RR@10"} }))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	measured := all[event.Measured](t, b, id)
	var at []int
	for _, m := range measured {
		at = append(at, m.Step)
		if m.Measure != "nDCG@10" || len(m.Collections) != 1 || m.Collections[0].Measures["nDCG@10"] != m.Value || !(m.Seconds > 0) {
			t.Errorf("measured %+v", m)
		}
		c := m.Collections[0]
		if _, ok := c.Measures["RR@10"]; !ok || c.Dataset != b.data || c.Split != "dev" || c.Queries != 10 || c.Documents != 120 || c.QrelsDigest == "" || !(c.Seconds.Encode > 0) || c.Refused != "" {
			t.Errorf("collection %+v", c)
		}
	}
	if !slices.Equal(at, []int{5, 10, 15, 20, 24}) {
		t.Fatalf("measured at %v", at)
	}
	// What the run ends with is an evaluation like any other, and the same figures.
	var dev []event.Evaluated
	for _, e := range all[event.Evaluated](t, b, id) {
		if e.Split == plan.DuringSplit {
			dev = append(dev, e)
		}
	}
	if end := measured[len(measured)-1]; len(dev) != 1 || dev[0].Measures["nDCG@10"] != end.Value || dev[0].Measures["RR@10"] != end.Collections[0].Measures["RR@10"] {
		t.Errorf("evaluated on dev data as %+v, measured last as %+v", dev, end)
	}
	if got := b.exported(t, id, "dev"); got != float64(measured[4].Value) {
		t.Errorf("the exported model has %v on dev data, measured was %v", got, measured[4].Value)
	}
	best, value := bestOf(measured)
	if best == 24 || value == 0 {
		t.Fatalf("the best is step %d with %v: the test shows nothing", best, value)
	}
	if got := b.steps(t, id); !slices.Equal(got, []int{24, best}) {
		t.Errorf("kept checkpoints %v, the best is %d", got, best)
	}
	if got := all[event.Selected](t, b, id); len(got) != 0 {
		t.Errorf("the last was asked for and %+v selected", got)
	}
}

// A model that cannot be measured has a reason and no value; a run all of whose
// models are such keeps its last.
func TestAModelThatCannotBeMeasuredIsARefusalAndNoError(t *testing.T) {
	b := newBench(t, "bert")
	zero := 0
	id := b.prepare(t, b.watching(6, selecting, func(c *sweeps.RunConfig) { c.Train.LR, c.Train.Clip, c.Train.WarmupSteps = 1e30, 0, &zero }))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	measured := all[event.Measured](t, b, id)
	for _, m := range measured {
		if !math.IsNaN(float64(m.Value)) || !strings.Contains(m.Collections[0].Refused, "not finite") {
			t.Errorf("measured %+v", m)
		}
	}
	if len(measured) != 4 {
		t.Errorf("measured %d times", len(measured))
	}
	if s := last[event.Selected](t, b.events(t, id, 1)); s.Step != 24 || s.Value.NonFinite() != "nan" || s.Weights != last[event.Ended](t, b.events(t, id, 1)).Weights {
		t.Errorf("selected %+v", s)
	}
	told := slices.ContainsFunc(all[event.Notice](t, b, id), func(n event.Notice) bool {
		return strings.Contains(n.Message, "no evaluation during training has a value")
	})
	if !told {
		t.Error("that no step was chosen is not said")
	}
}

// A collection too large for vectors this dense: every text has every term active.
func TestADenseModelIsARefusalAndNoError(t *testing.T) {
	b := newBenchOf(t, "bert", 1, false)
	large := filepath.Join(t.TempDir(), "large")
	var corpus strings.Builder
	for i := range 70_000 {
		fmt.Fprintf(&corpus, "{\"_id\":\"d%d\",\"text\":\"a\"}\n", i)
	}
	for name, text := range map[string]string{
		"corpus.jsonl": corpus.String(), "queries.jsonl": "{\"_id\":\"q\",\"text\":\"a\"}\n", "qrels/dev.tsv": "query-id\tcorpus-id\tscore\nq\td1\t1\n",
	} {
		path := filepath.Join(large, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	id := b.prepare(t, b.watching(2, func(c *sweeps.RunConfig) {
		c.Train.Steps, c.Train.LR, c.Evaluate.During = 2, 0, []string{b.data, large}
	}))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	m := last[event.Measured](t, b.events(t, id, 1))
	if m.Step != 2 || !math.IsNaN(float64(m.Value)) || m.Collections[0].Refused != "" || !strings.Contains(m.Collections[1].Refused, "too dense") {
		t.Errorf("measured %+v", m)
	}
}

// An interruption while the last model is measured comes before the end of training:
// the next attempt measures it and ends as if nothing had been.
func TestAnInterruptedEvaluationIsMadeByTheNextAttempt(t *testing.T) {
	whole := newBench(t, "bert")
	id := whole.prepare(t, whole.watching(24, selecting))
	if err := whole.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := last[event.Ended](t, whole.events(t, id, 1)).Weights
	b := newBench(t, "bert")
	b.prepare(t, b.watching(24, selecting))
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, b.ticking(id), &interrupter{phase: "dev", cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("interrupted run ended with %v", err)
	}
	if got := all[event.Measured](t, b, id); len(got) != 0 {
		t.Fatalf("an interrupted evaluation was recorded: %+v", got)
	}
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	second := b.events(t, id, 2)
	if from := last[event.Started](t, second).FromStep; from != 24 {
		t.Errorf("resumed from step %d", from)
	}
	if got := last[event.Ended](t, second).Weights; got != want || len(all[event.Measured](t, b, id)) != 1 {
		t.Errorf("weights %s, undisturbed %s", got, want)
	}
}

func TestDevDataThatAreTestDataAreToldOf(t *testing.T) {
	b := newBench(t, "bert")
	text, err := os.ReadFile(filepath.Join(b.data, "qrels", "test.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.data, "qrels", "dev.tsv"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	id := b.prepare(t, b.watching(12))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	told := slices.ContainsFunc(all[event.Notice](t, b, id), func(n event.Notice) bool { return strings.Contains(n.Message, "are test queries") })
	if !told {
		t.Error("a test set during training is not said")
	}
	if m := last[event.Measured](t, b.events(t, id, 1)); m.Tested != 20 {
		t.Errorf("recorded as %d of the dev queries", m.Tested)
	}
}

// By a clock on which everything takes as many seconds as it is looked at, an
// evaluation takes longer than the two steps between two of them.
func TestCostlyEvaluationsAreToldOfOnce(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.watching(2))
	if err := worker.Run(t.Context(), b.ticking(id), io.Discard); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, n := range all[event.Notice](t, b, id) {
		if strings.HasPrefix(n.Message, "an evaluation during training took ") && strings.Contains(n.Message, "and the 2 steps between two take 2 s: smaller collections would bring that down") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times: %+v", told, all[event.Notice](t, b, id))
	}
}
