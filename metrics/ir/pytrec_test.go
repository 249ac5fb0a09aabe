package ir_test

import (
	"bufio"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
)

// The tolerance allows for another order of additions only, relative to values above 1.
const tolerance = 1e-12

func TestRandomRunsAreAsPytrecEvalHasThem(t *testing.T) {
	compareWithReference(t, "pytrec", "testdata/pytrec_expected.txt", trec.ReadRun, ir.Evaluate, 41*61)
}

// gdeval prints five decimals, so that half a unit of the fifth is all that can be asked of what it computes.
func TestEveryMeasureIsAsIrMeasuresHasIt(t *testing.T) {
	compareWithReference(t, "measures", "testdata/measures_expected.txt", trec.ReadRun, ir.Evaluate, 72*51)
}

func TestReciprocalRankOfTheRankColumnIsMSMarcos(t *testing.T) {
	compareWithReference(t, "measures", "testdata/measures_by_rank.txt", trec.ReadRunByRank, ir.EvaluateByRank, 3*51)
}

// compareWithReference looks at each line of a file of measure, query or "all", and value.
func compareWithReference(t *testing.T, data, file string,
	read func(io.Reader, string) (trec.Run, error),
	evaluate func(trec.Qrels, trec.Run, []measure.Measure) (*ir.Result, error), lines int,
) {
	t.Helper()
	qrels, err := trec.OpenQrels("testdata/" + data + "_qrels.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.Open("testdata/" + data + "_run.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	run, err := read(text, data)
	if err != nil {
		t.Fatal(err)
	}
	expected, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer expected.Close()
	computed := map[string]*ir.Result{}
	compared := 0
	for lines := bufio.NewScanner(expected); lines.Scan(); compared++ {
		columns := strings.Split(lines.Text(), "\t")
		m, err := measure.Parse(columns[0])
		if err != nil {
			t.Fatal(err)
		}
		want, err := strconv.ParseFloat(columns[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if computed[columns[0]] == nil {
			if computed[columns[0]], err = evaluate(qrels, run, []measure.Measure{m}); err != nil {
				t.Fatal(err)
			}
		}
		allowed := tolerance * max(1, want)
		if m.Kind == measure.ERR || m.Exponential && strings.HasPrefix(data, "measures") {
			allowed = 0.5000001e-5
		}
		if got := valueOf(t, computed[columns[0]], columns[1]); math.Abs(got-want) > allowed {
			t.Errorf("%s of %s: got %v, the reference has %v", columns[0], columns[1], got, want)
		}
	}
	if compared != lines {
		t.Errorf("%d values were compared", compared)
	}
}
