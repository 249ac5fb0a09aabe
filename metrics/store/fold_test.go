package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

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

func TestStatesOfARun(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", member("r", 1))
	s := w.open()
	state := func(want string) {
		t.Helper()
		w.fold(s)
		expect(t, s, "SELECT state, verdict, step FROM runs", want)
	}
	state("new|<nil>|<nil>")
	l := w.attempt("r", 0)
	state("running|<nil>|<nil>")
	w.steps(l, 0, 5)
	state("running|<nil>|4")
	w.Add(l, event.Ended{State: event.StateInterrupted, Step: 5})
	state("interrupted|<nil>|4")
	l = w.attempt("r", 3)
	state("running|<nil>|2")
	w.Add(l, event.Ended{State: event.StateFailed, Step: 3, Error: "disk full"})
	state("failed|<nil>|2")
	if runs, _ := s.Runs(context.Background(), "s"); runs[0].Error != "disk full" || runs[0].Attempts != 2 {
		t.Errorf("%+v", runs[0])
	}
	// One that fails before it starts, such as for want of a backend.
	early, err := event.Create(filepath.Join(w.Root, "runs", id("r")), event.WithClock(w.clock))
	if err != nil {
		t.Fatal(err)
	}
	state("running|<nil>|2")
	w.Add(early, event.Ended{State: event.StateFailed, Error: "no backend"})
	state("failed|<nil>|2")
	if runs, _ := s.Runs(context.Background(), "s"); runs[0].Error != "no backend" || runs[0].Steps != 10 {
		t.Errorf("%+v", runs[0])
	}
	l = w.attempt("r", 3)
	w.steps(l, 3, 10)
	w.Add(l, event.Judged{Verdict: "healthy"})
	state("running|healthy|9")
	w.Add(l, event.Ended{State: event.StateDone, Step: 10, Seconds: 2})
	state("done|healthy|9")
	// An attempt that only evaluates comes after the last step and changes no verdict.
	l = w.attempt("r", 10)
	state("running|healthy|9")
	w.Add(l, event.Ended{State: event.StateDone, Step: 10, Seconds: 2})
	state("done|healthy|9")
	w.sameAsNew(s)
}

func TestAResumedAttemptOwnsItsSteps(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	one := w.attempt("r", 0)
	w.steps(one, 0, 4)
	w.Add(one, episode("identical", 1, 3, true), event.HeadNorms{Step: 2, Mean: 1}, event.HeadNorms{Step: 6, Mean: 1})
	w.steps(one, 4, 8)
	w.Add(one, episode("empty", 5, 7, true), episode("identical", 1, 6, false), event.Judged{Verdict: "empty"})
	w.fold(s)
	two := w.attempt("r", 5)
	w.fold(s)
	loss := "SELECT group_concat(step || ':' || CAST(value AS INTEGER), ' ') FROM (SELECT * FROM series WHERE name = 'loss' ORDER BY step)"
	expect(t, s, loss, "0:100 1:101 2:102 3:103 4:104")
	// What was found before step 5 stays as it was then; what was found later is not known.
	expect(t, s, "SELECT kind, first_step, last_step, stands FROM verdicts", "identical|1|3|1")
	expect(t, s, "SELECT count(*) FROM runs WHERE verdict IS NOT NULL", "0")
	w.steps(two, 5, 7)
	w.steps(one, 8, 10) // a process that outlived its lease
	w.Add(one, episode("stalled", 9, 9, true), event.HeadNorms{Step: 9}, event.Judged{Verdict: "stalled"})
	w.fold(s)
	expect(t, s, loss, "0:100 1:101 2:102 3:103 4:104 5:205 6:206")
	expect(t, s, "SELECT kind FROM verdicts", "identical")
	expect(t, s, "SELECT step FROM head_norm", "2")
	expect(t, s, "SELECT step, verdict FROM runs", "6|<nil>")
	w.Add(two, episode("identical", 1, 6, true), event.Judged{Verdict: "identical"})
	w.fold(s)
	expect(t, s, "SELECT kind, first_step, last_step, stands FROM verdicts", "identical|1|6|1")
	expect(t, s, "SELECT verdict FROM runs", "identical")
	three := w.attempt("r", 0) // from the start again
	w.steps(three, 0, 1)
	w.fold(s)
	expect(t, s, loss, "0:300")
	expect(t, s, "SELECT count(*) FROM verdicts", "0")
	w.sameAsNew(s)
}

