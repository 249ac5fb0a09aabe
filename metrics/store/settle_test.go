package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/sweeps"
)

// measured writes the evaluation on a collection of a run, or of a baseline if run is empty.
func (w *space) measured(run string, e record.Evaluation, ndcg float64) {
	w.T.Helper()
	e.Schema, e.Queries, e.Documents, e.Measures = 1, 1, 3, map[string]float64{"nDCG@10": ndcg}
	if e.Split == "" {
		e.Split = "test"
	}
	if e.MeasuresVersion == 0 {
		e.MeasuresVersion = 2
	}
	if e.Encoder == "" {
		e.Encoder = "encoder of " + run
	}
	e.ID = sweeps.EvaluationID(e.Encoder, e.Collection, e.Split, e.MeasuresVersion)
	folder := filepath.Join("baselines", e.ID)
	if run != "" {
		folder = filepath.Join("runs", id(run), "evaluations", e.ID)
	}
	text, err := json.Marshal(e)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(filepath.Join(folder, "summary.json"), string(text))
	w.Write(filepath.Join(folder, "per_query.tsv"), fmt.Sprintf("query\tmeasure\tvalue\nq1\tnDCG@10\t%v\n", ndcg))
}

// holds writes what references were last seen to hold: reference, split, digest.
func (w *space) holds(seen ...[3]string) {
	w.T.Helper()
	c := record.Collections{Schema: 1}
	for _, s := range seen {
		c.References = append(c.References, record.Reference{Reference: s[0], Split: s[1], Collection: s[2]})
	}
	text, err := json.Marshal(c)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write("collections.json", string(text))
}

// on is a run's line in the manifest of a sweep that asks for these collections.
func on(run string, final ...string) map[string]any {
	m := member(run, 1)
	m["config"] = map[string]any{"evaluate": map[string]any{"final": final}}
	return m
}

const tables = "SELECT l.label, s.dataset, s.value, s.current FROM scores s JOIN runs l USING (run) ORDER BY 1, 2, 3"

func TestAnEditedCollectionAndTheOldFileAgain(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", on("a", "/here/c"), on("b", "/here/c"))
	old := record.Evaluation{Dataset: "/here/c", Collection: "sha256:11111111aa"}
	edited := record.Evaluation{Dataset: "/here/c", Collection: "sha256:22222222bb"}
	w.measured("a", old, .1)
	w.measured("b", old, .2)
	w.holds([3]string{"/here/c", "test", old.Collection})
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.1|1", "bert-b|c|0.2|1")

	// Of the edited data only one run has figures.
	w.holds([3]string{"/here/c", "test", edited.Collection})
	w.fold(s)
	expect(t, s, tables, "bert-a|c@11111111|0.1|0", "bert-b|c@11111111|0.2|0") // the name is what it holds now
	w.measured("a", edited, .5)
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.5|1", "bert-a|c@11111111|0.1|0", "bert-b|c@11111111|0.2|0")
	w.sameAsNew(s)
	got, err := s.Evaluations(context.Background(), id("b"), store.Scope{Sweep: "s"})
	if err != nil || len(got) != 0 {
		t.Errorf("the run that was not measured again has %+v, %v", got, err)
	}
	got, err = s.Evaluations(context.Background(), id("b"), store.Scope{Sweep: "s", Superseded: true})
	if err != nil || len(got) != 1 || got[0].Dataset != "c@11111111" || got[0].Current {
		t.Errorf("asked for what is superseded: %+v, %v", got, err)
	}

	w.holds([3]string{"/here/c", "test", old.Collection})
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.1|1", "bert-a|c@22222222|0.5|0", "bert-b|c|0.2|1")
	w.sameAsNew(s)
}

func TestOneCollectionUnderTwoNames(t *testing.T) {
	w := newSpace(t)
	w.sweep("one", "0001", on("a", "data:c"))
	w.sweep("two", "0001", on("a", "/hd/c"), on("b", "/hd/c"))
	const digest = "sha256:33"
	w.measured("a", record.Evaluation{Dataset: "data:c", Collection: digest}, .1)
	w.measured("b", record.Evaluation{Dataset: "/hd/c", Collection: digest}, .2)
	w.holds([3]string{"data:c", "test", digest}, [3]string{"/hd/c", "test", digest})
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.1|1", "bert-b|c|0.2|1")
	for sweep, want := range map[string]string{"one": "data:c", "two": "c"} {
		got, err := s.Evaluations(context.Background(), id("a"), store.Scope{Sweep: sweep})
		if err != nil || len(got) != 1 || got[0].Dataset != want {
			t.Errorf("sweep %s: %+v, %v; want %s", sweep, got, err, want)
		}
	}
	w.sameAsNew(s)
}

