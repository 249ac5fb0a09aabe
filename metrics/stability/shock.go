package stability

import (
	"fmt"
	"math"

	"headroom/metrics/event"
)

// shock compares the first loss with chance level.
type shock struct {
	holds
	on bool
}

const versionShock = 1

func newShock(th ScaleShockRule, facts event.Facts, steps int) *shock {
	d := &shock{on: facts.Candidates > 1 && facts.Loss == "infonce"}
	if !d.on {
		return d
	}
	limit := th.Factor * math.Log(float64(facts.Candidates))
	d.holds = holds{{
		rule: rule{kind: ScaleShock, severity: event.SeverityWarning, series: SeriesContrastive, version: versionShock,
			words: fmt.Sprintf("InfoNCE at step 0 above %v ln(%d)", th.Factor, facts.Candidates), threshold: limit, window: 1},
		open: 1, close: scaled(th.Recovery, 3, steps),
	}}
	return d
}

func (d *shock) observe(s sample) []event.Episode {
	if !d.on {
		return nil
	}
	h := d.holds[0]
	v, ok := s.get(h.series)
	if !ok || (s.step != 0 && h.current == nil) {
		return nil
	}
	return add(nil, h.observe(s.step, s.step, when(v > h.threshold), v))
}
