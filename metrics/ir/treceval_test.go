package ir_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
)

// trecName gives trec_eval's measure as one of ours; false for those that this package does not have.
func trecName(name string, rel int) (measure.Measure, bool) {
	stem, cutoff := name, 0
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		if k, err := strconv.Atoi(name[i+1:]); err == nil {
			stem, cutoff = name[:i], k
		}
	}
	kinds := map[string]measure.Kind{"map": measure.AP, "map_cut": measure.AP, "P": measure.Precision, "recall": measure.Recall,
		"recip_rank": measure.RR, "ndcg": measure.NDCG, "ndcg_cut": measure.NDCG, "success": measure.Success}
	kind, known := kinds[stem]
	if kind == measure.NDCG {
		rel = 0
	}
	return measure.Measure{Kind: kind, Cutoff: cutoff, Rel: rel}, known
}

// expectation is a file that trec_eval printed and what it was made from.
type expectation struct {
	output, qrels, run string
	rel                int // -l
	depth              int // -M
	rrCutoff           int // recip_rank was computed on a run cut here
	lines              int // lines of ours in it, so that a test that compares nothing fails
}

func expectations() []expectation {
	const own = "trec_eval-test/"
	list := []expectation{
		{output: own + "out.test", qrels: own + "qrels.test", run: own + "results.test", lines: 11},
		{output: own + "out.test", qrels: own + "qrels.test.with-comments", run: own + "results.test", lines: 11},
		{output: own + "out.test.a", qrels: own + "qrels.test", run: own + "results.test", lines: 42},
		{output: own + "out.test.aq", qrels: own + "qrels.test", run: own + "results.test", lines: 168},
		{output: own + "out.test.aqc", qrels: own + "qrels.test", run: own + "results.trunc", lines: 168},
		{output: own + "out.test.aqcM", qrels: own + "qrels.test", run: own + "results.trunc", depth: 100, lines: 168},
		{output: own + "out.test.aql", qrels: own + "qrels.rel_level", run: own + "results.test", rel: 2, lines: 168},
		{output: own + "out.test.meas_params", qrels: own + "qrels.test", run: own + "results.test", lines: 44},
	}
	for _, name := range []string{"BM25", "BM25_docT5q_ColBERT", "ANCE", "bm25_VBERT"} {
		qrels, run := "dl19/qrels.dl19-passage.txt", "dl19/"+name+".2019.res.gz"
		list = append(list,
			expectation{output: "dl19/dl." + name + ".2019.trec_eval10.txt", qrels: qrels, run: run, lines: 44 * 16},
			expectation{output: "dl19/dl." + name + ".2019.rr10.txt", qrels: qrels, run: run, rrCutoff: 10, lines: 44})
	}
	return list
}

func TestEveryLineOfTrecEvalIsEqual(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: trec_eval's outputs are not there")
	}
	root = filepath.Join(root, "trec")
	for _, want := range expectations() {
		t.Run(filepath.Base(want.output)+" from "+filepath.Base(want.qrels), func(t *testing.T) {
			compareWithTrecEval(t, root, want)
		})
	}
}

func compareWithTrecEval(t *testing.T, root string, want expectation) {
	qrels, err := trec.OpenQrels(filepath.Join(root, want.qrels))
	if err != nil {
		t.Fatal(err)
	}
	run, err := trec.OpenRun(filepath.Join(root, want.run))
	if err != nil {
		t.Fatal(err)
	}
	if want.depth > 0 {
		for query, scored := range run {
			trec.Rank(scored)
			run[query] = scored[:min(want.depth, len(scored))]
		}
	}
	output, err := os.Open(filepath.Join(root, want.output))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	computed := map[measure.Measure]*ir.Result{}
	compared := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		columns := strings.Fields(lines.Text())
		if len(columns) != 3 {
			t.Fatalf("line %q", lines.Text())
		}
		m, known := trecName(columns[0], max(1, want.rel))
		if !known {
			continue
		}
		if want.rrCutoff > 0 && m.Kind == measure.RR {
			m.Cutoff = want.rrCutoff
		}
		if computed[m] == nil {
			if computed[m], err = ir.Evaluate(qrels, run, []measure.Measure{m}); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprintf("%.4f", valueOf(t, computed[m], columns[1])); got != columns[2] {
			t.Errorf("%s of %s: got %s, trec_eval printed %s", m, columns[1], got, columns[2])
		}
		compared++
	}
	if compared != want.lines {
		t.Errorf("%d lines were compared, not %d", compared, want.lines)
	}
}

func valueOf(t *testing.T, result *ir.Result, query string) float64 {
	t.Helper()
	if query == "all" {
		return result.All[0]
	}
	for i, name := range result.Queries {
		if name == query {
			return result.PerQuery[i][0]
		}
	}
	t.Fatalf("no query %s", query)
	return 0
}
