package rejudge_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"headroom/internal/spacetest"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/rejudge"
	"headroom/sweeps"
)

const steps = 40

func facts() event.Facts {
	return event.Facts{Batch: 32, Candidates: 32, Vocab: 100, RampEnd: 10, Loss: "infonce"}
}

// log writes what a worker writes of a run whose queries are empty in the given share at
// the steps from first to last, and returns it as stored. edit changes a step's values.
func log(t *testing.T, name string, share float64, first, last int, th stability.Thresholds, edit func(step int, values map[string]event.Value)) rejudge.Run {
	t.Helper()
	l, folder, write := spacetest.NewLog(t)
	write(event.Started{Run: name, Attempt: 1, Steps: steps, Facts: facts()})
	m := stability.NewMonitor(facts(), steps, th)
	run := rejudge.Run{ID: name, Label: name, Folder: folder, Thresholds: th}
	for s := range steps {
		values := map[string]event.Value{
			"loss": 1, "loss/contrastive": event.Value(3 * math.Exp(-float64(s)/8)), "grad_norm": 1, "accuracy": .9, "score/sd": 3,
			"cosine/query": .2, "cosine/document": .2, "empty/query": 0, "empty/document": 0, "active/query": 9, "active/document": 9,
		}
		if s >= first && s <= last {
			values["empty/query"] = event.Value(share)
		}
		if edit != nil {
			edit(s, values)
		}
		plain := map[string]float64{}
		for series, v := range values {
			plain[series] = float64(v)
		}
		write(event.Step{Step: s, Values: values})
		m.Observe(s, plain)
	}
	result := m.Result()
	run.Verdict, run.Chain, run.Episodes = result.Verdict, result.Chain, result.Episodes
	write(event.Judged{Verdict: result.Verdict, Chain: result.Chain, Detectors: stability.Versions()})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return run
}

