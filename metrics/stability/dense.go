package stability

import (
	"fmt"

	"headroom/metrics/event"
)

// dense watches the number of active terms.
type dense struct {
	holds
	th    DenseRule
	on    bool
	grace int
}

const versionDense = 1

func newDense(th DenseRule, facts event.Facts, steps, grace int) *dense {
	d := &dense{th: th, grace: grace, on: facts.Vocab > 0 && (steps <= 0 || steps >= th.MinSteps)}
	n := scaled(th.Steps, 3, steps)
	v := float64(facts.Vocab)
	limit := max(th.Share*v, min(float64(th.Terms), v/2))
	for _, side := range []struct{ series, texts string }{{SeriesActiveQuery, "queries"}, {SeriesActiveDocument, "documents"}} {
		d.holds = append(d.holds, &hold{
			rule: rule{kind: Dense, severity: event.SeverityWarning, series: side.series, version: versionDense,
				words: fmt.Sprintf("mean active terms of %s above %.0f of %d for %d steps after step %d, and above %v of the first step's",
					side.texts, limit, facts.Vocab, n, grace, th.Fallen),
				threshold: limit, window: n},
			open: n, close: n,
		})
	}
	return d
}

func (d *dense) observe(s sample) []event.Episode {
	if !d.on || s.step < d.grace {
		return nil
	}
	var changed []event.Episode
	for _, h := range d.holds {
		if v, ok := s.get(h.series); ok {
			changed = add(changed, h.observe(s.step, s.step, when(v > h.threshold && v > d.th.Fallen*s.first[h.series]), v))
		}
	}
	return changed
}
