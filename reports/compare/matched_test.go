package compare_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/reports/compare"
)

// costly is a sweep over λ and k in which a model's value depends on its FLOPS and on
// gain[k]: at k = 16 everything is four times as dense. Each cell has three seeds.
func costly(gain map[float64]float64, lambdas ...float64) *compare.Input {
	in := &compare.Input{Sweep: "cost"}
	for k, plus := range gain {
		for _, lambda := range lambdas {
			for seed := range 3 {
				flops := 2 / lambda
				if k == 16 {
					flops *= 4
				}
				flops *= 1 + .02*float64(seed)
				r := compare.Run{ID: fmt.Sprintf("%g-%g-%d", k, lambda, seed), Backbone: "org/model", Rescale: k, Seed: int64(seed), State: "done", Verdict: "healthy",
					Config: []compare.Setting{{Key: "model.backbone", Value: "org/model"}, {Key: "model.rescale", Value: fmt.Sprint(k)},
						{Key: "regularizer.lambda_document", Value: fmt.Sprint(lambda)}, {Key: "regularizer.lambda_query", Value: fmt.Sprint(lambda)},
						{Key: "seed", Value: fmt.Sprint(seed)}}}
				r.Evaluations = []compare.Evaluation{evaluated(flops, plus, seed)}
				in.Runs = append(in.Runs, r)
			}
		}
	}
	return in
}

// worth is the value of a model at a cost: straight on its logarithm.
func worth(flops, plus float64) float64 { return .3 + .05*math.Log(flops) + plus }

func evaluated(flops, plus float64, seed int) compare.Evaluation {
	values := map[string]float64{}
	var sum float64
	for q := range 60 {
		// Noise per query and seed, whose mean over queries is the same for each seed.
		v := worth(flops, plus) + .1*math.Sin(float64(q)) + .05*math.Cos(float64(7*q+13*seed))
		values[fmt.Sprint("q", q)] = v
		sum += v
	}
	return compare.Evaluation{Dataset: "c", Split: "test", Queries: 60, Flops: flops, ActiveQuery: 10, ActiveDocument: 50,
		Measures: map[string]float64{"nDCG@10": sum / 60}, PerQuery: map[string]map[string]float64{"nDCG@10": values}}
}

func TestEqualCost(t *testing.T) {
	c := compared(t, costly(map[float64]float64{1: 0, 4: .1, 16: 0}, .1, .4, 1.6))
	found := map[string]int{}
	for _, m := range c.Matched {
		found[m.K]++
		want, verdict := 0.0, compare.NoEvidence
		if m.K == "4" {
			want, verdict = .1, compare.Above
		}
		if m.Why != "" || math.Abs(m.Mean-want) > 1e-9 || m.Verdict() != verdict || m.SeedsA != 3 || m.SeedsB != 3 {
			t.Errorf("k = %s at %v: %+v (%s), want %v, %s", m.K, m.Flops, m.Mean, m.Verdict(), want, verdict)
		}
		if math.Abs(m.MeanB-worth(m.Flops, 0)) > .02 {
			t.Errorf("k = 1 at %v FLOPS is %v, its curve says %v", m.Flops, m.MeanB, worth(m.Flops, 0))
		}
		if m.Flops < map[string]float64{"4": 1.25, "16": 5}[m.K] || m.Flops > 20*1.05 {
			t.Errorf("%v FLOPS were not reached by both", m.Flops)
		}
	}
	if found["4"] == 0 || found["16"] == 0 || len(found) != 2 {
		t.Errorf("compared %v", found)
	}
	// As trained, at each λ, the denser k = 16 is the best one: the trap.
	for _, line := range c.Lines {
		if d := c.Contrast(compare.BestNatural, line, "c"); d == nil || d.A == "" {
			t.Errorf("%s: no contrast as trained", line.Name())
		}
	}
	if len(c.Answer) != 2 || !strings.Contains(c.Answer[0], "k = 4 is above k = 1 at what k = 1 costs, ") {
		t.Errorf("answer %q", c.Answer)
	}
}

func TestEqualCostOfCutVectors(t *testing.T) {
	in := costly(map[float64]float64{1: 0, 16: .1}, .4) // 5 and 20 FLOPS: nothing in common but by cutting
	for _, m := range compared(t, in).Matched {
		if m.Why != "not comparable: no common cost (k=16 at 20.0 to 20.8 FLOPS, k=1 at 5.00 to 5.20)" {
			t.Errorf("why %q", m.Why)
		}
		if !math.IsNaN(m.P) || m.Verdict() != "~" {
			t.Errorf("claims %+v", m)
		}
	}
	for i := range in.Runs {
		r := &in.Runs[i]
		for _, terms := range []int{32, 8} {
			cut := evaluated(r.Evaluations[0].Flops*float64(terms)/128, map[float64]float64{1: 0, 16: .1}[r.Rescale], int(r.Seed))
			r.Evaluations[0].Curve = append(r.Evaluations[0].Curve, compare.CurvePoint{Side: "document", Terms: terms, Measures: cut.Measures, Flops: cut.Flops, PerQuery: cut.PerQuery})
		}
	}
	c := compared(t, in)
	if len(c.Matched) == 0 {
		t.Fatal("nothing compared")
	}
	for _, m := range c.Matched {
		if m.Why != "" || math.Abs(m.Mean-.1) > 1e-9 || m.Verdict() != "above" || !strings.HasPrefix(m.WayA, "cut documents") {
			t.Errorf("%+v", m)
		}
	}
}

