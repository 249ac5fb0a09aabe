package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/store"
)

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
	for range 2 { // reported again until it is mended
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
				l = logs[run][random.IntN(n)] // sometimes one that should be dead
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
