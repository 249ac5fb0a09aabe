package worker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/rejudge"
	"headroom/runner/checkpoint"
	"headroom/sweeps"
)

// recovering starts with vectors that are nearly the same for every text, as an
// untrained decoder gives them, and learns to tell them apart.
func recovering(c *sweeps.RunConfig) {
	one := 1
	c.Model.Rescale.K, c.Train.Steps, c.Train.LR, c.Regularizer.RampSteps = 4, 160, 5e-3, &one
}

// Each kind of collapse comes out of a real, small run; none is staged in the series.
func TestEachVerdictIsReachedByARealRun(t *testing.T) {
	one, zero := 1, 0
	for _, c := range []struct {
		name    string
		verdict string
		edit    func(*sweeps.RunConfig)
	}{
		{"an inflated head", stability.Identical, func(c *sweeps.RunConfig) { c.Model.Rescale.K = 1. / 16; c.Train.LR = 1e-2 }},
		{"a regularizer that crushes all weights", stability.Empty, func(c *sweeps.RunConfig) {
			c.Model.Rescale.K, c.Train.LR = 4, 3e-2
			c.Regularizer.LambdaQuery, c.Regularizer.LambdaDocument, c.Regularizer.RampSteps = 100, 100, &one
		}},
		{"a learning rate beyond float32", stability.NonFinite, func(c *sweeps.RunConfig) {
			c.Train.LR, c.Train.Clip, c.Train.WarmupSteps = 1e30, 0, &zero
		}},
		{"queries whose documents have nothing to do with them", stability.Stalled, func(c *sweeps.RunConfig) { c.Train.LR, c.Train.Steps = 0, stability.FirmFrom }},
		{"a divided head", stability.Healthy, recovering},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "bert")
			if c.verdict == stability.Stalled {
				b = newBenchOf(t, "bert", -2, true) // sparse, different vectors that mean nothing
			}
			id := b.prepare(t, b.config(c.edit))
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatalf("a collapsed run is a result, not an error: %v", err)
			}
			records := b.events(t, id, 1)
			if got := last[event.Judged](t, records); got.Verdict != c.verdict {
				t.Errorf("verdict %q (chain %v), want %q", got.Verdict, got.Chain, c.verdict)
			}
			b.judgedAgain(t, id)
			ended := last[event.Ended](t, records)
			if ended.State != event.StateDone || ended.Weights == "" {
				t.Errorf("ended as %+v", ended)
			}
			if e := last[event.Evaluated](t, records); c.verdict == stability.NonFinite && e.Measures["nDCG@10"] != 0 {
				t.Errorf("a model of NaN retrieves with nDCG@10 %v", e.Measures["nDCG@10"])
			}
			_, err := os.Stat(filepath.Join(b.files.Run(id), "model", "config.json"))
			if exported := err == nil; exported == (c.verdict == stability.NonFinite) {
				t.Errorf("model exported: %v", exported)
			}
		})
	}
}

// judgedAgain holds the verdict and the episodes of a run's log to those that its stored
// series give.
func (b bench) judgedAgain(t *testing.T, id string) {
	t.Helper()
	cfg, _, err := b.files.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	records := b.events(t, id, 1)
	judged := last[event.Judged](t, records)
	again, _, err := rejudge.Judge([]rejudge.Run{{
		ID: id, Folder: b.files.Run(id), Thresholds: cfg.Stability.Thresholds, Verdict: judged.Verdict, Chain: judged.Chain,
	}}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]event.Episode{}
	name := func(e event.Episode) string { return fmt.Sprint(e.Detector, e.Evidence.Series, e.FirstStep) }
	for _, r := range records {
		if e, ok := r.Event.(event.Episode); ok {
			stored[name(e)] = e
		}
	}
	if j := again[0]; j.Flipped || len(j.Notes) > 0 || len(j.Episodes) != len(stored) {
		t.Errorf("judged again: %+v; stored %s, %d episodes", j, judged.Verdict, len(stored))
	}
	for _, e := range again[0].Episodes {
		if was := stored[name(e)]; was.LastStep != e.LastStep || was.Stands != e.Stands || was.Evidence.Rule != e.Evidence.Rule {
			t.Errorf("judged again: %+v, was %+v", e, was)
		}
	}
	var thresholds stability.Thresholds
	if err := json.Unmarshal(judged.Thresholds, &thresholds); err != nil || !reflect.DeepEqual(thresholds, cfg.Stability.Thresholds) {
		t.Errorf("the verdict has the thresholds %s (%v)", judged.Thresholds, err)
	}
	if !reflect.DeepEqual(judged.Detectors, stability.Versions()) {
		t.Errorf("the verdict has the detectors %v", judged.Detectors)
	}
}