func TestEqualCostWithoutHealthyRuns(t *testing.T) {
	in := costly(map[float64]float64{1: 0, 4: .1}, .4, 1.6)
	for i := range in.Runs {
		if in.Runs[i].Rescale == 1 {
			in.Runs[i].Verdict = "empty"
		}
	}
	c := compared(t, in)
	if len(c.Matched) != 1 || c.Matched[0].Why != "not comparable: k=1 collapsed in 6 of 6 runs" {
		t.Fatalf("%+v", c.Matched)
	}
	if len(c.Answer) != 1 || !strings.Contains(c.Answer[0], "k=1 collapsed in 6 of 6 runs") {
		t.Errorf("answer %q", c.Answer)
	}
}

// TestAnswerIsAtTheCostOfTheNaturalHead: one sentence per factor, at the cost of k = 1 as
// trained; of its λ the one at which k = 1 is best.
func TestAnswerIsAtTheCostOfTheNaturalHead(t *testing.T) {
	c := compared(t, costly(map[float64]float64{1: 0, 4: .1, 16: 0}, .1, .4, 1.6))
	if len(c.Answer) != 2 {
		t.Fatalf("answer %q", c.Answer)
	}
	// k = 4 with λ .1 costs 20 and more; k = 1 costs 20 there, 5 and 1.25 elsewhere.
	for i, want := range []string{"what k = 1 costs, 20.0 FLOPS (λ 0.1): ", "what k = 1 costs, 20.0 FLOPS (λ 0.1): "} {
		if !strings.Contains(c.Answer[i], want) || strings.Count(c.Answer[i], "FLOPS") != 1 {
			t.Errorf("answer %q, want %q", c.Answer[i], want)
		}
	}
	if strings.Contains(c.Answer[1], "is above") || !strings.Contains(c.Answer[1], "no evidence (~) that k = 16 differs from k = 1") {
		t.Errorf("answer %q", c.Answer[1])
	}
	in := costly(map[float64]float64{1: 0}, .4)
	if got := compared(t, in).Answer; len(got) != 1 || got[0] != "Only k = 1 is there: no factor is compared." {
		t.Errorf("k = 1 alone: %q", got)
	}
	in = costly(map[float64]float64{4: 0}, .4)
	if got := compared(t, in).Answer; len(got) != 1 || !strings.HasPrefix(got[0], "No finished run has k = 1") {
		t.Errorf("no k = 1: %q", got)
	}
}

// TestBudgetWhereBothAreAsTrained: if a λ of a factor costs a little less than k = 1, that
// is the budget; its vectors need not be cut from those of a much denser model.
func TestBudgetWhereBothAreAsTrained(t *testing.T) {
	in := costly(map[float64]float64{1: 0, 4: .1}, .1, .4) // 20 and 5 FLOPS and a little more, by seed
	for i := range in.Runs {
		r := &in.Runs[i]
		if r.Rescale == 4 && r.Setting("regularizer.lambda_query") == "0.4" {
			r.Evaluations[0].Flops = 4.5 + .1*float64(r.Seed)
		}
		whole := r.Evaluations[0]
		cut := evaluated(whole.Flops/10, map[float64]float64{1: 0, 4: -.2}[r.Rescale], int(r.Seed)) // cutting k = 4 costs much
		r.Evaluations[0].Curve = []compare.CurvePoint{{Side: "document", Terms: 8, Measures: cut.Measures, Flops: cut.Flops, PerQuery: cut.PerQuery}}
	}
	c := compared(t, in)
	found := false
	for _, m := range c.Matched {
		if m.Flops == 4.5 {
			found = true
			if math.Abs(m.MeanA-worth(5, .1)) > .02 {
				t.Errorf("k = 4 reaches %v as trained, want about %v", m.MeanA, worth(5, .1))
			}
		}
		if m.Flops == 5 {
			t.Errorf("%v FLOPS is a budget beside 4.5", m.Flops)
		}
	}
	if !found {
		t.Errorf("4.5 FLOPS is no budget: %v", c.Answer)
	}
}
