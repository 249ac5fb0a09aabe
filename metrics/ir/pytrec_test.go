package ir_test

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/ir"
)

// The tolerance allows for another order of additions only: values are at most 1.
const tolerance = 1e-12

func TestRandomRunsAreAsPytrecEvalHasThem(t *testing.T) {
	qrels, err := trec.OpenQrels("testdata/pytrec_qrels.txt")
	if err != nil {
		t.Fatal(err)
	}
	run, err := trec.OpenRun("testdata/pytrec_run.txt")
	if err != nil {
		t.Fatal(err)
	}
	expected, err := os.Open("testdata/pytrec_expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer expected.Close()
	computed := map[string]*ir.Result{}
	compared := 0
	for lines := bufio.NewScanner(expected); lines.Scan(); compared++ {
		columns := strings.Split(lines.Text(), "\t")
		measure, err := ir.Parse(columns[0])
		if err != nil {
			t.Fatal(err)
		}
		want, err := strconv.ParseFloat(columns[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if computed[columns[0]] == nil {
			if computed[columns[0]], err = ir.Evaluate(qrels, run, []ir.Measure{measure}); err != nil {
				t.Fatal(err)
			}
		}
		if got := valueOf(t, computed[columns[0]], columns[1]); math.Abs(got-want) > tolerance {
			t.Errorf("%s of %s: got %v, pytrec_eval has %v", columns[0], columns[1], got, want)
		}
	}
	if compared != 41*61 {
		t.Errorf("%d values were compared", compared)
	}
}
