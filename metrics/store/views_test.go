package store_test

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/metrics/store"
)

// demo is a workspace with one of everything.
func demo(t *testing.T) *space {
	w := newSpace(t)
	w.sweep("demo", "0001", member("a", 1), member("b", 0.125), member("c", "auto-norm"), member("old", 2))
	w.sweep("demo", "0002", member("a", 1), member("b", 0.125), member("c", "auto-norm"))

	a := w.attempt("a", 0)
	w.Add(a, event.HeadNorms{Step: -1, Mean: 1, P05: .5, P50: 1, P95: 2, Max: 3})
	w.steps(a, 0, 3)
	w.Add(a, event.Step{Step: 3, Values: map[string]event.Value{"loss": event.Value(math.NaN()), "grad_norm": event.Value(math.Inf(1)), "low": event.Value(math.Inf(-1))}},
		event.HeadNorms{Step: 3, Mean: event.Value(math.NaN()), Max: event.Value(math.Inf(1))},
		episode("non_finite", 3, 3, true), event.Checkpoint{Step: 3}, event.Notice{Message: "n"},
		event.Judged{Verdict: "non_finite", Chain: []string{"non_finite"}}, event.Selected{Step: 2, Measure: "nDCG@10", Value: .25, Weights: "sha256:w"},
		event.Evaluated{ID: "eval1", Dataset: "builtin:demo", Split: "test", Folder: "evaluations/eval1"},
		event.Ended{State: event.StateDone, Step: 4, Seconds: 12.5, Weights: "sha256:w"})
	w.evaluation("runs/"+id("a")+"/evaluations", "eval1", "test", .25)
	w.evaluation("runs/"+id("a")+"/evaluations", "eval2", "dev", .75)
	w.evaluation("baselines", "bm25id", "test", .4)

	b := w.attempt("b", 0)
	w.steps(b, 0, 2)
	w.Add(b, event.Ended{State: event.StatePreempted, Step: 2, Seconds: 3})
	return w
}

func TestTheViewsAreTheContract(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	columns := map[string]string{
		"runs":         "run, label, sweep, state, verdict, backbone, rescale, seed, step, seconds, config, recovered",
		"series":       "run, step, name, value, nonfinite",
		"scores":       "run, dataset, measure, value, queries, split, collection_digest, active_query, active_document, flops, tie_mass, current",
		"query_scores": "run, dataset, query, measure, value, split, collection_digest, current",
		"verdicts":     "run, kind, severity, first_step, last_step, stands, detector_version, evidence, last_healthy_step",
		"baselines":    "sweep, dataset, name, backbone, measure, value, queries, split, collection_digest, active_query, active_document, flops, tie_mass, current, encoding",
		"collections":  "sweep, dataset, split, reference, collection_digest",
		"selected":     "run, step, measure, value, weights",
		"members":      "sweep, run, label, standing, added, position, revision",
		"settings": "run, label, seed, backbone, rescale, k, target, tie, pooling, activation, top_k, dropout, train, max_query, max_document, data_order, negatives, " +
			"steps, batch, lr, head_lr_scale, schedule, warmup, warmup_steps, weight_decay, clip, precision, loss, loss_scale, temperature, candidates, " +
			"regularizer, lambda_query, lambda_document, ramp, ramp_steps, ramp_kind, selects",
	}
	for view, want := range columns {
		table, err := s.Query(context.Background(), "SELECT * FROM "+view)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(table.Columns, ", "); got != want {
			t.Errorf("%s has %s, want %s", view, got, want)
		}
		if len(table.Rows) == 0 {
			t.Errorf("%s is empty", view)
		}
	}
	expect(t, s, "SELECT label, sweep, state, verdict, backbone, rescale, seed, step, seconds, config FROM runs ORDER BY run",
		`bert-a|demo|done|non_finite|recipe:bert|1|1|3|12.5|{"evaluate":{"final":["builtin:demo"]},"model":{"rescale":1},"seed":1}`,
		`bert-b|demo|interrupted|<nil>|recipe:bert|0.125|1|1|3|{"evaluate":{"final":["builtin:demo"]},"model":{"rescale":0.125},"seed":1}`,
		`bert-c|demo|new|<nil>|recipe:bert|auto-norm|1|<nil>|<nil>|{"evaluate":{"final":["builtin:demo"]},"model":{"rescale":"auto-norm"},"seed":1}`,
		`bert-old|<nil>|new|<nil>|recipe:bert|2|1|<nil>|<nil>|{"evaluate":{"final":["builtin:demo"]},"model":{"rescale":2},"seed":1}`)
	expect(t, s, "SELECT step, name, value, nonfinite FROM series WHERE run = '"+id("a")+"' AND step >= 2 ORDER BY step, name",
		"2|loss|102|<nil>", "2|lr|0.001|<nil>", "3|grad_norm|<nil>|+inf", "3|loss|<nil>|nan", "3|low|<nil>|-inf")
	expect(t, s, "SELECT dataset, measure, value, queries FROM scores ORDER BY 1, 2",
		"builtin:demo|RR@10|0.5|2", "builtin:demo|nDCG@10|0.25|2", "builtin:demo/dev|RR@10|0.5|2", "builtin:demo/dev|nDCG@10|0.75|2")
	expect(t, s, "SELECT dataset, query, measure, value FROM query_scores WHERE dataset = 'builtin:demo' ORDER BY query, measure",
		"builtin:demo|q1|RR@10|1", "builtin:demo|q1|nDCG@10|0.5", "builtin:demo|q2|RR@10|0", "builtin:demo|q2|nDCG@10|0")
	expect(t, s, "SELECT kind, severity, first_step, last_step, stands, detector_version, evidence FROM verdicts",
		`non_finite|collapse|3|3|1|1|{"series":"cosine/query","rule":"a rule","threshold":0.95,"window":2,"observed":[{"step":3,"value":0.97}]}`)
	expect(t, s, "SELECT sweep, dataset, name, backbone, measure, value, queries FROM baselines ORDER BY measure",
		"demo|builtin:demo|bm25||RR@10|0.5|2", "demo|builtin:demo|bm25||nDCG@10|0.4|2")
	w.sameAsNew(s)
}