func settings(t *testing.T, args ...string) sweeps.Settings {
	t.Helper()
	s, err := sweeps.ParseSettings(args)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// small is a sweep of four runs: a sound one, one with a third of its vectors empty at the end, one with all vectors
// empty for some steps, and one that a NaN ended.
func small(t *testing.T) []rejudge.Run {
	own := stability.Defaults()
	own.Empty.Share = .5
	return []rejudge.Run{
		log(t, "whole", 0, 0, 0, stability.Defaults(), nil),
		log(t, "third", .3, 30, steps-1, stability.Defaults(), nil),
		log(t, "tolerant", .3, 30, steps-1, own, nil),
		log(t, "passed", 1, 12, 22, stability.Defaults(), nil),
		log(t, "nan", 0, 0, 0, stability.Defaults(), func(s int, v map[string]event.Value) {
			if s > 35 {
				v["grad_norm"] = event.Value(math.NaN())
			}
		}),
	}
}

func TestOwnThresholdsGiveTheStoredVerdicts(t *testing.T) {
	runs := small(t)
	want := []string{"healthy", "empty", "healthy", "healthy", "non_finite"}
	judgements, rows, err := rejudge.Judge(runs, nil, false)
	if err != nil || len(rows) != 0 {
		t.Fatal(err, rows)
	}
	for i, j := range judgements {
		if j.Stored != want[i] || j.Judged != want[i] || j.Flipped || j.Why != "" || len(j.Notes) != 0 {
			t.Errorf("%+v, want %s", j, want[i])
		}
		if fmt.Sprintf("%+v", j.Episodes) != fmt.Sprintf("%+v", append([]event.Episode{}, runs[i].Episodes...)) {
			t.Errorf("%s: episodes %+v, stored %+v", j.ID, j.Episodes, runs[i].Episodes)
		}
	}
}

func TestSettingsFlipWhatTheyShould(t *testing.T) {
	for _, c := range []struct {
		set  []string
		want string // judged, run by run
		why  string // of the first that flips
	}{
		{[]string{"stability.empty.share=0.4"}, "healthy healthy healthy healthy non_finite",
			"empty no longer opens: it stood from step 30 (empty/query: share of queries without an active term above 0.1 for 3 steps; 0.3 at step 32)"},
		{[]string{"stability.empty.share=0.2"}, "healthy empty empty healthy non_finite",
			"empty from step 30: empty/query: share of queries without an active term above 0.2 for 3 steps; 0.3 at step 32"},
		{[]string{"stability.stalled.infonce=0.001", "stability.stalled.falling=1"}, "stalled empty stalled stalled non_finite", "stalled from step 20: loss/contrastive"},
		// No stretch is so long, not even in a run of 40 steps, where it is 26.
		{[]string{"stability.empty.steps=100"}, "healthy healthy healthy healthy non_finite", "empty no longer opens"},
	} {
		judgements, _, err := rejudge.Judge(small(t), settings(t, c.set...), false)
		if err != nil {
			t.Fatal(err)
		}
		var got, why []string
		for _, j := range judgements {
			got = append(got, j.Judged)
			if j.Flipped != (j.Stored != j.Judged) || j.Flipped == (j.Why == "") {
				t.Errorf("%v: %+v", c.set, j)
			}
			if j.Flipped {
				why = append(why, j.Why)
			}
		}
		if strings.Join(got, " ") != c.want || len(why) == 0 || !strings.Contains(why[0], c.why) {
			t.Errorf("%v: %v because of %q", c.set, got, why)
		}
	}
}

func TestSensitivityIsEachThresholdAlone(t *testing.T) {
	runs := small(t)
	_, rows, err := rejudge.Judge(runs, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]rejudge.Row{}
	for _, r := range rows {
		found[fmt.Sprintf("%s=%v", r.Key, r.Value)] = r
		judgements, _, err := rejudge.Judge(runs, settings(t, fmt.Sprintf("%s=%v", r.Key, r.Value)), false)
		if err != nil {
			t.Fatal(err)
		}
		verdicts, flipped := map[string]int{}, []string{}
		for _, j := range judgements {
			verdicts[j.Judged]++
			if j.Flipped {
				flipped = append(flipped, j.ID)
			}
		}
		if !reflect.DeepEqual(r.Verdicts, verdicts) || !reflect.DeepEqual(r.Flipped, flipped) {
			t.Errorf("%+v, want %v %v", r, verdicts, flipped)
		}
	}
	// Values around .1 and .5, the two that runs have.
	for _, value := range []string{"0.05", "0.08", "0.1", "0.125", "0.2", "0.25", "0.4", "0.5", "0.625", "1"} {
		if _, ok := found["stability.empty.share="+value]; !ok {
			t.Errorf("no row for empty.share = %s", value)
		}
	}
	if got := found["stability.empty.share=0.4"].Flipped; !reflect.DeepEqual(got, []string{"third"}) {
		t.Errorf("0.4 flips %v", got)
	}
	if got := found["stability.empty.share=0.1"].Flipped; !reflect.DeepEqual(got, []string{"tolerant"}) {
		t.Errorf("0.1 flips %v", got)
	}
}

func TestWhatALogLacksIsSaid(t *testing.T) {
	old := log(t, "old", .3, 30, steps-1, stability.Defaults(), func(_ int, v map[string]event.Value) { delete(v, "score/sd"); delete(v, "empty/query") })
	l, err := event.Create(old.Folder) // a later attempt, by a program that wrote no versions
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []event.Event{event.Started{Run: "old", Attempt: 2, FromStep: 20, Steps: steps, Facts: facts()},
		event.Step{Step: 20, Values: map[string]event.Value{"loss": 1}}, event.Judged{Verdict: "healthy"}} {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	judgements, _, err := rejudge.Judge([]rejudge.Run{old}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"empty is judged without empty/query, which the log does not have",
		"identical is judged without score/sd, which the log does not have",
		"it ended after step 21 of 40: of what would have followed nothing is known",
		"it was judged by other detectors: identical was version 1 and is 2, no_progress is new, dense is gone, scale_shock is gone",
	}
	if got := judgements[0].Notes; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

// Short runs are often stalled and fine: the verdict stalled gets a note about that, and no other verdict does.
func TestAStalledShortRunIsWeaklyJudged(t *testing.T) {
	at := func(loss float64) func(int, map[string]event.Value) {
		return func(_ int, values map[string]event.Value) { values["loss/contrastive"] = event.Value(loss) }
	}
	judgements, _, err := rejudge.Judge([]rejudge.Run{
		log(t, "near", 0, 1, 0, stability.Defaults(), at(3)), log(t, "far", 0, 1, 0, stability.Defaults(), at(1)), log(t, "empty", 1, 5, steps-1, stability.Defaults(), nil),
	}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{{"stalled says little after 40 steps: in fewer than 60 a model that learns may still be near chance level"}, nil, nil} {
		if got := judgements[i]; !reflect.DeepEqual(got.Notes, want) {
			t.Errorf("%s is %s, with the notes %q; want %q", got.Label, got.Judged, got.Notes, want)
		}
	}
}

func TestThresholdsTheWrongWayRoundAreRefused(t *testing.T) {
	_, _, err := rejudge.Judge(small(t), settings(t, "stability.no_progress.low=2"), false)
	if err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), "stability.no_progress.low = 2.0: is not below stability.no_progress.high = 1.05") {
		t.Errorf("%v", err)
	}
	if _, _, err := rejudge.Judge(small(t), settings(t, "stability.no_progress.low=2", "stability.no_progress.high=3"), false); err != nil {
		t.Error(err)
	}
}
