package stability

import (
	"math"
	"slices"
	"strings"

	"headroom/metrics/event"
)

// nonFinite watches every series of a step at once: once one of them is NaN the others
// follow, and one episode is clearer than twenty. Series of the probe set are left out, so
// that the verdict does not depend on whether the run has a probe set.
type nonFinite struct{ holds }

const versionNonFinite = 1

func newNonFinite(th NonFiniteRule, steps int) *nonFinite {
	return &nonFinite{holds{{
		rule: rule{kind: NonFinite, severity: event.SeverityCollapse, version: versionNonFinite,
			words: "any series is NaN or infinite", threshold: math.Inf(1), window: 1},
		open: 1, close: scaledSteps(th.Recovery, 3, steps),
	}}}
}

func (d *nonFinite) observe(s sample) []event.Episode {
	h := d.holds[0]
	if len(s.values) == 0 {
		return nil
	}
	var bad []string
	for name, v := range s.values {
		if (math.IsNaN(v) || math.IsInf(v, 0)) && !strings.HasPrefix(name, event.ProbePrefix) {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return add(nil, h.observe(s.step, s.step, no, 0))
	}
	name := slices.Min(bad)
	if h.current == nil {
		h.series = name
	}
	return add(nil, h.observe(s.step, s.step, yes, s.values[name]))
}
