package evidence_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/evidence"
)

// side makes a side of texts over five terms, whose weights come from their logits' tokens.
func side(lengths []int, positions []int32, rows ...[]float32) evidence.Side {
	s := evidence.Side{Vocab: 5, Lengths: lengths, Positions: positions}
	for _, row := range rows {
		s.Weights = append(s.Weights, row...)
		for _, w := range row {
			s.Logits = append(s.Logits, 2*w-1)
		}
	}
	return s
}

func near(t *testing.T, got map[string]event.Value, want map[string]float64) {
	t.Helper()
	for name, x := range want {
		if v, ok := got[name]; !ok || math.Abs(float64(v)-x) > 1e-9*math.Max(1, math.Abs(x)) {
			t.Errorf("%s is %v (there: %t), want %v", name, v, ok, x)
		}
	}
}

// Two queries and their documents, worked by hand.
func TestSeriesByHand(t *testing.T) {
	queries := side([]int{2, 3}, []int32{0, 1, 0, 0, 0, 0, 0, 0, 2, 0}, []float32{3, 4, 0, 0, 0}, []float32{0, 0, 0, 2, 0})
	documents := side([]int{4, 4}, []int32{0, 0, 0, 0, 0, 0, 3, 0, 0, 0}, []float32{1, 0, 0, 0, 0}, []float32{1, 1, 0, 0, 0})
	got := evidence.Series(queries, documents, 1, 2)
	near(t, got, map[string]float64{
		// queries: rows of norm 5 and 2, orthogonal
		"probe/active_p05/query": 1.05, "probe/active_p50/query": 1.5, "probe/active_p95/query": 1.95, "probe/empty/query": 0,
		"probe/norm/query": 3.5, "probe/weight_mean/query": 3, "probe/weight_max/query": 4, "probe/logit_max/query": 7,
		"probe/cosine_mean/query": 0, "probe/overlap/query": 0, "probe/rank/query": 2, "probe/dead/query": .4,
		// of the mass 9, 3 comes from position 0; 4 from the last of a text of two; 2 from the last of one of three
		"probe/sink/query": 6. / 9, "probe/sink_position/query": evidence.LastPosition,
		// counts 0 0 1 1 1: 2·(3+4+5)/(5·3) − 6/5
		"probe/df_gini/query": .4,
		// documents: [1 0] and [1 1]/√2; eigenvalues of the Gram matrix 1 ± 1/√2
		"probe/cosine_mean/document": math.Sqrt(.5), "probe/cosine_p50/document": math.Sqrt(.5), "probe/overlap/document": .5,
		"probe/rank/document": rank(1+math.Sqrt(.5), 1-math.Sqrt(.5)),
		"probe/sink/document": 2. / 3, "probe/sink_position/document": 0,
		// scores 3 7; 0 0: the first query's own is lower, the second's a tie
		"probe/score_mean": 2.5, "probe/score_sd": math.Sqrt((.25 + 20.25 + 6.25 + 6.25) / 4), "probe/margin": -2, "probe/accuracy": 0,
		"probe/infonce": (math.Log(1+math.Exp(4)) + math.Log(2)) / 2,
	})
	half := evidence.Series(queries, documents, .5, 1)
	near(t, half, map[string]float64{"probe/infonce": (math.Log(1+math.Exp(2)) + math.Log(2)) / 2, "probe/score_mean": 2.5})
	if want := []event.Term{{ID: 0, Share: event.Value(2. / 3)}, {ID: 1, Share: event.Value(1. / 3)}}; !reflect.DeepEqual(evidence.Heaviest(documents, 5), want) {
		t.Errorf("heaviest %v, want %v", evidence.Heaviest(documents, 5), want)
	}
}

func rank(eigenvalues ...float64) float64 {
	sum, entropy := 0.0, 0.0
	for _, v := range eigenvalues {
		sum += math.Sqrt(v)
	}
	for _, v := range eigenvalues {
		p := math.Sqrt(v) / sum
		entropy -= p * math.Log(p)
	}
	return math.Exp(entropy)
}

func TestFiguresWithoutAMeaningAreLeftOut(t *testing.T) {
	blank := side([]int{1, 1}, make([]int32, 10), make([]float32, 5), make([]float32, 5))
	got := evidence.Series(blank, blank, 1, 1)
	for _, name := range []string{"cosine_mean/query", "rank/query", "overlap/query", "weight_mean/query", "sink/query", "df_gini/query"} {
		if v, ok := got["probe/"+name]; ok {
			t.Errorf("%s of empty texts is %v", name, v)
		}
	}
	near(t, got, map[string]float64{"probe/empty/query": 1, "probe/dead/document": 1, "probe/accuracy": 0, "probe/infonce": math.Log(2)})
	one := evidence.Series(side([]int{1}, make([]int32, 5), []float32{1, 0, 0, 0, 0}), side([]int{1}, make([]int32, 5), []float32{1, 0, 0, 0, 0}), 1, 1)
	if _, ok := one["probe/accuracy"]; ok {
		t.Error("one document has an accuracy")
	}
	sum := side([]int{1, 1}, nil, []float32{1, 0, 0, 0, 0}, []float32{0, 1, 0, 0, 0})
	sum.Logits = nil
	if got := evidence.Series(sum, sum, 1, 1); got["probe/rank/query"] == 0 {
		t.Error("sum pooling has no rank")
	} else if _, ok := got["probe/sink/query"]; ok {
		t.Error("sum pooling has a sink")
	}
}

