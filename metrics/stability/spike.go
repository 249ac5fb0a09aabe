package stability

import (
	"fmt"
	"math"
	"slices"

	"headroom/metrics/event"
)

// spike watches loss and gradient norm against their own recent past.
type spike struct {
	holds
	th     SpikeRule
	after  int
	pasts  []*window
	sorted []float64
}

const versionSpike = 1

// madToSD is the standard deviation of a normal sample over its median absolute deviation.
const madToSD = 1.4826

func newSpike(th SpikeRule, steps int) *spike {
	n := scaledSteps(th.Window, 12, steps)
	d := &spike{th: th, after: min(n, scaledSteps(th.After, 8, steps))}
	for _, series := range []string{SeriesLoss, SeriesGradNorm} {
		d.holds = append(d.holds, &hold{
			rule: rule{kind: Spike, severity: event.SeverityWarning, series: series, version: versionSpike,
				words: fmt.Sprintf("above the median of the last %d steps by %v robust standard deviations and %v times", n, th.Deviations, th.Ratio),
				// The evidence keeps a few steps before the spike.
				window: 5},
			open: 1, close: scaledSteps(th.Recovery, 2, steps),
		})
		d.pasts = append(d.pasts, newWindow(n))
	}
	return d
}

func (d *spike) observe(s sample) []event.Episode {
	var changed []event.Episode
	for i, h := range d.holds {
		v, ok := s.get(h.series)
		if !ok {
			continue
		}
		past := d.pasts[i]
		if past.len() >= d.after {
			spike := false
			if !d.usual(v, past) {
				limit, ok := d.limit(past)
				if h.current == nil {
					h.threshold = limit
				}
				spike = ok && v > limit
			}
			changed = add(changed, h.observe(s.step, s.step, answerOf(spike), v))
		}
		past.add(v)
	}
	return changed
}

// usual reports whether most past values are so large that v is at most Ratio times each of them. Then v is at
// most Ratio times their median, and no spike, which needs no sorting.
func (d *spike) usual(v float64, past *window) bool {
	n := 0
	for _, x := range past.values {
		if v <= d.th.Ratio*x {
			n++
		}
	}
	return 2*n > past.len()
}

// limit returns the value above which a step is a spike; false if the past values are zero
// and give no scale.
func (d *spike) limit(past *window) (float64, bool) {
	d.sorted = append(d.sorted[:0], past.values...)
	median := medianOf(d.sorted)
	for i, v := range d.sorted {
		d.sorted[i] = math.Abs(v - median)
	}
	deviation := madToSD * medianOf(d.sorted)
	// If the past values are equal, the deviation is 0 and the ratio alone decides.
	limit := max(median+d.th.Deviations*deviation, d.th.Ratio*median)
	return limit, limit > 0
}

// medianOf sorts its argument.
func medianOf(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
