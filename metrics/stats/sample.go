package stats

import (
	"fmt"
	"math"
)

// Sample is a set of values of one kind, such as one measure over the seeds of
// a point.
type Sample struct {
	N    int
	Mean float64 // NaN if N is 0
	SD   float64 // with N-1 in the denominator; NaN if N < 2
	Min  float64 // NaN if N is 0
	Max  float64 // NaN if N is 0
}

// Summarize describes values. Non-finite values make the mean and the spread non-finite
// too: nothing is left out silently.
func Summarize(values []float64) Sample {
	s := Sample{N: len(values), Mean: math.NaN(), SD: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	if s.N == 0 {
		return s
	}
	s.Mean, s.Min, s.Max = Mean(values), values[0], values[0]
	var squares float64
	for _, v := range values {
		s.Min, s.Max = math.Min(s.Min, v), math.Max(s.Max, v)
		squares += (v - s.Mean) * (v - s.Mean)
	}
	if s.N > 1 {
		s.SD = math.Sqrt(squares / float64(s.N-1))
	}
	return s
}

// Mean returns the arithmetic mean; NaN without values.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Quantile interpolates linearly between the order statistics of values, which
// must be sorted ascending: p = 0 is the least and p = 1 the greatest.
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	below := int(math.Floor(at))
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// TInterval is Student's interval for the mean of a few values, as seeds are. It assumes a
// roughly normal distribution. With two values it is wide: 12.7 standard errors to each
// side at 95 %.
func TInterval(values []float64, level float64) (Interval, error) {
	if err := checkFinite(values); err != nil {
		return Interval{}, fmt.Errorf("make t interval: %w", err)
	}
	if len(values) < 2 {
		return Interval{}, fmt.Errorf("make t interval: %d value has no spread (allowed: at least 2)", len(values))
	}
	if !(level > 0 && level < 1) {
		return Interval{}, fmt.Errorf("make t interval: level %v (allowed: between 0 and 1)", level)
	}
	s := Summarize(values)
	half := TQuantile(1-(1-level)/2, float64(s.N-1)) * s.SD / math.Sqrt(float64(s.N))
	return Interval{Low: s.Mean - half, High: s.Mean + half, Level: level}, nil
}