// A healthy run that was a collapse for a while is marked wherever its verdict is.
func TestRecoveredRunsAreMarked(t *testing.T) {
	w := newSpace(t)
	w.sweep("demo", "0001", member("a", 1), member("b", 2), member("c", 4), member("d", 8))
	ends := func(name, verdict string, episodes ...event.Event) {
		l := w.attempt(name, 0)
		w.steps(l, 0, 9)
		w.Add(l, episodes...)
		w.Add(l, event.Judged{Verdict: verdict}, event.Ended{State: event.StateDone, Step: 9})
	}
	warning := episode("spike", 1, 2, false)
	warning.Severity = event.SeverityWarning
	ends("a", "healthy", episode("stalled", 5, 5, true), episode("stalled", 5, 6, false), episode("empty", 2, 3, false), episode("empty", 7, 8, false), warning)
	ends("b", "healthy", warning)
	ends("c", "stalled", episode("empty", 2, 3, false), episode("stalled", 5, 8, true))
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT label, verdict, recovered FROM runs ORDER BY label",
		"bert-a|healthy|empty at 2–8, stalled at 5–6", "bert-b|healthy|<nil>", "bert-c|stalled|<nil>", "bert-d|<nil>|<nil>")
	runs, err := s.Runs(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		episodes, err := s.Episodes(t.Context(), r.Run)
		if err != nil {
			t.Fatal(err)
		}
		if want := stability.Recovered(r.Verdict, episodes); r.Recovered != want {
			t.Errorf("%s: the view says %q, the detectors' package %q", r.Label, r.Recovered, want)
		}
	}
	w.sameAsNew(s)
}