func TestOneNameOverTwoContents(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", on("a", "/x/c", "/y/c"))
	w.sweep("other", "0001", on("b", "/y/c"))
	w.measured("a", record.Evaluation{Dataset: "/x/c", Collection: "sha256:1111111199"}, .1)
	w.measured("a", record.Evaluation{Dataset: "/y/c", Collection: "sha256:2222222299"}, .2)
	w.holds([3]string{"/x/c", "test", "sha256:1111111199"}, [3]string{"/y/c", "test", "sha256:2222222299"})
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|c@11111111|0.1|1", "bert-a|c@22222222|0.2|1")
	expect(t, s, "SELECT sweep, dataset, reference FROM collections ORDER BY 1, 2",
		"other|c|/y/c", "s|c@11111111|/x/c", "s|c@22222222|/y/c")
	// In the tables of a sweep that has one of the two, that one has the name.
	got, err := s.Evaluations(context.Background(), id("a"), store.Scope{Sweep: "other"})
	if err != nil || len(got) != 2 || got[0].Dataset != "c@11111111" || got[1].Dataset != "c" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAReferenceThatMovedHoldsNothing(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", on("a", "/place1"))
	w.sweep("s", "0002", on("a", "/place2"))
	w.measured("a", record.Evaluation{Dataset: "/place1", Collection: "sha256:11"}, .1)
	w.holds([3]string{"/place1", "test", ""}, [3]string{"/place2", "test", "sha256:11"})
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|place2|0.1|1")
	w.holds([3]string{"/place1", "test", ""}, [3]string{"/place2", "test", "sha256:22"})
	w.fold(s)
	expect(t, s, tables, "bert-a|place1|0.1|0")
}

func TestFormerVersionsOfTheMeasuresAreSuperseded(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", on("a", "/c"), on("b", "/c"))
	for _, run := range []string{"a", "b"} {
		w.measured(run, record.Evaluation{Dataset: "/c", Collection: "sha256:11", MeasuresVersion: 1}, .1)
	}
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.1|1", "bert-b|c|0.1|1") // no newer one has measured it
	w.measured("a", record.Evaluation{Dataset: "/c", Collection: "sha256:11", MeasuresVersion: 2}, .2)
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.2|1", "bert-a|c (measures 1)|0.1|0", "bert-b|c (measures 1)|0.1|0")
}

// Without collections.json, as in a workspace of an older program, what most evaluations
// of a reference measured is current: results of two contents never mix.
func TestWithoutARecordTheMostCounts(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", on("a", "/c"), on("b", "/c"), on("d", "/c"))
	for _, run := range []string{"a", "b", "d"} {
		w.measured(run, record.Evaluation{Dataset: "/c", Collection: "sha256:1111111111"}, .1)
	}
	w.measured("b", record.Evaluation{Dataset: "/c", Collection: "sha256:2222222222"}, .3)
	s := w.open()
	w.fold(s)
	expect(t, s, tables, "bert-a|c|0.1|1", "bert-b|c|0.1|1", "bert-b|c@22222222|0.3|0", "bert-d|c|0.1|1")
}

func TestBaselinesFollowTheCollection(t *testing.T) {
	w := newSpace(t)
	w.Write("sweeps/s/0001.json", fmt.Sprintf(`{"schema":1,"question":"","runs":[{"run":%q,"label":"a","backbone":"b","rescale":1,"seed":1,
		"config":{"evaluate":{"final":["/c"]}}}],"baselines":[{"id":"whatever","encoder":"bm25","name":"bm25","backbone":""}]}`, id("a")))
	for digest, value := range map[string]float64{"sha256:1111111111": .1, "sha256:2222222222": .2} {
		w.measured("", record.Evaluation{Dataset: "/c", Collection: digest, Encoder: "bm25", Name: "bm25"}, value)
	}
	w.measured("", record.Evaluation{Dataset: "/c", Collection: "sha256:1111111111", Encoder: "another sweep's", Name: "bm25"}, .9)
	w.measured("", record.Evaluation{Dataset: "/elsewhere", Collection: "sha256:3333333333", Encoder: "bm25", Name: "bm25"}, .9)
	s := w.open()
	for _, want := range [][]string{
		{"sha256:1111111111", "c|0.1|1", "c@22222222|0.2|0"},
		{"sha256:2222222222", "c|0.2|1", "c@11111111|0.1|0"},
	} {
		w.holds([3]string{"/c", "test", want[0]})
		w.fold(s)
		expect(t, s, "SELECT dataset, value, current FROM baselines ORDER BY current DESC", want[1:]...)
		got, err := s.Baselines(context.Background(), store.Scope{Sweep: "s"})
		if err != nil || len(got) != 1 || got[0].Collection != want[0] || !got[0].Current {
			t.Errorf("%+v, %v", got, err)
		}
	}
	w.sameAsNew(s)
}
