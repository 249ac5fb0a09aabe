package stability

import (
	"fmt"
	"math"

	"headroom/metrics/event"
)

// noProgress warns early of a run that ranks no better than chance.
type noProgress struct {
	holds
	on                  bool
	start               int
	low, high, accuracy float64
	losses, accuracies  *window
	first               []int // steps that the window covers
}

const versionNoProgress = 1

// sure is the number of standard deviations by which a sampled accuracy may be off.
const sure = 5

func newNoProgress(th NoProgressRule, facts event.Facts, steps int) *noProgress {
	n := max(th.Window, int(math.Ceil(th.Share*float64(steps))))
	d := &noProgress{on: facts.Loss == "infonce" && facts.Candidates > 1 && facts.Candidates >= th.Candidates && steps > 0 && steps >= th.MinSteps}
	if !d.on {
		return d
	}
	chance := 1 / float64(facts.Candidates)
	d.accuracy = aboveChance(facts.Candidates, th.Accuracy)
	if d.on = chance+sure*accuracyNoise(facts, n) < d.accuracy; !d.on {
		return d
	}
	d.start = int(th.Start * float64(steps))
	d.low, d.high = th.Low*math.Log(float64(facts.Candidates)), th.High*math.Log(float64(facts.Candidates))
	d.losses, d.accuracies = newWindow(n), newWindow(n)
	d.holds = holds{{
		rule: rule{kind: NoProgress, severity: event.SeverityWarning, series: SeriesAccuracy, version: versionNoProgress,
			words: fmt.Sprintf("from step %d, for %d steps, InfoNCE within %v to %v ln(%d) and mean in-batch accuracy below %.3g",
				d.start, n, th.Low, th.High, facts.Candidates, d.accuracy),
			threshold: d.accuracy, window: n},
		open: 1, close: scaledSteps(th.Recovery, 3, steps),
	}}
	return d
}

func (d *noProgress) observe(s sample) []event.Episode {
	if !d.on {
		return nil
	}
	loss, known := s.get(SeriesContrastive)
	accuracy, also := s.get(SeriesAccuracy)
	if !known || !also {
		return nil
	}
	d.losses.add(loss)
	d.accuracies.add(accuracy)
	d.first = append(d.first, s.step)
	if !d.losses.full || s.step < d.start {
		return nil
	}
	d.first = d.first[len(d.first)-d.losses.len():]
	mean := d.accuracies.mean()
	holds := mean < d.accuracy
	for i := range d.losses.len() {
		v := d.losses.at(i)
		holds = holds && v > d.low && v < d.high
	}
	return add(nil, d.holds[0].observe(s.step, d.first[0], answerOf(holds), mean))
}
