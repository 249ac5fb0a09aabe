package stability

import (
	"fmt"

	"headroom/metrics/event"
)

// empty watches the share of texts without an active term.
type empty struct {
	holds
	share float64
}

const versionEmpty = 1

func newEmpty(th EmptyRule, steps int) *empty {
	d := &empty{share: th.Share}
	n := scaledSteps(th.Steps, 3, steps)
	for _, side := range []struct{ series, texts string }{{SeriesEmptyQuery, "queries"}, {SeriesEmptyDocument, "documents"}} {
		d.holds = append(d.holds, &hold{
			rule: rule{kind: Empty, severity: event.SeverityCollapse, series: side.series, version: versionEmpty,
				words:     fmt.Sprintf("share of %s without an active term above %v for %d steps", side.texts, th.Share, n),
				threshold: th.Share, window: n},
			open: n, close: n,
		})
	}
	return d
}

func (d *empty) observe(s sample) []event.Episode {
	var changed []event.Episode
	for _, h := range d.holds {
		if v, ok := s.get(h.series); ok {
			changed = add(changed, h.observe(s.step, s.step, answerOf(v > d.share), v))
		}
	}
	return changed
}
