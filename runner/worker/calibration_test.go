package worker_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"headroom/data/synthetic"
	"headroom/metrics/event"
	"headroom/reports/calibration"
	"headroom/reports/rejudge"
	"headroom/sweeps"
)

// TestShortCalibration is the calibration's short form: 48 real, small runs of four untrained
// backbones, fine ones and failures, of which no rule was made. It writes what
// judge --calibration writes into the folder that HEADROOM_CALIBRATION names (make calibration-short).
func TestShortCalibration(t *testing.T) {
	folder := os.Getenv("HEADROOM_CALIBRATION")
	if folder == "" {
		t.Skip("HEADROOM_CALIBRATION is not set: make calibration-short runs this test, which takes minutes")
	}
	var runs []calibration.Run
	for _, backbone := range []struct {
		name, architecture string
		hidden             int
	}{{"bert-32", "bert", 32}, {"bert-48", "bert", 48}, {"modernbert-32", "modernbert", 32}, {"modernbert-48", "modernbert", 48}} {
		b := newBenchIn(t, synthetic.Size{Documents: 150, Train: 300, Dev: 60, Test: 10, NoOverlap: 2}, backbone.architecture, 0, false, backbone.hidden, 1)
		for _, k := range []float64{1. / 16, 2, 8} {
			for _, lambda := range []float64{1e-3, 1} {
				for _, lr := range []float64{3e-3, 1e-2} {
					ramp := 25
					id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
						c.Model.Rescale.K, c.Train.LR, c.Train.Steps, c.Train.Batch = k, lr, 100, 16
						c.Regularizer.LambdaQuery, c.Regularizer.LambdaDocument, c.Regularizer.RampSteps = lambda, lambda, &ramp
						c.Evaluate.Final, c.Evaluate.During, c.Evaluate.Every = nil, []string{b.data}, 100
					}))
					if err := b.run(t, id, io.Discard); err != nil {
						t.Fatal(err)
					}
					runs = append(runs, b.calibrated(t, id, fmt.Sprintf("%s-k%g-lambda%g-lr%g", backbone.name, k, lambda, lr), backbone.name))
				}
			}
		}
	}
	compared(t, runs)
	files, err := calibration.Make("of small runs (make calibration-short)", runs, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s", files[calibration.ReportFile])
}

// calibrated is a finished run as the calibration takes it.
func (b bench) calibrated(t *testing.T, id, label, backbone string) calibration.Run {
	t.Helper()
	cfg, in, err := b.files.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Model.Backbone, cfg.Data.Train = backbone, "a small built-in world" // not this test's folders
	run := calibration.Run{ID: id, Label: label, Folder: b.files.Run(id), Config: cfg, Inputs: in}
	for _, r := range b.events(t, id, 1) {
		switch e := r.Event.(type) {
		case event.Judged:
			run.Verdict = e.Verdict
		case event.Episode:
			i := 0
			for i < len(run.Episodes) && (run.Episodes[i].Detector != e.Detector || run.Episodes[i].Evidence.Series != e.Evidence.Series || run.Episodes[i].FirstStep != e.FirstStep) {
				i++
			}
			run.Episodes = append(run.Episodes[:i], append([]event.Episode{e}, run.Episodes[min(i+1, len(run.Episodes)):]...)...)
		}
	}
	return run
}

// compared fills in which runs are degraded beside their siblings.
func compared(t *testing.T, runs []calibration.Run) {
	t.Helper()
	var list []rejudge.Run
	for _, r := range runs {
		list = append(list, rejudge.Run{ID: r.ID, Label: r.Label, Folder: r.Folder, Thresholds: r.Config.Stability.Thresholds, Kin: r.Inputs.Weights, Episodes: r.Episodes, Verdict: r.Verdict})
	}
	judgements, _, err := rejudge.Judge(list, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range judgements {
		if j.Siblings != nil {
			runs[i].Degraded = &j.Siblings.Degraded
		}
	}
}
