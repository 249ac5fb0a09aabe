package ir_test

import (
	"reflect"
	"strings"
	"testing"

	"headroom/metrics/ir"
)

func TestMeasuresArePrintedAsIrMeasuresWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"nDCG":                     "nDCG",
		"nDCG@10":                  "nDCG@10",
		" NDCG @ 10 ":              "nDCG@10",
		"nDCG(dcg='log2')@5":       "nDCG@5",
		"nDCG(dcg='exp-log2')@5":   "nDCG(dcg='exp-log2')@5",
		`nDCG( dcg = "exp-log2" )`: "nDCG(dcg='exp-log2')",
		"AP":                       "AP",
		"MAP(rel=2)@100":           "AP(rel=2)@100",
		"AP()":                     "AP",
		"AP(rel=1)":                "AP",
		"P@5":                      "P@5",
		"Precision(rel=3)@5":       "P(rel=3)@5",
		"R@1000":                   "R@1000",
		"Recall@1":                 "R@1",
		"RR":                       "RR",
		"MRR@10":                   "RR@10",
		"RR(rel=2)":                "RR(rel=2)",
		"Success@1":                "Success@1",
	} {
		measure, err := ir.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := measure.String(); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
		if again, err := ir.Parse(measure.String()); err != nil || again != measure {
			t.Errorf("%q does not read back: %v, %v", measure, again, err)
		}
	}
}

func TestWhatIsNoMeasureIsRefusedWithWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"":                     `unknown name ""`,
		"ndcg@10":              `unknown name "ndcg"`,
		"nDCG@0":               `cut-off "0"`,
		"nDCG@":                `cut-off ""`,
		"nDCG@ten":             `cut-off "ten"`,
		"nDCG@10@20":           "cut-off",
		"nDCG@-1":              "cut-off",
		"P":                    "P needs a cut-off",
		"R":                    "R needs a cut-off",
		"Success":              "needs a cut-off",
		"nDCG(rel=2)@10":       `unknown parameter "rel"`,
		"AP(dcg='exp-log2')":   `unknown parameter "dcg"`,
		"nDCG(dcg='natural')":  "neither",
		"AP(rel=0)":            "rel=0",
		"AP(rel=2,rel=2)":      "given twice",
		"AP(rel=2":             "not closed",
		"AP(judged_only=True)": `unknown parameter "judged_only"`,
		"bpref":                "unknown name",
	} {
		_, err := ir.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "allowed are nDCG, nDCG@k") {
			t.Errorf("%q: got %v, want an error with %q and what is allowed", text, err, want)
		}
	}
}

func TestAMeasureIsAskedForOnce(t *testing.T) {
	measures, err := ir.ParseAll([]string{"nDCG@10", "RR@10", "R@1000"})
	if err != nil || !reflect.DeepEqual(measures, ir.Defaults()) {
		t.Errorf("got %v, %v", measures, err)
	}
	if _, err := ir.ParseAll([]string{"RR@10", "nDCG", "MRR@10"}); err == nil || !strings.Contains(err.Error(), `the same as "RR@10"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"nDCG(dcg='exp-log2')@5", "AP(rel=2)@100", "P(rel=2", "RR@", "(@)", "R@1000"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		measure, err := ir.Parse(text)
		if err != nil {
			return
		}
		if again, err := ir.Parse(measure.String()); err != nil || again != measure {
			t.Fatalf("%q is printed as %q, which reads as %v, %v", text, measure, again, err)
		}
	})
}