func TestFoldFollowsItsFiles(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	before := dump(t, s)
	w.fold(s)
	if dump(t, s) != before {
		t.Error("a second fold changed something")
	}
	remove := func(path string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(w.Root, path)); err != nil {
			t.Fatal(err)
		}
		w.fold(s)
		w.sameAsNew(s)
	}
	w.evaluation("runs/"+id("a")+"/evaluations", "eval1", "test", .125) // measured again
	w.fold(s)
	expect(t, s, "SELECT value FROM scores WHERE dataset = 'builtin:demo' AND measure = 'nDCG@10'", "0.125")
	expect(t, s, "SELECT value FROM query_scores WHERE dataset = 'builtin:demo' AND query = 'q1' AND measure = 'nDCG@10'", "0.25")
	w.sameAsNew(s)
	remove("runs/" + id("a") + "/evaluations/eval1")
	remove("baselines/bm25id")
	remove("runs/" + id("b"))
	expect(t, s, "SELECT state FROM runs WHERE label = 'bert-b'", "new")
	remove("sweeps/demo/0001.json")
	expect(t, s, "SELECT count(*) FROM runs", "3")
	remove("sweeps")
	expect(t, s, "SELECT run, label, state FROM runs", id("a")+"|<nil>|done")
	remove("runs")
	expect(t, s, "SELECT count(*) FROM runs", "0")
	// Another log in the place of one that is known.
	w.steps(w.attempt("z", 0), 0, 9)
	w.fold(s)
	if err := os.RemoveAll(filepath.Join(w.Root, "runs")); err != nil {
		t.Fatal(err)
	}
	w.steps(w.attempt("z", 0), 0, 2)
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM series WHERE name = 'loss'", "2")
	w.sameAsNew(s)
}

func TestBadFilesAreNamedAndTheRestIsFolded(t *testing.T) {
	w := demo(t)
	path := event.Path(filepath.Join(w.Root, "runs", id("a")), 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[3] = strings.Replace(lines[3], "step", "stop", 1)
	w.Write("runs/"+id("a")+"/attempts/1/events.jsonl", strings.Join(lines, ""))
	w.sweep("bad", "0001", map[string]any{"run": "../x"})
	w.Write("sweeps/worse/0001.json", "{")
	w.Write("baselines/x/summary.json", `{"schema":2}`)
	for name, tsv := range map[string]string{"head": "query\tvalue\n", "columns": "query\tmeasure\tvalue\nq1\t3\n", "value": "query\tmeasure\tvalue\nq1\tm\tx\n",
		"twice": "query\tmeasure\tvalue\nq1\tm\t1\nq1\tm\t1\n"} {
		w.evaluation("baselines", name, "test", .5)
		w.Write("baselines/"+name+"/per_query.tsv", tsv)
	}
	w.evaluation("baselines", "absent", "test", .5)
	if err := os.Remove(filepath.Join(w.Root, "baselines/absent/per_query.tsv")); err != nil {
		t.Fatal(err)
	}
	s := w.open()
	for range 2 { // told again until it is mended
		err = store.Fold(context.Background(), w.Root, s)
		var damage *store.Damage
		if !errors.As(err, &damage) || len(damage.Faults) != 9 {
			t.Fatalf("fold gives %v", err)
		}
		for _, want := range []string{"events.jsonl:4: damaged line", `bad/0001.json: run 1 has the id "../x"`, "worse/0001.json is damaged: it is no JSON",
			"x/summary.json: schema is 2", `head/per_query.tsv:1: header`, "columns/per_query.tsv:2: 2 columns", `value/per_query.tsv:2: value is "x"`,
			`twice/per_query.tsv:3: query "q1" has m twice`, "absent/per_query.tsv"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in\n%v", want, err)
			}
		}
		expect(t, s, "SELECT label, state, step FROM runs WHERE sweep IS NOT NULL ORDER BY run", "bert-a|running|0", "bert-b|interrupted|1", "bert-c|new|<nil>")
		expect(t, s, "SELECT count(*) FROM baselines", "2")
	}
	w.sameAsNew(s)
}

