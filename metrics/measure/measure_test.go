package measure_test

import (
	"reflect"
	"strings"
	"testing"

	"headroom/metrics/measure"
)

func TestMeasuresArePrintedAsIrMeasuresWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"nDCG":                               "nDCG",
		"nDCG@10":                            "nDCG@10",
		" NDCG @ 10 ":                        "nDCG@10",
		"ndcg_cut_10":                        "nDCG@10",
		"ndcg_cut.10":                        "nDCG@10",
		"nDCG(dcg='log2')@5":                 "nDCG@5",
		"nDCG(dcg='exp-log2')@5":             "nDCG(dcg='exp-log2')@5",
		`nDCG( dcg = "exp-log2" )`:           "nDCG(dcg='exp-log2')",
		"nDCG(gains={2:5, 0:0,1:1})@10":      "nDCG(gains={2:5})@10",
		"nDCG(judged_only=True)@10":          "nDCG(judged_only=True)@10",
		"nDCG(judged_only=False)@10":         "nDCG@10",
		"AP":                                 "AP",
		"map":                                "AP",
		"MAP(rel=2)@100":                     "AP(rel=2)@100",
		"map_cut_100":                        "AP@100",
		"AP()":                               "AP",
		"AP(rel=1)":                          "AP",
		"AP(judged_only=true,rel=2)@5":       "AP(rel=2,judged_only=True)@5",
		"P@5":                                "P@5",
		"P_5":                                "P@5",
		"Precision(rel=3)@5":                 "P(rel=3)@5",
		"R@1000":                             "R@1000",
		"recall_1000":                        "R@1000",
		"Recall@1":                           "R@1",
		"RR":                                 "RR",
		"MRR@10":                             "RR@10",
		"recip_rank":                         "RR",
		"RR(rel=2)":                          "RR(rel=2)",
		"Success@1":                          "Success@1",
		"success_1":                          "Success@1",
		"hit rate@5":                         "Success@5",
		"Hit@5":                              "Success@5",
		"HITS@5":                             "Success@5",
		"Rprec":                              "Rprec",
		"R-Precision":                        "Rprec",
		"bpref":                              "Bpref",
		"infAP":                              "infAP",
		"IPrec@0.1":                          "IPrec@0.1",
		"iprec_at_recall_0.10":               "IPrec@0.1",
		"iprec_at_recall_0.00":               "IPrec@0.0",
		"IPrec@1":                            "IPrec@1.0",
		"RBP":                                "RBP(rel=1)",
		"rbp(p=0.5, rel=2)@100":              "RBP(p=0.5,rel=2)@100",
		"RBP(p=0.8,rel=1)":                   "RBP(rel=1)",
		"err@20":                             "ERR@20",
		"Judged@10":                          "Judged@10",
		"judged":                             "Judged",
		"SetP":                               "SetP",
		"set_P":                              "SetP",
		"SetP(relative=True)":                "SetRelP",
		"set_relative_P":                     "SetRelP",
		"set_recall":                         "SetR",
		"set_map":                            "SetAP",
		"set_F":                              "SetF",
		"set_F_0.5":                          "SetF(beta=0.5)",
		"SetF(beta=2)":                       "SetF(beta=2.0)",
		"num_ret":                            "NumRet",
		"num_rel_ret":                        "NumRelRet",
		"NumRet(rel=1)":                      "NumRelRet",
		"NumRet(rel=2)":                      "NumRet(rel=2)",
		"num_rel":                            "NumRel",
		"num_q":                              "NumQ",
		"R_cap@100":                          "R_cap@100",
		"capped recall@100":                  "R_cap@100",
		"nDCG(gains={1:3,2:7},dcg='log2')@3": "nDCG(gains={1:3,2:7})@3",
	} {
		m, err := measure.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := m.String(); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
		if again, err := measure.Parse(m.String()); err != nil || again != m {
			t.Errorf("%q does not read back: %v, %v", m, again, err)
		}
		if err := m.Check(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsNoMeasureIsRefusedWithWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    `unknown name ""`,
		"precison@10":                         `did you mean "P@10"?`,
		"nDGC@10":                             `did you mean "nDCG@10"?`,
		"recal@100":                           `did you mean "R@100"?`,
		"mrr10":                               `did you mean "RR@10"?`,
		"P@5(rel=2)":                          "the bracket stands before @: P(rel=2)@5",
		"num_rel_rte":                         `did you mean "NumRelRet"?`,
		"something":                           "allowed are nDCG[@k]",
		"nDCG@0":                              `cut-off "0"`,
		"nDCG@":                               `cut-off ""`,
		"nDCG@ten":                            `cut-off "ten"`,
		"nDCG@10@20":                          "cut-off",
		"nDCG@-1":                             "cut-off",
		"nDCG@1.5":                            "cut-off",
		"nDCG@99999999999":                    "cut-off",
		"P":                                   "P needs a cut-off",
		"R":                                   "R needs a cut-off",
		"ndcg_cut":                            "nDCG needs a cut-off",
		"Success":                             "needs a cut-off",
		"Rprec@10":                            "takes no cut-off",
		"num_rel_5":                           "takes no cut-off",
		"IPrec":                               "needs a recall",
		"IPrec@10":                            "from 0 to 1",
		"IPrec@0.123":                         "two decimals",
		"nDCG(rel=2)@10":                      `unknown parameter "rel" of nDCG: it takes dcg, gains, judged_only`,
		"ERR(rel=2)@10":                       "it takes none",
		"AP(dcg='exp-log2')":                  `unknown parameter "dcg"`,
		"nDCG(dcg='natural')":                 "neither",
		"nDCG(gains=3)":                       "gains={0:0,1:1,2:5}",
		"nDCG(gains={1:x})":                   "two integers",
		"nDCG(gains={1:2,1:3})":               "given twice",
		"nDCG(gains={1:2},dcg='exp-log2')@10": "exclude each other",
		"AP(rel=0)":                           "rel=0",
		"AP(rel=2,rel=2)":                     "given twice",
		"AP(rel=2":                            "not closed",
		"AP(rel=2)x":                          "after the bracket",
		"AP(judged_only=maybe)":               "True or False",
		"RBP(p=1)":                            "between 0 and 1",
		"SetF(beta=-1)":                       "above 0",
	} {
		_, err := measure.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestAMeasureIsAskedForOnce(t *testing.T) {
	measures, err := measure.ParseAll([]string{"nDCG@10", "RR@10", "R@1000"})
	if err != nil || !reflect.DeepEqual(measures, measure.Defaults()) {
		t.Errorf("got %v, %v", measures, err)
	}
	if _, err := measure.ParseAll([]string{"RR@10", "nDCG", "recip_rank_cut_10"}); err == nil || !strings.Contains(err.Error(), `the same as "RR@10"`) {
		t.Errorf("got %v", err)
	}
}

func TestOneLevelIsForEveryMeasureThatNamesNone(t *testing.T) {
	measures, err := measure.ParseAllAt(2, []string{"nDCG@10", "RR@10", "P(rel=3)@5", "NumRet", "NumRelRet", "NumRel", "Judged"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range measures {
		names = append(names, m.String())
	}
	if want := []string{"nDCG@10", "RR(rel=2)@10", "P(rel=3)@5", "NumRet", "NumRet(rel=2)", "NumRel(rel=2)", "Judged"}; !reflect.DeepEqual(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"nDCG(dcg='exp-log2')@5", "AP(rel=2)@100", "P(rel=2", "RR@", "(@)", "R@1000", "set_F_0.5", "nDCG(gains={1:2})", "iprec_at_recall_0.10", "RBP(p=1e-9)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := measure.Parse(text)
		if err != nil {
			return
		}
		if again, err := measure.Parse(m.String()); err != nil || again != m {
			t.Fatalf("%q is printed as %q, which reads as %v, %v", text, m, again, err)
		}
	})
}

func TestRankingsKeepAsManyDocumentsAsTheDeepestCutoff(t *testing.T) {
	for _, c := range []struct {
		names string
		depth int
		kept  bool
	}{
		{"nDCG@10 AP", 1000, true},
		{"R@1000", 1000, true},
		{"P@1200 R@1400 AP@1300", 1400, true},
		{"R@1400 NumRel NumQ", 1400, true},
		{"R@1400 AP", 1400, false},
		{"R@1400 nDCG", 1400, false},
		{"P(judged_only=True)@1400", 1400, false}, // looks at all of a ranking
	} {
		measures, err := measure.ParseAll(strings.Fields(c.names))
		if err != nil {
			t.Fatal(err)
		}
		if depth, err := measure.DepthFor(measures), measure.CheckKept(measures); depth != c.depth || (err == nil) != c.kept {
			t.Errorf("%s: depth %d, want %d; %v", c.names, depth, c.depth, err)
		}
	}
}
