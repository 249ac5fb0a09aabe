package worker_test

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/evidence"
	"headroom/sweeps"
)

// A run that looks at its probe set ends with the weights of one that does not, bit for
// bit, dropout included; the series are there at the steps that the schedule names.
func TestAProbeSetChangesNoTrainedBit(t *testing.T) {
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			weights := map[int]string{}
			b := newBench(t, architecture)
			rate := .1
			for _, texts := range []int{0, 64, 16} {
				id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
					c.Stability.Probe, c.Model.Dropout, c.Train.Steps = &texts, &rate, 12
					if texts == 64 {
						c.Stability.Probe = nil
					}
				}))
				if err := b.run(t, id, io.Discard); err != nil {
					t.Fatal(err)
				}
				records := b.events(t, id, 1)
				weights[texts] = last[event.Ended](t, records).Weights
				if weights[texts] == "" || weights[texts] != weights[0] {
					t.Errorf("with %d texts the weights are %s, without %s", texts, weights[texts], weights[0])
				}
				chosen := texts
				if texts == 64 {
					chosen = evidence.Queries(12, 2*b.config(nil).Train.Batch)
				}
				b.checkProbes(t, records, chosen)
				if err := os.RemoveAll(b.files.Run(id)); err != nil { // the next one has the same id
					t.Fatal(err)
				}
			}
		})
	}
}

func (b bench) checkProbes(t *testing.T, records []event.Record, texts int) {
	t.Helper()
	var series, events []int
	for _, r := range records {
		switch e := r.Event.(type) {
		case event.Step:
			if accuracy, ok := e.Values["probe/accuracy"]; ok {
				series = append(series, e.Step)
				if accuracy < 0 || accuracy > 1 || e.Values["probe/active_p50/document"] <= 0 || e.Values["probe/seconds"] <= 0 {
					t.Errorf("step %d: %v", e.Step, e.Values)
				}
			}
			if e.Values["grad_norm/encoder"] <= 0 || e.Step > 0 && e.Values["update_ratio/head"] <= 0 {
				t.Errorf("step %d has no gradient norm or update of a group: %v", e.Step, e.Values)
			}
		case event.Probed:
			events = append(events, e.Step)
			if e.Texts != texts || len(e.Query) != 5 || e.Document[0].Token == "" || e.Document[0].Share < e.Document[4].Share || e.Document[0].Share > 1 {
				t.Errorf("probed %+v", e)
			}
		}
	}
	want := evidence.Steps(12, 2*b.config(nil).Train.Batch, 2*texts)
	if !slices.Equal(series, want) || !slices.Equal(events, want) {
		t.Errorf("%d texts: probes at %v, their terms at %v, want %v", texts, series, events, want)
	}
}

func TestAProbeSetLargerThanTheDataIsRefused(t *testing.T) {
	b := newBench(t, "bert")
	texts := 1000
	id := b.prepare(t, b.config(func(c *sweeps.RunConfig) { c.Stability.Probe = &texts }))
	err := b.run(t, id, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "stability.probe = 1000") || !strings.Contains(err.Error(), "allowed is 0 to ") {
		t.Errorf("the error is %v", err)
	}
}
