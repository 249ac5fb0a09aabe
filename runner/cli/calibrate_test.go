package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The short form of the calibration: real runs, from the sweep's file to the report.
func TestJudgeWritesACalibration(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	p.sample()
	p.write("data/qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq0\td0\t1\nq15\td15\t1\n")
	sweep := p.write("small.toml", strings.Replace(smallSweep, "[evaluate]\n", "[evaluate]\nduring = [\"./data\"]\nevery = 6\n", 1))
	p.ok("run", sweep)
	folder := filepath.Join(p.dir, "calibration")
	p.ok("judge", "small", "--calibration", folder)
	report, err := os.ReadFile(filepath.Join(folder, "calibration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4 finished runs (backbones: 1)", "## How often it is wrong", "| family bert ", "## Prediction before training"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	type document struct{ Runs []struct{ Label string } }
	if d := decode[document](t, p.ok("judge", "small", "--only", "seed=1", "--json")); len(d.Runs) != 2 {
		t.Errorf("--only seed=1 judges %+v", d)
	}
	p.refused([]string{"judge", "small", "--only", "seed=9"}, "--only matches none of 4 finished runs")
	p.refused([]string{"judge", "small", "--calibration", folder, "--sensitivity"}, "--calibration is about the runs' own verdicts")
}