// judgedBefore holds a run that was stopped to what its evidence gives, and to saying that
// nothing is known of what would have followed.
func (b bench) judgedBefore(t *testing.T, id string) {
	t.Helper()
	cfg, _, err := b.files.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	stored := last[event.Judged](t, b.events(t, id, 1)).Verdict
	again, _, err := rejudge.Judge([]rejudge.Run{{ID: id, Folder: b.files.Run(id), Thresholds: cfg.Stability.Thresholds, Verdict: stored}}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if j := again[0]; j.Flipped || len(j.Notes) != 1 || !strings.HasPrefix(j.Notes[0], "it ended after step ") {
		t.Errorf("judged again: %+v", j)
	}
}

func TestARunThatRecoversIsNotAccusedAtItsEnd(t *testing.T) {
	b := newBench(t, "bert")
	id := b.prepare(t, b.config(recovering))
	var said bytes.Buffer
	if err := b.run(t, id, &said); err != nil {
		t.Fatal(err)
	}
	if text := said.String(); !strings.Contains(text, `"verdict":"healthy","recovered":"`) {
		t.Errorf("its answer has no mark: %s", text[max(0, len(text)-300):])
	}
	if card, err := os.ReadFile(filepath.Join(b.files.Run(id), "model", "README.md")); err != nil || !strings.Contains(string(card), "verdict: healthy (recovered from ") {
		t.Errorf("its model's card has no mark: %v\n%s", err, card)
	}
	records := b.events(t, id, 1)
	var passed []string
	for _, r := range records {
		if e, ok := r.Event.(event.Episode); ok && e.Severity == event.SeverityCollapse && !e.Stands {
			passed = append(passed, e.Verdict)
		}
	}
	judged := last[event.Judged](t, records)
	if judged.Verdict != stability.Healthy {
		t.Errorf("verdict %q", judged.Verdict)
	}
	if !slices.Contains(passed, stability.Identical) && !slices.Contains(passed, stability.Stalled) {
		t.Errorf("no episode passed (%v): the run never was in trouble, and the test shows nothing", passed)
	}
}

func TestStopEndsACollapsingRunEarly(t *testing.T) {
	b := newBench(t, "modernbert")
	id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
		zero := 0
		c.Train.LR, c.Train.Clip, c.Train.WarmupSteps = 1e30, 0, &zero
		c.Stability.Stop = true
	}))
	if err := b.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	records := b.events(t, id, 1)
	if ended := last[event.Ended](t, records); ended.State != event.StateDone || ended.Step >= 40 {
		t.Errorf("ended as %+v", ended)
	}
	if judged := last[event.Judged](t, records); judged.Verdict != stability.NonFinite {
		t.Errorf("verdict %q", judged.Verdict)
	}
	b.judgedBefore(t, id)
	ended := last[event.Ended](t, records).Step
	notice := last[event.Notice](t, records).Message
	for _, want := range []string{fmt.Sprintf("stopped by stability.stop after step %d of 40: non_finite from step ", ended),
		"any series is NaN or infinite", fmt.Sprintf("%d steps were not trained, which saved about ", 40-ended)} {
		if !slices.ContainsFunc(records, func(r event.Record) bool {
			n, ok := r.Event.(event.Notice)
			return ok && strings.Contains(n.Message, want)
		}) {
			t.Errorf("no notice says %q; the last one: %s", want, notice)
		}
	}
	steps, err := checkpoint.Steps(filepath.Join(b.files.Run(id), "checkpoints"))
	if err != nil || !slices.Equal(steps, []int{ended}) {
		t.Errorf("checkpoints of steps %v (%v), want %d", steps, err, ended)
	}
}
