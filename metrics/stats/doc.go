// Package stats estimates how certain a difference is when there are few seeds and many
// queries. It knows no run, no file and no measure: it takes numbers and returns estimates
// with intervals. Nothing in it is drawn at random: the same data gives the same interval
// on every machine.
package stats

import (
	"errors"
	"fmt"
	"math"
)

// ErrNoData is returned when an estimate is asked of no values.
var ErrNoData = errors.New("no values")

// Interval is a two-sided interval at Level (0.95 is 95 %).
type Interval struct {
	Low, High float64
	Level     float64
}

// Excludes reports whether v lies outside the interval; an interval with an
// unknown end excludes nothing.
func (i Interval) Excludes(v float64) bool {
	return v < i.Low || v > i.High
}

// checkFinite names the first value that is none.
func checkFinite(values []float64) error {
	if len(values) == 0 {
		return ErrNoData
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("value %d is %v (allowed: finite numbers)", i, v)
		}
	}
	return nil
}
