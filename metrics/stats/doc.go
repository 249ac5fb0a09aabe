// Package stats says how sure a difference is when there are few seeds and many
// queries. It knows no run, no file and no measure: it takes numbers and gives
// estimates with their intervals.
//
// Every resampling is a pure function of its input and of Resampling.Seed. The
// generator and the way an index is drawn are part of the contract, so the same
// data gives the same interval on every machine and with every Go version.
package stats

import (
	"errors"
	"fmt"
	"math"
)

// ErrNoData is returned when an estimate is asked of nothing.
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

// Resampling says how an interval is drawn.
type Resampling struct {
	Resamples int     // replicates; at least 100, because percentiles of fewer mean nothing
	Seed      uint64  // of the generator; 0 is a seed like any other
	Level     float64 // of the interval, between 0 and 1
}

// DefaultResampling is 10,000 replicates, seed 1, 95 %.
func DefaultResampling() Resampling {
	return Resampling{Resamples: 10_000, Seed: 1, Level: 0.95}
}

func (r Resampling) check() error {
	if r.Resamples < 100 {
		return fmt.Errorf("resample: %d replicates (allowed: at least 100)", r.Resamples)
	}
	if !(r.Level > 0 && r.Level < 1) {
		return fmt.Errorf("resample: level %v (allowed: between 0 and 1)", r.Level)
	}
	return nil
}

// finite names the first value that is none.
func finite(values []float64) error {
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
