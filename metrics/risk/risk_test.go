package risk_test

import (
	"errors"
	"math"
	"testing"

	"headroom/metrics/risk"
)

func TestPressureAndChanceByHand(t *testing.T) {
	s := risk.Setting{LambdaQuery: .01, LambdaDocument: .03, InfoNCE: 4, Rate: 2e-3, Ramp: 50}
	if got, want := s.Pressure(), .02*4*2e-3/50; math.Abs(got-want) > 1e-18 {
		t.Errorf("pressure %v, want %v", got, want)
	}
	rule := risk.Rule{Intercept: 6, Slope: 1}
	if got := rule.Chance(1e-6); math.Abs(got-.5) > 1e-12 {
		t.Errorf("chance at the rule's middle %v", got)
	}
	if got, want := rule.Chance(0), 1/(1+math.Exp(6)); math.Abs(got-want) > 1e-12 {
		t.Errorf("chance without λ %v, want %v", got, want)
	}
	if got := rule.Chance(math.NaN()); got == got {
		t.Errorf("chance of what is no number: %v", got)
	}
}

// the pressure is InfoNCE · 10⁻⁹, and safe up to 1.12 of it.
func TestSafeFrom(t *testing.T) {
	rule := risk.Rule{Intercept: 8.95 - math.Log(19), Slope: 1} // a chance of .05 at log10 x = −8.95
	s := risk.Setting{LambdaQuery: 1e-4, LambdaDocument: 1e-4, Rate: 1e-3, Ramp: 100}
	scales := []risk.Scale{{K: 1, InfoNCE: 40}, {K: 2, InfoNCE: .9}, {K: 4, InfoNCE: 1.2}, {K: 8, InfoNCE: 1}, {K: 16, InfoNCE: .95}}
	if k, ok := rule.SafeFrom(s, scales); !ok || k != 8 {
		t.Errorf("safe from %v (%t), want 8: 2 is safe, but 4 is not", k, ok)
	}
	s.LambdaQuery = 1
	if k, ok := rule.SafeFrom(s, scales); ok {
		t.Errorf("safe from %v under a λ that is too strong", k)
	}
	scales[4].InfoNCE = math.NaN()
	s.LambdaQuery = 1e-4
	if k, ok := rule.SafeFrom(s, scales); ok {
		t.Errorf("safe from %v where the largest k is unknown", k)
	}
}

func TestAUCByHand(t *testing.T) {
	for _, c := range []struct {
		scores    []float64
		collapsed []bool
		want      float64
	}{
		{[]float64{1, 2, 3, 4}, []bool{false, false, true, true}, 1},
		{[]float64{1, 2, 3, 4}, []bool{true, true, false, false}, 0},
		{[]float64{1, 1, 1}, []bool{true, false, false}, .5},
		{[]float64{3, 1, 2, 2}, []bool{true, false, true, false}, 3.5 / 4},
		{[]float64{3, 1, math.NaN()}, []bool{true, false, false}, 1},
	} {
		if got := risk.AUC(c.scores, c.collapsed); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("AUC(%v, %v) = %v, want %v", c.scores, c.collapsed, got, c.want)
		}
	}
	if got := risk.AUC([]float64{1, 2}, []bool{true, true}); got == got {
		t.Errorf("the AUC of one kind is %v", got)
	}
}

// At the maximum the gradient of the penalized likelihood is zero: the chances sum to the
// number of collapses, and their errors by the standardized quantity to the slope.
func TestFitIsAMaximum(t *testing.T) {
	x := []float64{1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3}
	y := []bool{false, false, true, false, true, true}
	rule, err := risk.Fit(x, y)
	if err != nil {
		t.Fatal(err)
	}
	mean, spread := -5.5, math.Sqrt(35./12)
	var errors0, errors1 float64
	for i := range x {
		e := -rule.Chance(x[i])
		if y[i] {
			e++
		}
		errors0 += e
		errors1 += e * (math.Log10(x[i]) - mean) / spread
	}
	if math.Abs(errors0) > 1e-6 || math.Abs(errors1-rule.Slope*spread) > 1e-6 || rule.Slope <= 0 {
		t.Errorf("rule %+v: errors %v and %v", rule, errors0, errors1)
	}
	parted, err := risk.Fit([]float64{1e-8, 1e-7, 1e-3, 1e-2}, []bool{false, false, true, true})
	if err != nil || parted.Slope > 5 || parted.Chance(1e-8) > .4 {
		t.Errorf("a perfect parting gives %+v (%v)", parted, err)
	}
	if even, err := risk.Fit([]float64{.3, .1 + .2, .3}, []bool{false, true, false}); err != nil || math.Abs(even.Slope) > 1e-6 || math.Abs(even.Chance(.3)-1./3) > 1e-6 {
		t.Errorf("one value gives %+v (%v)", even, err)
	}
	if _, err := risk.Fit(x, make([]bool, 6)); !errors.Is(err, risk.ErrOneKind) {
		t.Errorf("no collapse: %v", err)
	}
}
