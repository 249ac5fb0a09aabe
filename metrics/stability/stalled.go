package stability

import (
	"fmt"
	"math"
	"slices"

	"headroom/metrics/event"
)

// stalled watches whether the model ranks better than chance.
type stalled struct {
	holds
	th     StalledRule
	on     bool
	start  int
	curves []*curve
}

// curve is a window over a series with the steps it covers.
type curve struct {
	values *window
	steps  []int
}

const versionStalled = 1

// FirmFrom is the number of steps of a run from which on its verdict Stalled is as sure as others.
// In shorter runs many a model that does learn is still near chance level at its end.
const FirmFrom = 60

func newStalled(th StalledRule, facts event.Facts, steps, grace int) *stalled {
	d := &stalled{th: th,
		on: facts.Candidates > 1 && slices.Contains(th.Losses, facts.Loss) && (steps <= 0 || steps >= th.MinSteps)}
	if !d.on {
		return d
	}
	n := scaledSteps(th.Window, 5, steps)
	// A window has room between the start and the end, also if the start is late.
	d.start = max(grace, int(th.Start*float64(steps)))
	if steps > 0 {
		d.start = max(0, min(d.start, steps-n))
	}
	infonce := th.InfoNCE * math.Log(float64(facts.Candidates))
	accuracy := aboveChance(facts.Candidates, th.Accuracy)
	at := func(series, words string, threshold float64) {
		d.holds = append(d.holds, &hold{rule: rule{kind: Stalled, severity: event.SeverityCollapse, series: series,
			version: versionStalled, words: words, threshold: threshold, window: n}, open: 1, close: 1})
		d.curves = append(d.curves, &curve{values: newWindow(n)})
	}
	if facts.Loss == "infonce" {
		at(SeriesContrastive, fmt.Sprintf("mean InfoNCE of %d steps after step %d above %v ln(%d) and not falling", n, d.start, th.InfoNCE, facts.Candidates), infonce)
	} else if noise := accuracyNoise(facts, n); noise > accuracy-1/float64(facts.Candidates) {
		d.on = false // so few examples may be at chance level by chance
		return d
	}
	at(SeriesAccuracy, fmt.Sprintf("mean in-batch accuracy of %d steps after step %d at chance level (1 of %d)", n, d.start, facts.Candidates), accuracy)
	return d
}

func (d *stalled) observe(s sample) []event.Episode {
	if !d.on || s.step < d.start {
		return nil
	}
	var changed []event.Episode
	for i, h := range d.holds {
		v, ok := s.get(h.series)
		if !ok {
			continue
		}
		c := d.curves[i]
		c.values.add(v)
		c.steps = append(c.steps, s.step)
		if !c.values.full {
			continue
		}
		c.steps = slices.Delete(c.steps, 0, len(c.steps)-c.values.len())
		mean, a := c.values.mean(), no
		switch h.series {
		case SeriesContrastive:
			a = answerOf(mean > h.threshold && !d.falling(c.values))
		case SeriesAccuracy:
			a = answerOf(mean <= h.threshold)
		}
		changed = add(changed, h.observe(s.step, c.steps[0], a, mean))
	}
	return changed
}

// accuracyNoise is the standard deviation of the mean in-batch accuracy of n steps of a model
// that ranks by chance.
func accuracyNoise(facts event.Facts, n int) float64 {
	chance := 1 / float64(facts.Candidates)
	return math.Sqrt(chance * (1 - chance) / float64(max(1, facts.Batch*n)))
}

func (d *stalled) falling(w *window) bool {
	half := w.len() / 2
	return w.part(half, w.len()) < (1-d.th.Falling)*w.part(0, half)
}
