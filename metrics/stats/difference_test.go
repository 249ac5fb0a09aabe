package stats_test

import (
	"math"
	"testing"

	"headroom/metrics/stats"
)

func within(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s = %.7g, want %.7g within %.1g", what, got, want, by)
	}
}

func variance(value, df float64) stats.Variance { return stats.Variance{Value: value, DF: df} }

// The two limits of the method are Student's t: with no spread over queries it is
// the t of the seeds, with no seeds it is the t of the queries.
func TestLimitsAreStudents(t *testing.T) {
	half, p := stats.Judge(.1, variance(0, 699), variance(2e-4, 1), 0)
	within(t, "seeds alone: half", half, stats.TQuantile(.975, 1)*math.Sqrt(2e-4), 1e-6)
	within(t, "seeds alone: p", p, 2*stats.TCDF(-.1/math.Sqrt(2e-4), 1), 1e-7)

	half, p = stats.Judge(.05, variance(0, 699), variance(4e-4*2/3, 4), 0)
	within(t, "three and three seeds: half", half, .045339, 1e-6)
	within(t, "three and three seeds: p", p, .037590, 1e-6)

	half, p = stats.Judge(.2, variance(.009, 9), stats.Variance{}, 0)
	within(t, "queries alone: half", half, stats.TQuantile(.975, 9)*math.Sqrt(.009), 1e-6)
	within(t, "queries alone: p", p, .064259, 1e-6)
}

// Both parts at once, with the residual subtracted. More such cases are in TestReference.
func TestCompareSmall(t *testing.T) {
	a := stats.Arm{Values: [][]float64{{1, .5, 0, .5, 1, .5, 0, 1, .5, .5}, {.5, .5, 0, 1, 1, .5, .5, 1, .5, .5}}}
	b := stats.Arm{Values: [][]float64{{.5, 0, 0, .5, 1, .5, 0, .5, .5, 0}, {.5, .5, 0, .5, .5, .5, 0, .5, 0, 0}}}
	d, err := stats.Compare(a, b, stats.Variance{}, .95)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "mean", d.Mean, .25, 1e-12)
	within(t, "half", d.HalfWidth(), .165329, 2e-5)
	within(t, "p", d.P, .020055, 1e-5)
	if d.Seeds != stats.Own || d.SeedsA != 2 || d.SeedsB != 2 || d.Queries != 10 || d.Differ != 8 {
		t.Errorf("%+v", d)
	}
}

func TestRealRowsOfTheDemo(t *testing.T) {
	own := stats.PoolVariances([]stats.Variance{variance(3.30211e-7, 1), variance(2.32348e-4, 1)})
	others := stats.PoolVariances([]stats.Variance{
		variance(1.11686e-4, 1), variance(9.20984e-6, 1), variance(3.52102e-4, 1), variance(6.66559e-5, 1)})
	v, source := stats.ShareVariance(own, others)
	within(t, "pooled", v.Value, 1.28722e-4, 1e-9)
	if v.DF != 6 || source != stats.Shared {
		t.Errorf("df %v, source %v", v.DF, source)
	}
	inside := .0437474/1400 + .0360245/1400
	half, p := stats.Judge(.105963, variance(.0672775/700, 699), variance(v.Value, v.DF), inside)
	within(t, "with the other points: half", half, .030210, 2e-5)
	within(t, "with the other points: p", p, .000091, 2e-6)
	half, p = stats.Judge(.105963, variance(.0672775/700, 699), variance(own.Value, own.DF), inside)
	within(t, "without: half", half, .047578, 2e-5)
	within(t, "without: p", p, .010309, 1e-5)

	own = stats.PoolVariances([]stats.Variance{variance(7.36282e-4, 1), variance(2.3803e-3, 1)})
	others = stats.PoolVariances([]stats.Variance{
		variance(4.09237e-6, 1), variance(8.9448e-7, 1), variance(3.40846e-4, 1), variance(1.37689e-4, 1)})
	if v, source = stats.ShareVariance(own, others); source != stats.Own || v != own {
		t.Errorf("a clearly noisier pair took the others' variance: %+v", v)
	}
	half, p = stats.Judge(-.0900863*-1, variance(.113745/105, 104), variance(own.Value, own.DF), (.0430119+.0774836)/210)
	within(t, "noisier than the rest: half", half, .174174, 5e-5)
	within(t, "noisier than the rest: p", p, .169014, 5e-5)
}

func TestWhatCannotBeTested(t *testing.T) {
	row := func(n int, f func(q int) float64) []float64 {
		out := make([]float64, n)
		for q := range out {
			out[q] = f(q)
		}
		return out
	}
	third := func(q int) float64 { return float64(q%3) / 2 }
	half := func(q int) float64 { return float64(q%2) / 2 }
	for name, c := range map[string]struct {
		a, b stats.Arm
	}{
		"nine queries":          {stats.Arm{Values: [][]float64{row(9, third), row(9, half)}}, stats.Arm{Values: [][]float64{row(9, half)}}},
		"five of fifty differ":  {stats.Arm{Values: [][]float64{row(50, third)}}, stats.Arm{Values: [][]float64{row(50, func(q int) float64 { return third(q) + map[bool]float64{true: .5}[q < 5] })}}},
		"the same, bit for bit": {stats.Arm{Values: [][]float64{row(50, third)}}, stats.Arm{Values: [][]float64{row(50, third)}}},
	} {
		d, err := stats.Compare(c.a, c.b, stats.Variance{}, .95)
		if err != nil {
			t.Fatal(err)
		}
		if d.Testable() || d.Interval.Excludes(0) || !math.IsNaN(d.Interval.Low) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if _, err := stats.Compare(stats.Arm{Values: [][]float64{{1, 2}}}, stats.Arm{Values: [][]float64{{1}}}, stats.Variance{}, .95); err == nil {
		t.Error("different queries were compared")
	}
	if _, err := stats.Compare(stats.Arm{Values: [][]float64{{1, math.NaN()}}}, stats.Arm{Values: [][]float64{{1, 2}}}, stats.Variance{}, .95); err == nil {
		t.Error("NaN was compared")
	}
}

func TestOneSeed(t *testing.T) {
	r := newRandom(3)
	a, b, _ := worlds[0].draw(r, 1, 100)
	alone, err := stats.Compare(a, b, stats.Variance{}, .95)
	if err != nil {
		t.Fatal(err)
	}
	borrowed, err := stats.Compare(a, b, variance(4e-4, 6), .95)
	if err != nil {
		t.Fatal(err)
	}
	if alone.Seeds != stats.NoSeeds || borrowed.Seeds != stats.Borrowed || borrowed.Variance.DF != 4 || !math.IsNaN(borrowed.OwnP) {
		t.Errorf("alone %+v, borrowed %+v", alone, borrowed)
	}
	if !(borrowed.HalfWidth() > alone.HalfWidth()) {
		t.Errorf("other points' seeds do not widen the interval: %v, %v", borrowed.HalfWidth(), alone.HalfWidth())
	}
}
