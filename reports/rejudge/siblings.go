package rejudge

import (
	"fmt"
	"math"
	"slices"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/metrics/stats"
)

// Comparison compares a run's in-batch accuracy at its end with that of its healthy siblings.
// Accuracies are means over the last fifth of the run's steps, scaled so that chance, 1/C, is 0
// and 1 stays 1. It is not a verdict, because it depends on which other runs there are.
type Comparison struct {
	Accuracy event.Value `json:"accuracy"`
	// Count is the number of siblings without the run itself; Median is their median.
	Count  int         `json:"siblings"`
	Median event.Value `json:"median"`
	// Ratio is the run's accuracy divided by the median; Low and High are its interval, from an
	// interval of the median that is exact for any distribution. Level is the interval's level:
	// at least 0.95, or less if there are fewer than six siblings.
	Ratio event.Value `json:"ratio"`
	Low   event.Value `json:"low"`
	High  event.Value `json:"high"`
	Level event.Value `json:"level"`
	// Degraded: Ratio is below DegradedBelow.
	Degraded bool `json:"degraded"`
}

// DegradedBelow is the share of the siblings' median accuracy below which a run is
// degraded, whatever its verdict. It was fixed on 168 runs (56 of 64 failed ones, none of
// 104 fine ones) before 120 others were made, of which it found 56 of 58 and none of 62.
const DegradedBelow = 0.70

const (
	fewestSiblings = 3
	lastShare      = 0.2 // of the run
	level          = 0.95
)

// endAccuracy is a run's accuracy above chance at its end; false if it has none.
func (e evidence) endAccuracy() (float64, bool) {
	candidates := float64(e.run.Facts.Candidates)
	series, ok := e.run.Series[stability.SeriesAccuracy]
	if !ok || candidates < 2 || e.last()+1 < e.run.Steps {
		return 0, false
	}
	var last []float64
	for i, step := range series.Steps {
		if float64(step) >= (1-lastShare)*float64(e.run.Steps) {
			last = append(last, series.Values[i])
		}
	}
	mean := stats.Mean(last)
	return (mean - 1/candidates) / (1 - 1/candidates), len(last) > 0 && !math.IsNaN(mean)
}

// kin identifies the runs whose accuracies can be compared.
func (e evidence) kin() string {
	return fmt.Sprintf("%s %d %d %s", e.old.Kin, e.run.Steps, e.run.Facts.Candidates, e.run.Facts.Loss)
}

// compareSiblings fills in each judgement's comparison.
func compareSiblings(all []evidence, judgements []Judgement) {
	accuracy := make([]float64, len(all))
	known := make([]bool, len(all))
	for i, e := range all {
		accuracy[i], known[i] = e.endAccuracy()
	}
	for i, e := range all {
		if !known[i] {
			continue
		}
		var siblings []float64
		for j, other := range all {
			if j != i && known[j] && other.kin() == e.kin() && len(other.now.Chain) == 0 {
				siblings = append(siblings, accuracy[j])
			}
		}
		judgements[i].Siblings = compare(accuracy[i], siblings)
	}
}

func compare(accuracy float64, siblings []float64) *Comparison {
	n := len(siblings)
	if n < fewestSiblings {
		return nil
	}
	slices.Sort(siblings)
	median := stats.Quantile(siblings, .5)
	if median <= 0 {
		return nil
	}
	at, covered := medianInterval(n)
	// Both ends must be accuracies above chance, because a ratio to chance has no bound.
	ratio := func(sibling float64) event.Value {
		if sibling <= 0 {
			return event.Value(math.Copysign(math.Inf(1), accuracy))
		}
		return event.Value(accuracy / sibling)
	}
	c := &Comparison{Accuracy: event.Value(accuracy), Count: n, Median: event.Value(median), Ratio: event.Value(accuracy / median),
		Low: ratio(siblings[n-1-at]), High: ratio(siblings[at]), Level: event.Value(covered)}
	c.Low, c.High = min(c.Low, c.High), max(c.Low, c.High)
	c.Degraded = c.Ratio < DegradedBelow
	return c
}

// medianInterval returns the largest index at, counted from 0, such that the at-th smallest and
// the at-th largest of n sorted values enclose the median with a probability of at least level,
// and that probability.
func medianInterval(n int) (at int, covered float64) {
	below := math.Pow(.5, float64(n)) // the chance that fewer than i+1 of n are below the median
	term := below
	covered = 1 - 2*below
	for i := 1; i < n/2; i++ {
		term *= float64(n-i+1) / float64(i)
		if 1-2*(below+term) < level {
			break
		}
		below += term
		at, covered = i, 1-2*below
	}
	return at, covered
}