// TestFiguresThatContradictEachOtherAreDamage: also of an evaluation without digests.
func TestFiguresThatContradictEachOtherAreDamage(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a digit of a measure": {"", "", "the mean of its values of nDCG@10 is 0.5, the summary says 0.6"},
		"rows gone":            {"q2\tnDCG@10\t0\nq2\tRR@10\t0\n", "", "it has 1 values of RR@10, and the summary says 2 queries"},
		"a value changed":      {"q1\tRR@10\t1", "q1\tRR@10\t0.9", "the mean of its values of RR@10 is 0.45, the summary says 0.5"},
		"a measure misspelt":   {"q2\tRR@10", "q2\tRR@11", `it has values of "RR@11", which the summary does not have`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSpace(t)
			w.evaluation("baselines", "e", "test", .5)
			file, old, new := "baselines/e/per_query.tsv", c.old, c.new
			if name == "a digit of a measure" {
				file, old, new = "baselines/e/summary.json", `"nDCG@10":0.5`, `"nDCG@10":0.6`
			}
			text, err := os.ReadFile(filepath.Join(w.Root, file))
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), old, new, 1)
			if changed == string(text) {
				t.Fatalf("%q is not in %s", old, text)
			}
			w.Write(file, changed)
			s := w.open()
			var damage *store.Damage
			err = store.Fold(context.Background(), w.Root, s)
			if !errors.As(err, &damage) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fold gives %v; want %q", err, c.want)
			}
			expect(t, s, "SELECT count(*) FROM evaluation", "0")
		})
	}
}

// Random histories: whatever happens between folds, the fold is that of the files.
func TestAnyHistoryFoldsAsIfAtOnce(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 5))
		w := newSpace(t)
		s := w.open()
		logs := map[string][]*event.Log{}
		names := []string{"a", "b", "c"}
		for range 60 {
			run := names[random.IntN(len(names))]
			var l *event.Log
			if n := len(logs[run]); n > 0 {
				l = logs[run][random.IntN(n)] // now and then one that should be dead
			}
			switch k := random.IntN(12); {
			case k == 0 || l == nil:
				logs[run] = append(logs[run], w.attempt(run, random.IntN(6)))
			case k < 6:
				from := random.IntN(8)
				w.steps(l, from, from+random.IntN(4))
			case k == 6:
				w.Add(l, episode("identical", random.IntN(5), 5, random.IntN(2) == 0), event.HeadNorms{Step: random.IntN(9) - 1, Mean: 2})
			case k == 7:
				w.Add(l, event.Judged{Verdict: "healthy"}, event.Ended{State: event.StateDone, Step: 9, Seconds: 1})
			case k == 8:
				w.evaluation("runs/"+id(run)+"/evaluations", string(rune('x'+random.IntN(3))), "test", random.Float64())
			case k == 9:
				var list []map[string]any
				for _, name := range names[:1+random.IntN(3)] {
					list = append(list, member(name, random.IntN(3)))
				}
				w.sweep("s", []string{"0001", "0002"}[random.IntN(2)], list...)
			case k == 10 && random.IntN(3) == 0:
				for _, open := range logs[run] {
					open.Close()
				}
				delete(logs, run)
				if err := os.RemoveAll(filepath.Join(w.Root, "runs", id(run))); err != nil {
					t.Fatal(err)
				}
			default:
				w.fold(s)
			}
		}
		w.fold(s)
		w.sameAsNew(s)
	}
}

func TestAFoldWithoutNewsIsQuick(t *testing.T) {
	w := newSpace(t)
	var runs []map[string]any
	for i := range 16 {
		name := string(rune('a' + i))
		runs = append(runs, member(name, 1))
		w.steps(w.attempt(name, 0), 0, 150)
		w.evaluation("runs/"+id(name)+"/evaluations", "e1", "test", .5)
		w.evaluation("runs/"+id(name)+"/evaluations", "e2", "test", .5)
	}
	w.sweep("s", "0001", runs...)
	s := w.open()
	w.fold(s)
	best := time.Hour
	for range 5 {
		start := time.Now()
		w.fold(s)
		best = min(best, time.Since(start))
	}
	t.Logf("a fold without news of 16 runs takes %s", best)
}

// An evaluation whose vectors were too dense to search has no measures and no
// file per query: that is its result, and no damage.
func TestARefusedEvaluationIsNoDamage(t *testing.T) {
	w := newSpace(t)
	w.Write("baselines/dense/summary.json", `{"schema":1,"id":"dense","dataset":"builtin:demo","split":"test","name":"untrained","backbone":"b",
		"queries":2,"documents":9,"measures":{},"active_document":900,"seconds":{"encode":0,"index":0,"search":0},"refused":"too dense"}`)
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM baselines", "0")
}
