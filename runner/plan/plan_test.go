package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/source"
	"headroom/experiments"
	"headroom/metrics/event"
	"headroom/runner/plan"
	"headroom/sweeps"
)

func TestAFreshSweepIsAllNewAndThePlanWritesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, sweep)
	if len(p.Runs) != 4 || p.Count(plan.New) != 4 || p.Idle() {
		t.Fatalf("%+v", p.Runs)
	}
	ids := map[sweeps.ID]bool{}
	for _, run := range p.Runs {
		ids[run.ID] = true
		if !run.ID.Valid() || run.Label != sweeps.Label(run.Config, run.ID) || run.Why == "" || run.Seconds != nil {
			t.Errorf("%+v", run)
		}
		if run.ID != sweeps.RunID(run.Config, run.Inputs) || !strings.HasPrefix(run.Inputs.Weights, "sha256:") {
			t.Errorf("id %s of inputs %+v", run.ID, run.Inputs)
		}
		if !filepath.IsAbs(run.Config.Model.Backbone) || !filepath.IsAbs(run.Config.Data.Train) || !filepath.IsAbs(run.Config.Evaluate.Final[0]) {
			t.Errorf("references are not absolute: %s %s %s", run.Config.Model.Backbone, run.Config.Data.Train, run.Config.Evaluate.Final)
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids", len(ids))
	}
	if _, err := os.Stat(w.workspace); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the workspace exists after planning: %v", err)
	}
	// Four runs, BM25 and one untrained model: two factors share a backbone.
	if len(p.Evaluations) != 6 {
		t.Errorf("%d evaluations", len(p.Evaluations))
	}
}

func TestEachStateHasItsFilesAndItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		files func(t *testing.T, folder string)
		want  plan.State
		why   string
	}{
		"nothing": {func(*testing.T, string) {}, plan.New, "not in the workspace"},
		"prepared": {func(t *testing.T, f string) { write(t, filepath.Join(f, "config.toml"), "") },
			plan.Queued, "not begun"},
		"killed": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{Steps: 10}, event.Step{Step: 3, Values: map[string]event.Value{"loss": 1}})
		}, plan.Interrupted, "attempt 1 was cut short after step 3 of 10"},
		"killed at once": {func(t *testing.T, f string) { attempt(t, f) }, plan.Interrupted, "attempt 1 was cut short"},
		"killed before its log": {func(t *testing.T, f string) {
			if err := os.MkdirAll(filepath.Join(f, "attempts", "1"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, plan.Interrupted, "attempt 1 ended before it began"},
		"interrupted": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StateInterrupted, Step: 4})
		}, plan.Interrupted, "attempt 1 was interrupted at step 4 of 10"},
		"preempted": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StatePreempted, Step: 4})
		}, plan.Interrupted, "attempt 1 was preempted at step 4 of 10"},
		"failed": {func(t *testing.T, f string) {
			attempt(t, f, event.Started{}, event.Ended{State: event.StateFailed, Error: "disk full"})
		}, plan.Failed, "attempt 1 failed: disk full"},
		"failed, then killed": {func(t *testing.T, f string) {
			attempt(t, f, event.Ended{State: event.StateFailed, Error: "x"})
			attempt(t, f, event.Started{})
		}, plan.Interrupted, "attempt 2 was cut short"},
		"done": {func(t *testing.T, f string) { attempt(t, f, done("healthy", 5)...) }, plan.Done, "finished"},
		"done, then an attempt that evaluates and is cut": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			attempt(t, f, event.Started{FromStep: 10})
		}, plan.Done, "finished"},
		"collapsed": {func(t *testing.T, f string) { attempt(t, f, done("identical", 5)...) }, plan.Done, "identical"},
		"an export that is missing": {func(t *testing.T, f string) {
			attempt(t, f, event.Judged{Verdict: "healthy"}, event.Ended{State: event.StateDone})
		}, plan.Damaged, "finished, but "},
		"weights that were not finite": {func(t *testing.T, f string) {
			attempt(t, f, event.Judged{Verdict: "non_finite"}, event.Ended{State: event.StateDone})
		}, plan.Done, "non_finite"},
		"never judged": {func(t *testing.T, f string) {
			attempt(t, f, event.Ended{State: event.StateDone, Model: event.ModelNone})
		}, plan.Done, "finished"},
		"a damaged log": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			path := event.Path(f, 1)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text[20] ^= 1
			write(t, path, string(text))
		}, plan.Damaged, "events.jsonl:1"},
		"a torn last line": {func(t *testing.T, f string) {
			attempt(t, f, done("healthy", 5)...)
			path := event.Path(f, 1)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, string(text[:len(text)-3]))
		}, plan.Interrupted, "was cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.must(t, sweep).Runs[0]
			c.files(t, first.Folder)
			before := snapshot(t, w.workspace)
			again := w.must(t, sweep)
			if run := again.Runs[0]; run.State != c.want || !strings.Contains(run.Why, c.why) {
				t.Errorf("%s: %s; want %s, saying %q", run.State, run.Why, c.want, c.why)
			}
			if again.Count(plan.New) < 3 {
				t.Error("another run is changed too")
			}
			if after := snapshot(t, w.workspace); before != after {
				t.Errorf("the plan changed the workspace:\n%s\n%s", before, after)
			}
		})
	}
}

