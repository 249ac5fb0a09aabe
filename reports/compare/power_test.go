package compare_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

// TestPowerIsOfTheAnswer reckons by hand what the power of a sweep is made of.
func TestPowerIsOfTheAnswer(t *testing.T) {
	c := compared(t, costly(map[float64]float64{1: 0, 4: .1, 16: .05}, .1, .4, 1.6))
	power, ok := c.Power()
	if !ok || power.Tests != 2 || power.Seeds != 3 || power.Queries != 60 || power.Dataset != "c" || power.Measure != "nDCG@10" {
		t.Fatalf("%v %+v", ok, power)
	}
	want := 0.0
	for _, m := range c.Matched {
		if m.Answers {
			want = max(want, m.Noise.Least(60, 3, 1-.05/2, .8))
		}
	}
	if s := power.Shown; math.Abs(s.Noisiest-want) > 1e-12 || !(want > 0) || !(s.Quietest <= s.Noisiest) {
		t.Errorf("shown %+v, want %v", power.Shown, want)
	}
	if len(power.More) != 2 || power.More[0].Seeds != 5 || power.More[1].Seeds != 10 || power.More[1].Noisiest > power.More[0].Noisiest || power.More[0].Noisiest > power.Shown.Noisiest {
		t.Errorf("more seeds: %+v", power.More)
	}
	text := power.Sentence()
	for _, part := range []string{"With 3 seeds per point and 60 queries on c a true difference in nDCG@10 of " + power.Shown.String(),
		"after Holm over 2 tests", "it would be " + power.More[0].String() + " with 5 and"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	if !strings.Contains(fmt.Sprint(c.Limits), text) {
		t.Error("the limits do not say it")
	}
}

func TestPowerOfOneSeedIsUnknown(t *testing.T) {
	in := costly(map[float64]float64{1: 0, 4: .1}, .1, .4)
	var one []compare.Run
	for _, r := range in.Runs {
		if r.Seed == in.Runs[0].Seed {
			one = append(one, r)
		}
	}
	in.Runs = one
	if power, ok := compared(t, in).Power(); ok {
		t.Errorf("one seed gives %+v", power)
	}
}

// TestFamiliesAreQuestions holds each p to Holm over the contrasts of its own question.
func TestFamiliesAreQuestions(t *testing.T) {
	c := compared(t, sample.Lambda())
	tested := map[compare.Kind]int{}
	for _, d := range c.Contrasts {
		if d.Claims() {
			tested[d.Kind]++
		}
		if d.Kind != compare.BetweenLines {
			continue
		}
		a, b := strings.Split(d.A, ", λ "), strings.Split(d.B, ", λ ")
		if (a[0] == b[0]) == (strings.Fields(a[1])[0] == strings.Fields(b[1])[0]) {
			t.Errorf("%s against %s: they do not differ in one thing", d.A, d.B)
		}
	}
	if tested[compare.BestNatural] == 0 || tested[compare.BetweenLines] != 8 {
		t.Fatalf("tested %v, want 4 pairs of lines on 2 collections", tested)
	}
	for kind, n := range map[compare.Kind]int{compare.BestNatural: tested[compare.BestNatural], compare.BetweenLines: tested[compare.BetweenLines]} {
		least, adjusted := 2.0, 0.0
		for _, d := range c.Contrasts {
			if d.Kind == kind && d.Claims() && d.P < least {
				least, adjusted = d.P, d.Adjusted
			}
		}
		if want := math.Min(1, least*float64(n)); math.Abs(adjusted-want) > 1e-12 {
			t.Errorf("%s: the least p is %v and becomes %v, want %v", kind, least, adjusted, want)
		}
	}
	answers := 0
	least, adjusted := 2.0, 0.0
	for _, m := range c.Matched {
		if m.Answers && m.Claims() {
			answers++
			if m.P < least {
				least, adjusted = m.P, m.Adjusted
			}
		}
	}
	if want := math.Min(1, least*float64(answers)); answers == 0 || math.Abs(adjusted-want) > 1e-12 {
		t.Errorf("at equal cost the least of %d p is %v and becomes %v", answers, least, adjusted)
	}
}
