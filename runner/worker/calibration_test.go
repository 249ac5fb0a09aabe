package worker_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headroom/data/synthetic"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/calibration"
	"headroom/reports/rejudge"
	"headroom/sweeps"
)

// TestShortCalibration is the calibration's short form: 24 real, small runs of two untrained
// backbones, fine ones and failures, of which no rule was made. It writes what
// judge --calibration writes into the folder that HEADROOM_CALIBRATION names (make calibration-short),
// and fails where a verdict misses a lost run.
func TestShortCalibration(t *testing.T) {
	folder := os.Getenv("HEADROOM_CALIBRATION")
	if folder == "" {
		t.Skip("HEADROOM_CALIBRATION is not set: make calibration-short runs this test, which takes a minute or two")
	}
	var runs []calibration.Run
	for _, architecture := range []string{"bert", "modernbert"} {
		b := newBenchIn(t, synthetic.Size{Documents: 150, Train: 300, Dev: 60, Test: 10, NoOverlap: 2}, architecture, 0, false, 32, 1)
		for _, k := range []float64{1. / 16, 8, 16} {
			for _, lambda := range []float64{1e-3, 1} {
				for _, lr := range []float64{5e-3, 1e-2} {
					ramp := 25
					id := b.prepare(t, b.config(func(c *sweeps.RunConfig) {
						c.Model.Rescale.K, c.Train.LR, c.Train.Steps, c.Train.Batch = k, lr, 100, 16
						c.Regularizer.LambdaQuery, c.Regularizer.LambdaDocument, c.Regularizer.RampSteps = lambda, lambda, &ramp
						c.Evaluate.Final, c.Evaluate.During, c.Evaluate.Every = nil, []string{b.data}, 100
					}))
					if err := b.run(t, id, io.Discard); err != nil {
						t.Fatal(err)
					}
					runs = append(runs, b.calibrated(t, id, fmt.Sprintf("%s-32-k%g-lambda%g-lr%g", architecture, k, lambda, lr), architecture))
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
	seen := map[string]int{} // runs by truth, and by truth and verdict
	rows, err := csv.NewReader(bytes.NewReader(files[calibration.RunsFile])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	truth, verdict := slices.Index(rows[0], "truth"), slices.Index(rows[0], "verdict")
	for _, row := range rows[1:] {
		seen[row[truth]]++
		seen[row[truth]+" "+row[verdict]]++
	}
	if seen[calibration.Fine] < 4 || seen[calibration.Lost] < 4 {
		t.Errorf("%d runs are fine and %d lost: want four of each at least, or nothing is measured", seen[calibration.Fine], seen[calibration.Lost])
	}
	if missed := seen[calibration.Lost+" "+stability.Healthy]; missed > 0 {
		t.Errorf("%d of %d lost runs are healthy by their verdict", missed, seen[calibration.Lost])
	}
}

// calibrated is a finished run as the calibration takes it.
func (b bench) calibrated(t *testing.T, id, label, family string) calibration.Run {
	t.Helper()
	cfg, in, err := b.files.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Model.Backbone, cfg.Data.Train, cfg.Evaluate.During = family+"-32", "a small built-in world", []string{"its dev queries"} // not this test's folders
	run := calibration.Run{ID: id, Label: label, Folder: b.files.Run(id), Config: cfg, Inputs: in, Family: family}
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
