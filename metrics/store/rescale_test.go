package store_test

import (
	"testing"

	"headroom/metrics/event"
)

// attemptThatCameTo begins a run whose automatic rescale is that k.
func (w *space) attemptThatCameTo(run string, k float64) {
	w.T.Helper()
	l, err := event.Create(w.Root+"/runs/"+id(run), event.WithClock(w.clock))
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { l.Close() })
	w.Add(l, event.Started{Run: id(run), Attempt: l.Attempt(), Steps: 10, Facts: event.Facts{Batch: 4, Candidates: 4, Rescale: k}})
}

func TestAnAutomaticRescaleIsShownAsTheFactorItCameTo(t *testing.T) {
	w := newSpace(t)
	w.sweep("demo", "0001", member("a", "auto-score"), member("b", "auto-norm"))
	w.attemptThatCameTo("a", 8)
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT label, rescale FROM runs ORDER BY label", "bert-a|8", "bert-b|auto-norm")
	runs, err := s.Runs(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if runs[0].Rescale != 8 || runs[0].RescaleAuto != "auto-score" || runs[1].Rescale == runs[1].Rescale {
		t.Errorf("got %v %q and %v", runs[0].Rescale, runs[0].RescaleAuto, runs[1].Rescale)
	}
}
