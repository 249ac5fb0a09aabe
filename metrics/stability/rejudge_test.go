package stability_test

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

func logOf(n int) float64 { return math.Log(float64(n)) }

// Judging one detector again and keeping the other episodes gives the same as judging all again.
func TestOneDetectorAgainIsAllAgain(t *testing.T) {
	th := stability.Defaults()
	th.NonFinite.Recovery = 2
	th.Empty.Share, th.Empty.Steps = .6, 2
	th.Identical.Cosine, th.Identical.Steps = .8, 9
	th.Stalled.InfoNCE, th.Stalled.Window = .3, 7
	th.Spike.Ratio = 1.1
	th.NoProgress.Start, th.NoProgress.Accuracy = .1, .3
	differs := 0
	for _, c := range scenarios() {
		run := c.curves.run(steps, .05, 3)
		result := stability.Judge(run, stability.Defaults())
		for _, kind := range append(stability.Collapses(), stability.Spike, stability.NoProgress) {
			result = result.WithThresholds(kind, run, th)
		}
		want := stability.Judge(run, th)
		if result.Verdict != want.Verdict || !slices.Equal(result.Chain, want.Chain) || !reflect.DeepEqual(lines(result), lines(want)) {
			t.Errorf("%s: %s %v, want %s %v", c.name, result.Verdict, lines(result), want.Verdict, lines(want))
		}
		if want.Verdict != c.verdict {
			differs++
		}
	}
	if differs == 0 {
		t.Error("the thresholds flip nothing: the test shows nothing")
	}
}

// What a log says of the steps is judged as what was observed.
func TestALogIsJudgedAsTheRunWas(t *testing.T) {
	for _, c := range scenarios() {
		run := c.curves.run(steps, .1, 2)
		m := stability.NewMonitor(run.Facts, run.Steps, stability.Defaults())
		var history []event.Step
		for s := range steps {
			values := at(run, s)
			m.Observe(s, values)
			logged := map[string]event.Value{}
			for name, v := range values {
				logged[name] = event.Value(v)
			}
			history = append(history, event.Step{Step: s, Values: logged})
		}
		got := stability.Judge(stability.RunOf(run.Facts, run.Steps, history), stability.Defaults())
		if want := m.Result(); got.Verdict != want.Verdict || !slices.Equal(lines(got), lines(want)) {
			t.Errorf("%s: %s %v, was %s %v", c.name, got.Verdict, lines(got), want.Verdict, lines(want))
		}
	}
}

func TestSeriesThatALogLacksAreNamed(t *testing.T) {
	run := healthy(7).run(steps, 0, 1)
	if got := run.MissingSeries(stability.Defaults()); len(got) != 0 {
		t.Errorf("a whole run lacks %v", got)
	}
	delete(run.Series, stability.SeriesScoreSD)
	delete(run.Series, stability.SeriesAccuracy)
	want := map[string][]string{
		stability.Identical: {stability.SeriesScoreSD}, stability.Stalled: {stability.SeriesAccuracy}, stability.NoProgress: {stability.SeriesAccuracy},
	}
	if got := run.MissingSeries(stability.Defaults()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRecoveredSaysFromWhatAndWhen(t *testing.T) {
	collapse := event.Episode{Verdict: "empty", Severity: event.SeverityCollapse, FirstStep: 110, LastStep: 115}
	warning := event.Episode{Verdict: "spike", Severity: event.SeverityWarning, FirstStep: 3, LastStep: 4}
	stands := event.Episode{Verdict: "stalled", Severity: event.SeverityCollapse, FirstStep: 120, LastStep: 149, Stands: true}
	for _, c := range []struct {
		verdict  string
		episodes []event.Episode
		want     string
	}{
		{"healthy", []event.Episode{warning, collapse}, "empty at 110–115"},
		{"healthy", []event.Episode{warning}, ""},
		{"healthy", []event.Episode{
			{Verdict: "identical", Severity: event.SeverityCollapse, FirstStep: 15, LastStep: 103}, collapse,
			{Verdict: "identical", Severity: event.SeverityCollapse, FirstStep: 23, LastStep: 106},
			{Verdict: "identical", Severity: event.SeverityCollapse, FirstStep: 120, LastStep: 125},
		}, "identical at 15–125, empty at 110–115"},
		{"stalled", []event.Episode{collapse, stands}, ""},
		{"", []event.Episode{collapse}, ""},
	} {
		if got := stability.Recovered(c.verdict, c.episodes); got != c.want {
			t.Errorf("%s: got %q, want %q", c.verdict, got, c.want)
		}
	}
	if got := stability.MarkedVerdict("healthy", "empty at 110–115"); got != "healthy (recovered from empty at 110–115)" || stability.MarkedVerdict("stalled", "") != "stalled" {
		t.Error(got)
	}
}

func TestEveryDetectorHasAVersion(t *testing.T) {
	got := slices.Sorted(maps.Keys(stability.Versions()))
	want := append(stability.Collapses(), stability.Spike, stability.NoProgress)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
