package outline

import (
	"math"
	"slices"
	"testing"
)

// TestSmooth by hand: 100 values have a window of 2 to each side. At a start and after a gap it
// is smaller, at an end and before a gap it keeps the 2 before.
func TestSmooth(t *testing.T) {
	s := Series{}
	for i := range 100 {
		s.Steps, s.Values = append(s.Steps, i), append(s.Values, float64(i*i))
	}
	s.Values[50] = math.NaN()
	got := smooth(s, identity, identity).Values
	for i, want := range map[int]float64{
		0: 0, 1: (0. + 1 + 4) / 3, 2: (0. + 1 + 4 + 9 + 16) / 5, 10: (64. + 81 + 100 + 121 + 144) / 5,
		49: (47.*47 + 48*48 + 49*49) / 3, 48: (46.*46 + 47*47 + 48*48 + 49*49) / 4, 51: 51 * 51,
		99: (97.*97 + 98*98 + 99*99) / 3, 98: (96.*96 + 97*97 + 98*98 + 99*99) / 4,
	} {
		if math.Abs(got[i]-want) > 1e-9 {
			t.Errorf("value %d is %v, want %v", i, got[i], want)
		}
	}
	if !math.IsNaN(got[50]) {
		t.Errorf("the gap is %v", got[50])
	}
	// On a logarithmic axis 1, 10, 100 have the mean 10.
	logs := Series{Steps: s.Steps[:50], Values: slices.Repeat([]float64{1}, 50)}
	logs.Values[20], logs.Values[21] = 10, 100
	if got := smooth(logs, math.Log, math.Exp).Values[20]; math.Abs(got-10) > 1e-9 {
		t.Errorf("the geometric mean is %v", got)
	}
}
