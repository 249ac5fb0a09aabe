package plan_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/metrics/measure"
	"headroom/runner/plan"
	"headroom/sweeps"
)

func TestEvaluationsFollowTheirSummaries(t *testing.T) {
	w := newWorld(t)
	for _, run := range w.must(t, sweep).Runs {
		attempt(t, run.Folder, done("healthy", 1)...)
	}
	p := w.must(t, sweep)
	if p.Idle() {
		t.Fatal("evaluations are missing, and the plan is idle")
	}
	for _, e := range p.Evaluations {
		if e.State != plan.New || e.ID == "" {
			t.Errorf("%+v", e)
		}
		write(t, filepath.Join(e.Folder, "summary.json"), `{"schema":1,"measures":{"nDCG@10":0.5,"RR@10":0.5,"R@1000":1}}`)
	}
	if p = w.must(t, sweep); !p.Idle() || p.Seconds == nil || *p.Seconds != 0 {
		t.Errorf("all is there, and the plan is not idle: %+v", p.Evaluations)
	}
	// Another measure needs the ranking measured again, another collection an
	// evaluation, and neither a run.
	more := w.must(t, sweep, "evaluate.measures=['nDCG@10','AP']")
	if more.Count(plan.Done) != 4 || more.Evaluations[0].State != plan.New || more.Evaluations[0].Why != "its summary lacks AP" || more.Evaluations[0].ID != p.Evaluations[0].ID {
		t.Errorf("%+v", more.Evaluations[0])
	}
	// An older result beside it is not why.
	first := more.Evaluations[0]
	write(t, filepath.Join(filepath.Dir(first.Folder), "older", "summary.json"), fmt.Sprintf(`{"schema":1,"split":"test","measures":{"nDCG@10":0.5},"collection_digest":%q}`, first.Collection))
	if e := w.must(t, sweep, "evaluate.measures=['nDCG@10','AP']").Evaluations[0]; e.Why != "its summary lacks AP" {
		t.Errorf("why: %s", e.Why)
	}
	w.collection(t, "second", 4)
	if second := w.must(t, sweep, "evaluate.final=['./second']"); second.Count(plan.Done) != 4 || second.Evaluations[0].State != plan.New {
		t.Errorf("%+v", second.Evaluations[0])
	}
	write(t, filepath.Join(p.Evaluations[0].Folder, "summary.json"), "{")
	if e := w.must(t, sweep).Evaluations[0]; e.State != plan.Damaged {
		t.Errorf("an unreadable summary: %+v", e)
	}
}

func TestBaselinesAreToldApartByWhatChangesThem(t *testing.T) {
	w := newWorld(t)
	id := func(name string, overrides ...string) string {
		for _, e := range w.must(t, sweep, overrides...).Evaluations {
			if e.Name == name {
				return e.ID
			}
		}
		t.Fatalf("no %s with %q", name, overrides)
		return ""
	}
	if id(sweeps.BM25) != id(sweeps.BM25, "data.max_document=8", "train.steps=20") {
		t.Error("BM25 depends on a length or on training")
	}
	if id(sweeps.Untrained) == id(sweeps.Untrained, "data.max_document=8") {
		t.Error("the untrained model does not depend on its length")
	}
	if id(sweeps.Untrained) != id(sweeps.Untrained, "train.lr=1", "model.tie=keep", "model.rescale=8") {
		t.Error("the untrained model depends on training or k")
	}
	if p := w.must(t, sweep, "evaluate.baselines=[]"); len(p.Evaluations) != 4 {
		t.Errorf("%d evaluations without baselines", len(p.Evaluations))
	}
}

func TestSecondsComeFromWhatWasMeasured(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, sweep)
	if p.Seconds != nil || p.Runs[0].Seconds != nil {
		t.Error("something is predicted where nothing was measured")
	}
	for _, i := range []int{0, 2} {
		write(t, filepath.Join(p.Runs[i].Folder, "config.toml"), string(p.Runs[i].Config.TOML()))
	}
	attempt(t, p.Runs[0].Folder, done("healthy", 40)...)
	attempt(t, p.Runs[1].Folder, event.Started{}, event.Checkpoint{Step: 5}, event.Ended{State: event.StateInterrupted, Step: 5, Seconds: 20})
	// One that was killed took nobody knows how long.
	attempt(t, p.Runs[2].Folder, event.Started{})
	attempt(t, p.Runs[2].Folder, done("healthy", 1000)...)
	p = w.must(t, sweep)
	var got []float64
	for _, run := range p.Runs {
		got = append(got, *run.Seconds)
	}
	if fmt.Sprint(got) != "[0 20 0 40]" || *p.Seconds != 60 {
		t.Errorf("seconds %v, in all %v", got, *p.Seconds)
	}
	// A sweep of its own takes the rate of the workspace's runs; the killed one
	// does not count, and a run of twice the steps takes twice as long.
	write(t, filepath.Join(p.Runs[0].Folder, "config.toml"), string(p.Runs[0].Config.TOML()))
	other := w.must(t, sweep, "train.steps=20")
	if other.Runs[0].State != plan.New || other.Runs[0].Seconds == nil || *other.Runs[0].Seconds != 80 {
		t.Errorf("%+v", other.Runs[0].Seconds)
	}
}

func TestPlanningFinishedRunsIsQuick(t *testing.T) {
	w := newWorld(t)
	seeds := "seed=[1,2,3,4,5,6,7,8]"
	values := map[string]event.Value{}
	for i := range 20 {
		values[fmt.Sprintf("series/%d", i)] = event.Value(i)
	}
	for i, run := range w.must(t, sweep, seeds).Runs {
		steps := 150
		if i == 0 {
			steps = 20_000 // its end must be found without reading the rest
		}
		events := []event.Event{event.Started{}}
		for s := range steps {
			events = append(events, event.Step{Step: s, Values: values})
		}
		attempt(t, run.Folder, append(events, done("healthy", 3)...)...)
	}
	for _, e := range w.must(t, sweep, seeds).Evaluations {
		write(t, filepath.Join(e.Folder, "summary.json"), `{"schema":1,"measures":{"nDCG@10":0.5,"RR@10":0.5,"R@1000":1}}`)
	}
	begin := time.Now()
	p := w.must(t, sweep, seeds)
	took := time.Since(begin)
	if !p.Idle() || len(p.Runs) != 16 {
		t.Fatalf("%d runs, idle %t", len(p.Runs), p.Idle())
	}
	t.Logf("16 finished runs planned in %v", took)
}

func TestEveryMeasureOfTheSweepLanguageIsKnown(t *testing.T) {
	for _, name := range []string{"nDCG", "nDCG@10", "AP", "AP@100", "P@5", "R@1000", "RR", "RR@10", "Success@1"} {
		if _, err := sweeps.Parse("x", []byte(sweep), fmt.Sprintf("evaluate.measures=[%q]", name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m, err := measure.Parse(name); err != nil || m.String() != name {
			t.Errorf("%s is %s there (%v)", name, m, err)
		}
	}
}
