package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"headroom/metrics/stats"
)

// reference is what testdata/reference.py wrote with numpy and scipy.
type reference struct {
	TQuantile []struct{ P, DF, Want float64 } `json:"t_quantile"`
	TCDF      []struct{ T, DF, Want float64 } `json:"t_cdf"`
	TInterval []struct {
		Values           []float64
		Level, Low, High float64
	} `json:"t_interval"`
	FCDF     []struct{ X, D1, D2, Want float64 } `json:"f_cdf"`
	Compared []struct {
		A, B          [][]float64
		FixedB        bool       `json:"fixed_b"`
		Pool          [2]float64 // variance, degrees of freedom
		Mean, P, Half float64
	}
	Quantile []struct {
		Values  []float64
		P, Want float64
	}
}

// near: both are float64 computations of well-conditioned quantities, so they
// differ in the last few digits only.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

func TestReference(t *testing.T) {
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(text, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.TQuantile) == 0 || len(ref.TCDF) == 0 || len(ref.FCDF) == 0 || len(ref.Compared) == 0 {
		t.Fatal("reference.json lacks a section")
	}
	for _, c := range ref.TQuantile {
		near(t, "TQuantile", stats.TQuantile(c.P, c.DF), c.Want)
		near(t, "TQuantile mirrored", stats.TQuantile(1-c.P, c.DF), -c.Want)
	}
	for _, c := range ref.TCDF {
		near(t, "TCDF", stats.TCDF(c.T, c.DF), c.Want)
	}
	for _, c := range ref.TInterval {
		got, err := stats.TInterval(c.Values, c.Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "TInterval low", got.Low, c.Low)
		near(t, "TInterval high", got.High, c.High)
	}
	for _, c := range ref.Quantile {
		near(t, "Quantile", stats.Quantile(c.Values, c.P), c.Want)
	}
	for _, c := range ref.FCDF {
		near(t, "FCDF", stats.FCDF(c.X, c.D1, c.D2), c.Want)
	}
	for i, c := range ref.Compared {
		got, err := stats.Compare(stats.Arm{Values: c.A}, stats.Arm{Values: c.B, Fixed: c.FixedB}, variance(c.Pool[0], c.Pool[1]), .95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("Compare %d mean", i), got.Mean, c.Mean)
		// The grid over logarithms is good to about 1e-4 of probability, where the
		// residual's subtraction makes a kink; the reference to 1e-7. A report prints two digits.
		within(t, fmt.Sprintf("Compare %d p", i), got.P, c.P, 1e-4)
		within(t, fmt.Sprintf("Compare %d half", i), got.HalfWidth(), c.Half, 1e-4)
	}
}