func TestWhatIsNotFiniteStaysSo(t *testing.T) {
	nan := float32(math.NaN())
	bad := side([]int{1, 1}, make([]int32, 10), []float32{nan, 1, 0, 0, 0}, []float32{0, 1, 0, 0, 0})
	got := evidence.Series(bad, bad, 1, 1)
	for _, name := range []string{"cosine_mean/query", "cosine_p05/query", "rank/query", "weight_max/query", "norm/document", "logit_max/query", "sink/query"} {
		if v := got["probe/"+name]; !math.IsNaN(float64(v)) {
			t.Errorf("%s is %v", name, v)
		}
	}
	for _, name := range []string{"score_mean", "infonce", "margin"} {
		if v := got["probe/"+name]; !math.IsNaN(float64(v)) {
			t.Errorf("%s is %v", name, v)
		}
	}
	inf := float32(math.Inf(1))
	large := side([]int{1, 1}, make([]int32, 10), []float32{inf, 1, 0, 0, 0}, []float32{0, 1, 0, 0, 0})
	if v := evidence.Series(large, large, 1, 1)["probe/weight_max/query"]; !math.IsInf(float64(v), 1) {
		t.Errorf("the greatest weight is %v", v)
	}
}

// 64 texts in three directions have rank 3 whatever their lengths; so have their shares.
func TestTheEffectiveRankOfManyTexts(t *testing.T) {
	var rows [][]float32
	for i := range 63 {
		row := make([]float32, 5)
		row[i%3] = float32(1 + i)
		rows = append(rows, row)
	}
	s := side(make([]int, 63), make([]int32, 5*63), rows...)
	near(t, evidence.Series(s, s, 1, 3), map[string]float64{"probe/rank/query": 3})
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		steps, texts, probe int
		want                []int
	}{
		{150, 64, 128, []int{0, 2, 7, 17, 29, 46, 66, 90, 118, 149}},
		{3, 64, 128, []int{0, 2}},
		{20, 4000, 128, []int{0, 1, 2, 3, 4, 6, 8, 11, 15, 19}},
		{40, 64, 128, []int{0, 10, 39}}, // a tenth of 40·1.5·64 texts pays for three looks
		{1, 64, 128, []int{0}},
		{12, 64, 128, []int{0, 11}},
		{0, 64, 128, nil},
		{100, 64, 0, nil},
	} {
		if got := evidence.Steps(c.steps, c.texts, c.probe); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Steps(%d, %d, %d) = %v, want %v", c.steps, c.texts, c.probe, got, c.want)
		}
	}
	// A tenth of 1.5·steps·texts, over ten looks at queries and as many documents.
	for _, c := range [][3]int{{150, 64, 64}, {100, 64, 48}, {8, 8, 8}, {50_000, 64, 64}} {
		if got := evidence.Queries(c[0], c[1]); got != c[2] {
			t.Errorf("Queries(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
	// A hundredth of 1.5·64 texts per step, and 128 per look: 15 of two thousand steps.
	if got := evidence.Steps(2000, 64, 128); len(got) != 15 || got[14] != 1999 {
		t.Errorf("two thousand steps have the looks %v", got)
	}
	if got := evidence.Steps(100_000, 64, 128); len(got) != 100 {
		t.Errorf("a long run has %d probes", len(got))
	}
}

// The heaviest terms of many texts are those of a full sort, among equal and undefined weights too.
func TestTheOverlapOfManyTerms(t *testing.T) {
	nan := float32(math.NaN())
	wide := func(weights ...float32) []float32 { return append(weights, make([]float32, 14-len(weights))...) }
	s := evidence.Side{Vocab: 14, Lengths: []int{1, 1}, Weights: slices.Concat(
		wide(1, 9, 1, 8, 1, 7, 1, 6, 1, 5, 1, 4, 2, 3),   // 1 3 5 7 9 11 13 12, then 0 and 2, the lowest of equal ones
		wide(nan, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1), // 1 2 3 5 7 9 10 11 12 13, all but NaN
	)}
	// Both have 1 2 3 5 7 9 11 12 13; 0 and 10 are in one.
	near(t, evidence.Series(s, s, 1, 1), map[string]float64{"probe/overlap/query": 9. / 11})
}
