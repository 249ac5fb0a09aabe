package ir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
)

func evaluate(t *testing.T, qrels trec.Qrels, run trec.Run, names ...string) *ir.Result {
	t.Helper()
	measures, err := measure.ParseAll(names)
	if err != nil {
		t.Fatal(err)
	}
	result, err := ir.Evaluate(qrels, run, measures)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// The ranking is c (grade 3), x (unjudged), b (1), n (−1), a (0); d (2) is not found.
func TestValuesWorkedByHand(t *testing.T) {
	qrels := trec.Qrels{"q": {"a": 0, "b": 1, "c": 3, "d": 2, "n": -1}}
	run := trec.Run{"q": {{Doc: "a", Score: 1}, {Doc: "b", Score: 3}, {Doc: "c", Score: 5}, {Doc: "n", Score: 2}, {Doc: "x", Score: 4}}}
	log2 := math.Log2
	for name, want := range map[string]float64{
		"nDCG":                   (3 + 1/log2(4)) / (3 + 2/log2(3) + 1/log2(4)),
		"nDCG@1":                 1,
		"nDCG@2":                 3 / (3 + 2/log2(3)),
		"nDCG(dcg='exp-log2')":   (7 + 1/log2(4)) / (7 + 3/log2(3) + 1/log2(4)),
		"nDCG(dcg='exp-log2')@2": 7 / (7 + 3/log2(3)),
		"AP":                     (1 + 2.0/3) / 3,
		"AP@2":                   1.0 / 3,
		"AP(rel=3)":              1,
		"P@2":                    0.5,
		"P@10":                   0.2,
		"P(rel=2)@1":             1,
		"R@2":                    1.0 / 3,
		"R@1000":                 2.0 / 3,
		"R(rel=2)@3":             0.5,
		"RR":                     1,
		"RR(rel=4)":              0,
		"Success@1":              1,
		"Success(rel=4)@5":       0,
	} {
		if got := evaluate(t, qrels, run, name).All[0]; math.Abs(got-want) > tolerance {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestReciprocalRankStopsAtItsCutoff(t *testing.T) {
	qrels := trec.Qrels{"q": {"c": 1}}
	run := trec.Run{"q": {{Doc: "a", Score: 3}, {Doc: "b", Score: 2}, {Doc: "c", Score: 1}}}
	if got := evaluate(t, qrels, run, "RR", "RR@3", "RR@2").All; !reflect.DeepEqual(got, []float64{1.0 / 3, 1.0 / 3, 0}) {
		t.Errorf("got %v", got)
	}
}

func TestMeansAreOverEveryQueryOfTheQrels(t *testing.T) {
	qrels := trec.Qrels{
		"answered":   {"d": 1},
		"unanswered": {"d": 1},
		"none":       {"d": 0, "e": -1}, // nothing relevant
		"negative":   {"d": -1},
	}
	run := trec.Run{"answered": {{Doc: "d", Score: 1}}, "none": {{Doc: "d", Score: 1}}, "negative": {{Doc: "d", Score: 1}}, "unjudged": {{Doc: "d", Score: 1}}}
	all := []string{"nDCG", "nDCG@10", "nDCG(dcg='exp-log2')", "AP", "AP@3", "R@10", "RR", "RR@10", "Success@1", "P@1"}
	result := evaluate(t, qrels, run, all...)
	if want := []string{"answered", "negative", "none", "unanswered"}; !reflect.DeepEqual(result.Queries, want) {
		t.Fatalf("queries %v", result.Queries)
	}
	for i, measure := range result.Measures {
		if result.All[i] != 0.25 {
			t.Errorf("%s: mean %v over four queries of which one is answered", measure, result.All[i])
		}
	}
	for _, empty := range []trec.Run{nil, {}, {"answered": nil}} {
		for i, mean := range evaluate(t, qrels, empty, all...).All {
			if mean != 0 {
				t.Errorf("%s of a run without rows: %v", all[i], mean)
			}
		}
	}
}

func TestWhatCannotBeEvaluatedIsAnError(t *testing.T) {
	qrels := trec.Qrels{"q": {"d": 1}}
	one := []measure.Measure{{Kind: measure.RR, Rel: 1}}
	if _, err := ir.Evaluate(nil, nil, one); !errors.Is(err, ir.ErrNoQueries) {
		t.Errorf("no queries: %v", err)
	}
	if _, err := ir.Evaluate(qrels, nil, nil); !errors.Is(err, ir.ErrNoMeasures) {
		t.Errorf("no measures: %v", err)
	}
	for _, m := range []measure.Measure{{Kind: measure.NDCG, Rel: 1}, {Kind: 99, Rel: 1}, {Kind: measure.Precision, Rel: 1}, {Kind: measure.AP, Rel: 1, Cutoff: -1}, {Kind: measure.RBP, Rel: 1}} {
		if _, err := ir.Evaluate(qrels, nil, []measure.Measure{m}); err == nil {
			t.Errorf("%#v was taken", m)
		}
	}
	_, err := ir.Evaluate(qrels, trec.Run{"q": {{Doc: "d", Score: 1}, {Doc: "e", Score: 2}, {Doc: "d", Score: 0}}}, one)
	if err == nil || !strings.Contains(err.Error(), `query "q": document "d" is twice`) {
		t.Errorf("a document twice: %v", err)
	}
	if _, err := ir.Evaluate(qrels, trec.Run{"q": {{Doc: "d", Score: math.NaN()}}}, one); err == nil {
		t.Error("a NaN score was ranked")
	}
	huge := []measure.Measure{{Kind: measure.NDCG, Exponential: true}}
	if _, err := ir.Evaluate(trec.Qrels{"q": {"d": 5000}}, trec.Run{"q": {{Doc: "d", Score: 1}}}, huge); err == nil {
		t.Error("2^5000 is no gain")
	}
}

// Neither the order of the rows nor any rescaling that keeps the order of the scores changes a value.
func TestOnlyTheRankingCounts(t *testing.T) {
	names := []string{"nDCG", "nDCG@5", "AP", "AP@7", "P@5", "R@20", "RR", "RR@3", "Success@2", "nDCG(dcg='exp-log2')@10"}
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		qrels, run := randomData(random)
		want := evaluate(t, qrels, run, names...)
		shuffled := trec.Run{}
		for query, scored := range run {
			copied := append([]trec.Scored(nil), scored...)
			random.Shuffle(len(copied), func(i, j int) { copied[i], copied[j] = copied[j], copied[i] })
			for i := range copied {
				copied[i].Score = copied[i].Score*4 - 100
			}
			shuffled[query] = copied
		}
		if got := evaluate(t, qrels, shuffled, names...); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v became %v", seed, want.All, got.All)
		}
		for i, mean := range want.All {
			if mean < 0 || mean > 1 {
				t.Errorf("seed %d: %s is %v", seed, names[i], mean)
			}
		}
	}
}

func randomData(random *rand.Rand) (trec.Qrels, trec.Run) {
	qrels, run := trec.Qrels{}, trec.Run{}
	for q := range 10 {
		query := fmt.Sprint("q", q)
		qrels[query] = map[string]int{}
		for d := range 30 {
			if random.IntN(2) == 0 {
				qrels[query][fmt.Sprint("d", d)] = random.IntN(5) - 1
			}
			if q%4 != 0 && random.IntN(2) == 0 {
				run[query] = append(run[query], trec.Scored{Doc: fmt.Sprint("d", d), Score: float64(random.IntN(6))})
			}
		}
		if len(qrels[query]) == 0 {
			delete(qrels, query)
		}
	}
	return qrels, run
}

func TestTheBestRankingScoresOneAndSwapsCost(t *testing.T) {
	qrels := trec.Qrels{"q": {"a": 3, "b": 2, "c": 1, "d": 0}}
	ideal := trec.Run{"q": {{Doc: "a", Score: 4}, {Doc: "b", Score: 3}, {Doc: "c", Score: 2}, {Doc: "d", Score: 1}}}
	for i, mean := range evaluate(t, qrels, ideal, "nDCG", "nDCG@2", "AP", "RR", "nDCG(dcg='exp-log2')").All {
		if mean != 1 {
			t.Errorf("measure %d of the ideal ranking: %v", i, mean)
		}
	}
	swapped := trec.Run{"q": {{Doc: "b", Score: 4}, {Doc: "a", Score: 3}, {Doc: "c", Score: 2}, {Doc: "d", Score: 1}}}
	if got := evaluate(t, qrels, swapped, "nDCG").All[0]; got >= 1 {
		t.Errorf("a swap of grades 3 and 2 costs nothing: %v", got)
	}
}

func TestTieShare(t *testing.T) {
	qrels := trec.Qrels{"tied": {"x": 1}, "cut": {"x": 1}, "below": {"x": 1}, "clear": {"x": 1}, "unanswered": {"x": 1}}
	run := trec.Run{
		"tied":     {{Doc: "a", Score: 2}, {Doc: "b", Score: 2}, {Doc: "c", Score: 1}},
		"cut":      {{Doc: "a", Score: 3}, {Doc: "b", Score: 2}, {Doc: "c", Score: 2}}, // ranks 2 and 3 tie across the cut at 2
		"below":    {{Doc: "a", Score: 4}, {Doc: "b", Score: 3}, {Doc: "c", Score: 2}, {Doc: "d", Score: 2}},
		"clear":    {{Doc: "a", Score: 4}, {Doc: "b", Score: 3}, {Doc: "c", Score: 2}},
		"unjudged": {{Doc: "a", Score: 1}, {Doc: "b", Score: 1}},
	}
	if got := ir.TieShare(qrels, run, 2); got != 0.4 {
		t.Errorf("got %v, want 2 of 5", got)
	}
	if got := ir.TieShare(nil, run, 2); got != 0 {
		t.Errorf("without queries: %v", got)
	}
}

func TestReportShowsTrecEvalsColumns(t *testing.T) {
	qrels := trec.Qrels{"q1": {"d": 1}, "q2": {"d": 1}, "q10": {"d": 1}}
	run := trec.Run{"q1": {{Doc: "d", Score: 1}}, "q2": {{Doc: "e", Score: 2}, {Doc: "d", Score: 1}}}
	report := ir.NewReport(evaluate(t, qrels, run, "RR@10", "nDCG(dcg='exp-log2')@10"))
	var short, long, table bytes.Buffer
	if err := report.WriteColumns(&short, false); err != nil {
		t.Fatal(err)
	}
	const all = "RR@10                 \tall\t0.5000\nnDCG(dcg='exp-log2')@10\tall\t0.5436\n"
	if short.String() != all {
		t.Errorf("got\n%s", short.String())
	}
	if err := report.WriteColumns(&long, true); err != nil {
		t.Fatal(err)
	}
	want := "RR@10                 \tq1\t1.0000\nnDCG(dcg='exp-log2')@10\tq1\t1.0000\n" +
		"RR@10                 \tq10\t0.0000\nnDCG(dcg='exp-log2')@10\tq10\t0.0000\n" +
		"RR@10                 \tq2\t0.5000\nnDCG(dcg='exp-log2')@10\tq2\t0.6309\n" + all
	if long.String() != want {
		t.Errorf("got\n%s", long.String())
	}
	if err := report.WriteTSV(&table); err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(table.String(), "\n"); len(got) != 8 || got[0] != "query\tmeasure\tvalue" || got[5] != "q2\tRR@10\t0.5" {
		t.Errorf("got %q", got)
	}
}

func TestReportsJSONIsTheContract(t *testing.T) {
	qrels := trec.Qrels{"q1": {"d": 1}, "q2": {"d": 1}}
	text, err := json.Marshal(ir.NewReport(evaluate(t, qrels, trec.Run{"q1": {{Doc: "d", Score: 1}}}, "nDCG@10", "RR")))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"measures":{"RR":0.5,"nDCG@10":0.5},"queries":2,` +
		`"answered":1,"no_relevant":0,"unjudged_queries":0,"returned":1,"returned_judged":1,"self_dropped":0,` +
		`"per_query":{"q1":{"RR":1,"nDCG@10":1},"q2":{"RR":0,"nDCG@10":0}}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// With (rel=2) a query whose best grade is 1 counts as 0: the mean says nothing of the ranking, so
// it is counted and said.
func TestQueriesWithoutAGradeThatAMeasureNeedsAreCounted(t *testing.T) {
	qrels := trec.Qrels{"q1": {"d": 1}, "q2": {"d": 2}, "q3": {"d": 0}}
	run := trec.Run{"q1": {{Doc: "d", Score: 1}}, "q2": {{Doc: "d", Score: 1}}, "q3": {{Doc: "d", Score: 1}}}
	graded := evaluate(t, qrels, run, "RR(rel=2)", "P(rel=3)@5", "AP").Coverage
	if got := graded.NoRelevantAt; graded.NoRelevant != 1 || len(got) != 2 || got[2] != 2 || got[3] != 3 {
		t.Errorf("without a relevant document: %d, and by level %v; want 1, and 2 at 2, 3 at 3", graded.NoRelevant, got)
	}
	notices := strings.Join(graded.Notices(), "\n")
	for _, want := range []string{
		"2 judged queries have no document with a grade of 2 or more; measures with (rel=2) count each as 0",
		"3 judged queries have no document with a grade of 3 or more; measures with (rel=3) count each as 0",
	} {
		if !strings.Contains(notices, want) {
			t.Errorf("the notices lack %q:\n%s", want, notices)
		}
	}
	if plain := evaluate(t, qrels, run, "nDCG@10", "RR@10").Coverage; plain.NoRelevantAt != nil {
		t.Errorf("measures without a level: %v", plain.NoRelevantAt)
	}
}

func TestARankThatIsThereTwiceIsNamed(t *testing.T) {
	run := trec.Run{"q": {{Doc: "a", Score: -1}, {Doc: "b", Score: -7}, {Doc: "c", Score: -7}}}
	m, err := measure.ParseAll([]string{"nDCG@10"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ir.EvaluateByRank(trec.Qrels{"q": {"a": 1}}, run, m); err == nil || !strings.Contains(err.Error(), "two documents have rank 7") {
		t.Errorf("got %v", err)
	}
}