func TestTypedReaders(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	ctx := context.Background()

	sweeps, err := s.Sweeps(ctx)
	if err != nil || !reflect.DeepEqual(sweeps, []store.Sweep{{Name: "demo", Revision: "0002", Question: "Why?", Runs: 3}}) {
		t.Errorf("sweeps %+v, %v", sweeps, err)
	}
	runs, err := s.Runs(ctx, "demo")
	if err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	want := store.Run{Run: id("a"), Label: "bert-a", Sweep: "demo", Standing: store.FromFile, State: "done", Verdict: "non_finite", Chain: []string{"non_finite"},
		Backbone: "recipe:bert", Rescale: 1, Seed: 1, Step: 3, Steps: 10, Seconds: 12.5, Attempts: 1, Host: "node", Weights: "sha256:w",
		Selected: &event.Selected{Step: 2, Measure: "nDCG@10", Value: .25, Weights: "sha256:w"},
		Facts:    event.Facts{Batch: 4, Candidates: 4, Vocab: 100, RampEnd: 3, Loss: "infonce", Parameters: 12},
		Config:   json.RawMessage(`{"evaluate":{"final":["builtin:demo"]},"model":{"rescale":1},"seed":1}`)}
	if !reflect.DeepEqual(runs[0], want) {
		t.Errorf("\n got %+v\nwant %+v", runs[0], want)
	}
	if r := runs[2]; r.State != "new" || r.Step != -1 || r.RescaleAuto != "auto-norm" || !math.IsNaN(r.Rescale) || r.Verdict != "" {
		t.Errorf("new run %+v", r)
	}
	if all, err := s.AllRuns(ctx); err != nil || len(all) != 4 {
		t.Errorf("%d runs in all, %v", len(all), err)
	}

	series, err := s.Series(ctx, id("a"), "loss", "grad_norm", "absent")
	if err != nil || len(series) != 2 {
		t.Fatalf("series %v, %v", series, err)
	}
	if l := series["loss"]; !reflect.DeepEqual(l.Steps, []int{0, 1, 2, 3}) || l.Values[2] != 102 || !math.IsNaN(l.Values[3]) {
		t.Errorf("loss %v", l)
	}
	if !math.IsInf(series["grad_norm"].Values[0], 1) {
		t.Errorf("grad_norm %v", series["grad_norm"])
	}
	if all, err := s.Series(ctx, id("a")); err != nil || len(all) != 4 || !math.IsInf(all["low"].Values[0], -1) {
		t.Errorf("all series %v, %v", all, err)
	}
	norms, err := s.HeadNorms(ctx, id("a"))
	if err != nil || len(norms) != 2 || norms[0] != (event.HeadNorms{Step: -1, Mean: 1, P05: .5, P50: 1, P95: 2, Max: 3}) ||
		norms[1].Mean.NonFinite() != "nan" || norms[1].Max.NonFinite() != "+inf" {
		t.Errorf("head norms %+v, %v", norms, err)
	}
	episodes, err := s.Episodes(ctx, id("a"))
	if err != nil || !reflect.DeepEqual(episodes, []event.Episode{episode("non_finite", 3, 3, true)}) {
		t.Errorf("episodes %+v, %v", episodes, err)
	}
	evaluations, err := s.Evaluations(ctx, id("a"), store.Scope{})
	if err != nil || len(evaluations) != 2 || evaluations[1].Split != "test" {
		t.Fatalf("evaluations %+v, %v", evaluations, err)
	}
	wantEval := store.Evaluation{ID: "eval1", Dataset: "builtin:demo", Collection: "sha256:q", Reference: "builtin:demo", Split: "test", Current: true, Queries: 2, Documents: 9,
		Measures: map[string]float64{"nDCG@10": .25, "RR@10": .5}, ActiveQuery: 3.5, ActiveDocument: 7, Flops: 1.25, TieShare: .1, TieMass: .05,
		Seconds: event.Seconds{Encode: 1, Index: 2, Search: 3}, Folder: "runs/" + id("a") + "/evaluations/eval1"}
	if !reflect.DeepEqual(evaluations[1], wantEval) {
		t.Errorf("\n got %+v\nwant %+v", evaluations[1], wantEval)
	}
	values, err := s.QueryScores(ctx, "eval1")
	if err != nil || !reflect.DeepEqual(values, map[string]map[string]float64{"nDCG@10": {"q1": .5, "q2": 0}, "RR@10": {"q1": 1, "q2": 0}}) {
		t.Errorf("query scores %v, %v", values, err)
	}
	baselines, err := s.Baselines(ctx, store.Scope{Sweep: "demo"})
	if err != nil || len(baselines) != 1 || baselines[0].Name != "bm25" || baselines[0].Measures["nDCG@10"] != .4 {
		t.Errorf("baselines %+v, %v", baselines, err)
	}
}