func TestARunThatALiveProcessHoldsIsRunning(t *testing.T) {
	w := newWorld(t)
	first := w.must(t, sweep).Runs[0]
	attempt(t, first.Folder, event.Started{})
	w.options.Holder = func(folder string) string {
		if folder == first.Folder {
			return "process 7 on here"
		}
		return ""
	}
	if run := w.must(t, sweep).Runs[0]; run.State != plan.Running || !strings.Contains(run.Why, "process 7") {
		t.Errorf("%s: %s", run.State, run.Why)
	}
}

func TestWhatWasDoneUnderEarlierSemanticsIsStale(t *testing.T) {
	w := newWorld(t)
	old := w.must(t, sweep).Runs[0]
	attempt(t, old.Folder, done("healthy", 5)...)
	w.options.Semantics = sweeps.Semantics{"optimizer": 2}
	w.options.Earlier = []sweeps.Semantics{{"optimizer": 1}}
	p := w.must(t, sweep)
	if run := p.Runs[0]; run.State != plan.Stale || !strings.Contains(run.Why, old.ID.Short()) || run.ID == old.ID {
		t.Errorf("%s %s: %s", run.ID.Short(), run.State, run.Why)
	}
	if p.Runs[1].State != plan.New {
		t.Errorf("the next is %s", p.Runs[1].State)
	}
}

func TestOnlyKeepsWhatMatches(t *testing.T) {
	w := newWorld(t)
	filter := func(text string) []sweeps.Filter {
		f, err := sweeps.ParseOnly(text)
		if err != nil {
			t.Fatal(err)
		}
		return []sweeps.Filter{f}
	}
	w.options.Only = filter("model.rescale=4")
	if p := w.must(t, sweep); len(p.Runs) != 2 {
		t.Errorf("%d runs", len(p.Runs))
	}
	w.options.Only = filter("model.rescale=5")
	if _, err := w.make(t, sweep); err == nil || !strings.Contains(err.Error(), "none of the sweep's 4 runs matches") {
		t.Errorf("got %v", err)
	}
}

func TestThePlansJSONIsTheContract(t *testing.T) {
	w := newWorld(t)
	w.recipes["small"] = recipe
	text, err := json.Marshal(w.must(t, sweep, "model.backbone=['./model', 'recipe:small']"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Schema int
		Sweep  string
		Runs   []map[string]json.RawMessage
		Evals  []map[string]json.RawMessage `json:"evaluations"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if read.Schema != 1 || read.Sweep != "tiny" || len(read.Runs) != 8 {
		t.Fatalf("%s", text)
	}
	for _, key := range []string{"id", "label", "state", "why", "seconds_predicted", "config"} {
		if _, ok := read.Runs[0][key]; !ok {
			t.Errorf("runs lack %q", key)
		}
	}
	for _, key := range []string{"id", "run", "dataset", "split", "state", "why"} {
		if _, ok := read.Evals[0][key]; !ok {
			t.Errorf("evaluations lack %q", key)
		}
	}
	var config struct{ Model struct{ Rescale float64 } }
	if err := json.Unmarshal(read.Runs[0]["config"], &config); err != nil || config.Model.Rescale != 1 {
		t.Errorf("config: %+v, %v", config, err)
	}
}

func TestACancelledPlanEnds(t *testing.T) {
	w := newWorld(t)
	spec, err := sweeps.Parse("x", []byte(sweep))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := w.options
	o.Spec = spec
	if _, err := plan.Make(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTheRealSweepsPlanOnRealData(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real data here")
	}
	cache, workspace := t.TempDir(), filepath.Join(t.TempDir(), "ws")
	for name, want := range map[string]struct {
		runs  int
		state plan.State
	}{"scifact-small": {8, plan.New}, "medquad-small": {8, plan.Unresolved}, "medquad-k": {30, plan.Unresolved}, "rescale-mini": {27, plan.Unresolved}, "rescale": {54, plan.Unresolved}} {
		file, text, err := experiments.Sweep(name)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := sweeps.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Make(context.Background(), plan.Options{
			Spec: spec, Workspace: workspace, Recipe: plan.Recipes(file, experiments.Recipe),
			Resolver: &source.Resolver{DataRoot: root, CacheDir: cache, HubCache: filepath.Join(cache, "hub")},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Runs) != want.runs || p.Count(want.state) != want.runs {
			t.Errorf("%s: %d runs, %d of them %s: %s", name, len(p.Runs), p.Count(want.state), want.state, p.Runs[0].Why)
		}
	}
}
