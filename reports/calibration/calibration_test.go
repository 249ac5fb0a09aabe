package calibration_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/internal/spacetest"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/calibration"
	"headroom/sweeps"
)

var update = flag.Bool("update", false, "write the golden file again")

const steps = 60

// made writes the log of a run with this figure on dev data, whose documents are empty from
// a step on (0: never).
func made(t *testing.T, backbone string, n int, score, lambda float64, empty int) calibration.Run {
	t.Helper()
	l, folder, write := spacetest.NewLog(t)
	facts := event.Facts{Batch: 32, Candidates: 32, Vocab: 100, RampEnd: 20, Loss: "infonce"}
	write(event.HeadNorms{Step: -1, Mean: 8})
	write(event.HeadNorms{Step: 0, Mean: event.Value(n)})
	write(event.Started{Run: "r", Attempt: 1, Steps: steps, Facts: facts})
	m := stability.NewMonitor(facts, steps, stability.Defaults())
	for s := range steps {
		v := map[string]event.Value{"loss": 1, "loss/contrastive": event.Value(2 * math.Log(32) * math.Exp(-float64(s)/8)), "grad_norm": 1, "accuracy": .8,
			"flops/query": 1, "flops/document": 2, "score/sd": 3, "cosine/query": .2, "cosine/document": .2, "empty/query": 0, "empty/document": 0}
		if empty > 0 && s >= empty {
			v["empty/document"] = 1
		}
		write(event.Step{Step: s, Values: v})
		plain := map[string]float64{}
		for name, x := range v {
			plain[name] = float64(x)
		}
		m.Observe(s, plain)
	}
	if score >= 0 {
		write(event.Measured{Step: steps / 2, Measure: "nDCG@10", Value: .9})
		write(event.Measured{Step: steps, Measure: "nDCG@10", Value: event.Value(score), Collections: []event.DevScore{{Dataset: "here", Documents: 150}}})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := m.Result()
	c := sweeps.Defaults()
	c.Evaluate.During = []string{"there"}
	c.Model.Backbone, c.Data.Train, c.Train.LR, c.Train.Batch = backbone, "here", 1e-3, 32
	c.Regularizer.LambdaQuery, c.Regularizer.LambdaDocument = lambda, lambda
	label := fmt.Sprintf("%s-%d", backbone, n)
	return calibration.Run{ID: label, Label: label, Folder: folder, Verdict: r.Verdict, Episodes: r.Episodes, Config: c, Inputs: sweeps.Inputs{Weights: backbone, Data: "d"},
		Family: map[string]string{"one": "bert", "two": "modernbert"}[backbone]}
}

// ofEach returns runs of two backbones: four fine runs, one of them accused; one failed run, not accused; one lost
// run, accused.
func ofEach(t *testing.T) (runs []calibration.Run) {
	for _, backbone := range []string{"one", "two"} {
		runs = append(runs, made(t, backbone, 1, .5, .01, 0), made(t, backbone, 2, .52, .02, 0), made(t, backbone, 3, .48, .01, 0),
			made(t, backbone, 4, .5, .02, 40), made(t, backbone, 5, .2, .1, 0), made(t, backbone, 6, .01, 1, 30))
	}
	degraded, not := true, false
	runs[4].Degraded, runs[10].Degraded, runs[0].Degraded, runs[5].Degraded = &degraded, &degraded, &not, &not
	return append(runs, made(t, "one", 7, -1, .01, 0), made(t, "three", 1, .5, .01, 0))
}

func TestACalibration(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	runs := ofEach(t)
	files, err := calibration.Make("a sweep", runs, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	text := string(files[calibration.ReportFile])
	for what, want := range map[string]string{
		"the counts":            "14 finished runs (backbones: 3): 8 fine, 2 failed (below 50 % of the reference), 2 lost (below 10 %), 2 of which nothing is known",
		"the date":              "Truth was fixed on 2026-03-04",
		"false alarms, by hand": "2 of 8: 25.0 % (3.2 to 65.1)",
		"the bound":             "≤ 60.0 %",
		"misses of failed runs": "2 of 4: 50.0 % (6.8 to 93.2)",
		"of those compared":     "1 of 3: 33.3 % (0.8 to 90.6)",
		"no miss of two":        "0 of 2: 0.0 % (0.0 to 84.2)",
		"the larger λ ranks":    "| λ alone                         | 1.000                | 1.000",
		"onset and verdict":     "onset, share of the steps",
		"its family":            "| family modernbert | 1 of 4: 25.0 %",
		"its world":             "| world there       | 2 of 8: 25.0 %",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: the report lacks %q", what, want)
		}
	}
	golden := filepath.Join("testdata", "calibration.md")
	if *update {
		if err := os.WriteFile(golden, files[calibration.ReportFile], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(want, files[calibration.ReportFile]) {
		t.Errorf("%s differs (%v; -update writes it again); got\n%s", golden, err, text)
	}
	if rows := strings.Split(strings.TrimSpace(string(files[calibration.RunsFile])), "\n"); len(rows) != 15 ||
		!strings.HasPrefix(rows[6], "one-6,one-6,one,bert,there,here,infonce,1,60,32,1,0.001,1,1,1,20,2,3,6,0.01,0.5,lost,empty,30,3") {
		t.Errorf("the rows: %q", rows)
	}
}

// Of many failed runs a few good ones are the reference; of runs that are all as good as
// chance none is.
func TestWhatAReferenceNeeds(t *testing.T) {
	var runs []calibration.Run
	for i, score := range []float64{.5, .4, .45, .04, .02, .03, .01, .02, .1, .2, .24, .26} {
		runs = append(runs, made(t, "one", i+1, score, .01, 0))
	}
	for i, score := range []float64{.03, .04, .05, .06} {
		runs = append(runs, made(t, "two", i+1, score, .01, 0))
	}
	files, err := calibration.Make("s", runs, nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	// Good are .5, .4, .45, .26: their median is .425. 150 documents: chance is .030.
	if text := string(files[calibration.ReportFile]); !strings.Contains(text, "16 finished runs (backbones: 2): 5 fine, 2 failed (below 50 % of the reference), 5 lost (below 10 %), 4 of which nothing is known") {
		t.Error(text)
	}
}

// Runs trained on other data are compared with runs trained on right data, on the same dev queries. A run without a
// model is lost, whatever its reference is.
func TestWhatRunsAreHeldTo(t *testing.T) {
	var runs []calibration.Run
	for i, score := range []float64{.5, .4, .45, .3, .04} {
		runs = append(runs, made(t, "one", i+1, score, .01, 0))
	}
	runs[3].Inputs.Data, runs[4].Inputs.Data = "wrong", "wrong"
	broken := made(t, "three", 6, -1, .01, 0)
	add(t, broken.Folder, event.Measured{Step: steps, Measure: "nDCG@10", Value: event.Value(math.NaN()), Collections: []event.DevScore{{Dataset: "here", Refused: "no numbers"}}})
	dense := made(t, "one", 7, -1, .01, 0)
	add(t, dense.Folder, event.Measured{Step: steps, Measure: "nDCG@10", Value: event.Value(math.NaN()), Collections: []event.DevScore{{Dataset: "here", Documents: 150, Refused: "too dense"}}})
	files, err := calibration.Make("s", append(runs, broken, dense), nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(files[calibration.ReportFile]); !strings.Contains(text, "7 finished runs (backbones: 2): 4 fine, 0 failed (below 50 % of the reference), 2 lost (below 10 %), 1 of which nothing is known") {
		t.Error(text)
	}
}

// Goals show whether they are met or missed, and by how much; no path of a machine is written.
func TestGoals(t *testing.T) {
	runs := ofEach(t)
	for i := range runs {
		runs[i].Config.Data.Train = "/home/somebody/worlds/wrong"
	}
	files, err := calibration.Make("s", runs, nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	text := string(files[calibration.ReportFile])
	// 2 of 8: the bound is .600. 0 of 2: .776, and no error at all would give the same.
	for _, want := range []string{"| 2 of 8, ≤ 60.0 % | missed by 59.0 points; 8 runs cannot show it: without an error their bound is 31.2 %",
		"| 0 of 2, ≤ 77.6 % | missed by 72.6 points; 2 runs cannot show it: without an error their bound is 77.6 %", "| data worlds/wrong", "AUC of pressure for lost runs, backbones left out: 0.90"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	for name, file := range files {
		if bytes.Contains(file, []byte("somebody")) {
			t.Errorf("%s names a folder of this machine", name)
		}
	}
}

// add appends an event to a log by a further attempt.
func add(t *testing.T, folder string, e event.Event) {
	t.Helper()
	l, err := event.Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Append(event.Started{Run: "r", Attempt: 2, FromStep: steps, Steps: steps, Facts: event.Facts{Batch: 32, Candidates: 32, Vocab: 100, RampEnd: 20, Loss: "infonce"}}), l.Append(e), l.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestRulesAreReadAsTheyWereWritten(t *testing.T) {
	files, err := calibration.Make("s", ofEach(t), nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, err := calibration.ReadRules(folder); !errors.Is(err, calibration.ErrNoRules) {
		t.Errorf("an empty folder: %v", err)
	}
	path := filepath.Join(folder, calibration.RulesFile)
	if err := os.WriteFile(path, files[calibration.RulesFile], 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := calibration.ReadRules(folder)
	if err != nil || r.Runs != 12 || r.Lost != 2 || r.Pressure.AUC != 1 || r.Pressure.Slope <= 0 || r.Lambda.Chance(1) < r.Lambda.Chance(.01) {
		t.Errorf("rules %+v (%v)", r, err)
	}
	if err := os.WriteFile(path, []byte(`{"schema":2}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := calibration.ReadRules(folder); err == nil {
		t.Error("another schema is no error")
	}
}

// A truth that was fixed stays: of the same runs it keeps its date, of others it is refused.
func TestTruthIsFixedOnce(t *testing.T) {
	first := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	runs := ofEach(t)
	files, err := calibration.Make("s", runs, nil, first)
	if err != nil {
		t.Fatal(err)
	}
	truth := files[calibration.TruthFile]
	again, err := calibration.Make("s", runs, truth, first.AddDate(1, 0, 0))
	if err != nil || !bytes.Equal(again[calibration.TruthFile], truth) || !bytes.Contains(again[calibration.ReportFile], []byte("fixed on 2026-03-04")) {
		t.Errorf("the same runs a year later: %v", err)
	}
	if _, err := calibration.Make("s", runs[:12], truth, first); err == nil || !strings.Contains(err.Error(), "truth.csv was fixed on 2026-03-04 for 14 runs, and the sweep has 12") {
		t.Errorf("fewer runs: %v", err)
	}
	edited := bytes.Replace(truth, []byte("lost"), []byte("fine"), 1)
	if _, err := calibration.Make("s", runs, edited, first); err == nil || !strings.Contains(err.Error(), "the files say") {
		t.Errorf("an edited truth: %v", err)
	}
	if _, err := calibration.Make("s", runs[12:], nil, first); err == nil || !strings.Contains(err.Error(), "no run has a truth") {
		t.Errorf("runs without dev data: %v", err)
	}
}
