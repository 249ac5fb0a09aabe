package ir_test

import (
	"math"
	"testing"

	"headroom/data/trec"
	"headroom/metrics/ir"
)

func TestTieMassIsTheShareOfPlacesThatIDsDecide(t *testing.T) {
	qrels := trec.Qrels{"tied": {"x": 1}, "cut": {"x": 1}, "below": {"x": 1}, "short": {"x": 1}, "unanswered": {"x": 1}}
	run := trec.Run{
		"tied":     {{Doc: "a", Score: 2}, {Doc: "b", Score: 2}, {Doc: "c", Score: 1}},                       // 2 of 2 places
		"cut":      {{Doc: "a", Score: 3}, {Doc: "b", Score: 2}, {Doc: "c", Score: 2}},                       // 1 of 2: rank 3 could be rank 2
		"below":    {{Doc: "a", Score: 4}, {Doc: "b", Score: 3}, {Doc: "c", Score: 2}, {Doc: "d", Score: 2}}, // none
		"short":    {{Doc: "a", Score: 4}},                                                                   // none of 1
		"unjudged": {{Doc: "a", Score: 1}, {Doc: "b", Score: 1}},
	}
	if got, want := ir.TieMass(qrels, run, 2), (1+0.5)/5; math.Abs(got-want) > 1e-15 {
		t.Errorf("got %v, want %v", got, want)
	}
	constant := trec.Run{}
	for q := range qrels {
		constant[q] = []trec.Scored{{Doc: "a", Score: 1}, {Doc: "b", Score: 1}, {Doc: "c", Score: 1}}
	}
	if got := ir.TieMass(qrels, constant, 2); got != 1 {
		t.Errorf("a constant model: %v", got)
	}
	if got := ir.TieMass(nil, run, 2); got != 0 {
		t.Errorf("without queries: %v", got)
	}
}
