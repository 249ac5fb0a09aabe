package evaluate_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
	"headroom/runner/search"
	"headroom/sweeps"
)

// byHand are three documents and two queries. In d2 both terms weigh the same.
func byHand() (documents, queries []search.Vector, qrels trec.Qrels) {
	documents = []search.Vector{
		{Terms: []uint32{1, 2}, Weights: []float32{3, 1}},
		{Terms: []uint32{2, 3}, Weights: []float32{2, 2}},
		{Terms: []uint32{1}, Weights: []float32{1}},
	}
	queries = []search.Vector{
		{Terms: []uint32{2}, Weights: []float32{1}},
		{Terms: []uint32{1, 2, 3}, Weights: []float32{1, 1, 5}},
	}
	return documents, queries, trec.Qrels{"q1": {"d1": 1}, "q2": {"d3": 1}}
}

func reciprocalRank(t *testing.T) []measure.Measure {
	t.Helper()
	m, err := measure.ParseAll([]string{"RR"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestACurveByHand(t *testing.T) {
	documents, queries, qrels := byHand()
	got, err := evaluate.Trace(t.Context(), "dot", documents, queries, qrels, reciprocalRank(t), evaluate.Cuts{Document: []int{1, 2}, Query: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	rr := func(v float64) map[string]float64 { return map[string]float64{"RR": v} }
	want := []record.Cut{
		// d2 keeps term 2 of the two that weigh the same. q1 finds d2 alone; q2 scores d1 3, d2 2, d3 1.
		{Side: "document", Terms: 1, Measures: rr((0 + 1./3) / 2), ActiveQuery: 2, ActiveDocument: 1, Flops: .5*2/3 + 1.*1/3},
		// Whole: q1 scores d2 2, d1 1; q2 d2 12, d1 4, d3 1.
		{Side: "document", Terms: 2, Measures: rr((.5 + 1./3) / 2), ActiveQuery: 2, ActiveDocument: 5. / 3, Flops: .5*2/3 + 1.*2/3 + .5*1/3},
		// q2 keeps term 3, which d2 alone has.
		{Side: "query", Terms: 1, Measures: rr(.5 / 2), ActiveQuery: 1, ActiveDocument: 5. / 3, Flops: .5*2/3 + .5*1/3},
	}
	if len(got) != len(want) {
		t.Fatalf("the curve is %+v", got)
	}
	for i, c := range got {
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
		w := want[i]
		if c.Side != w.Side || c.Terms != w.Terms || len(c.Measures) != 1 || !near(c.Measures["RR"], w.Measures["RR"]) ||
			!near(c.ActiveQuery, w.ActiveQuery) || !near(c.ActiveDocument, w.ActiveDocument) || !near(c.Flops, w.Flops) {
			t.Errorf("cut %d is %+v, want %+v", i, c, w)
		}
	}
}

// Of a model that compares by cosine, what is left of a vector has the length 1 again:
// d1 (3, 1) cut to its first term is as near to q2 as d3.
func TestACutVectorOfACosineHasTheLengthOne(t *testing.T) {
	documents := []search.Vector{{Terms: []uint32{1, 2}, Weights: []float32{3, 4}}, {Terms: []uint32{2}, Weights: []float32{1}}}
	queries := []search.Vector{{Terms: []uint32{1, 2}, Weights: []float32{1, 1}}}
	qrels := trec.Qrels{"q1": {"d1": 1}}
	got, err := evaluate.Trace(t.Context(), "cosine", documents, queries, qrels, reciprocalRank(t), evaluate.Cuts{Document: []int{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	// Whole, d1 has (.6 + .8)/√2 and is before d2 with 1/√2. Cut, both are the same
	// vector, and of equal scores the greater id is first.
	if len(got) != 2 || got[0].Measures["RR"] != .5 || got[1].Measures["RR"] != 1 {
		t.Errorf("the curve is %+v", got)
	}
}

func TestWhichCutsAreMeasured(t *testing.T) {
	usual := evaluate.Cuts{Usual: true}
	for name, c := range map[string]struct {
		cuts                        evaluate.Cuts
		documents, queries, longest int
		want                        []int
	}{
		"usual":                          {usual, 3000, 1000, 500, []int{128, 64, 32, 16, 8}},
		"not longer than the longest":    {usual, 3000, 1000, 32, []int{16, 8}},
		"nothing to cut":                 {usual, 3000, 1000, 0, nil},
		"too many queries per document":  {usual, 2999, 1000, 500, nil},
		"too many queries":               {usual, 1e7, 10_001, 500, nil},
		"listed ones always":             {evaluate.Cuts{Document: []int{7, 900}}, 10, 1000, 20, []int{900, 7}},
		"usual and listed, each once":    {evaluate.Cuts{Document: []int{16, 5}, Usual: true}, 3000, 1000, 20, []int{16, 8, 5}},
		"those of the summary before it": {usual.And(record.Evaluation{Curve: []record.Cut{{Side: "document", Terms: 9}, {Side: "query", Terms: 2}}}), 3000, 1000, 16, []int{9, 8}},
		"none":                           {evaluate.Cuts{}, 3000, 1000, 500, nil},
	} {
		if got := evaluate.DocumentCuts(c.cuts, c.documents, c.queries, c.longest); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestWhatAConfigurationAsksFor(t *testing.T) {
	list := func(terms ...int) *[]int { return &terms }
	for text, want := range map[*sweeps.EvaluateConfig]evaluate.Cuts{
		{}: {Usual: true},
		{PruneDocument: list(), PruneQuery: list(3)}: {Query: []int{3}},
		{PruneDocument: list(4)}:                     {Document: []int{4}},
	} {
		got, _ := json.Marshal(evaluate.CutsOf(*text))
		if expected, _ := json.Marshal(want); string(got) != string(expected) {
			t.Errorf("%+v asks for %s, want %s", *text, got, expected)
		}
	}
}
