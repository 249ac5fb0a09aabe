package compare

import (
	"cmp"
	"math"
	"slices"

	"headroom/metrics/stats"
)

// CostCurve holds the results of a factor of a backbone by cost, as means over the seeds that
// did not collapse: as trained, and with documents cut to their greatest weights.
type CostCurve struct {
	Backbone string
	Point    *Point
	// Points are by cost, ascending; Trained is the index of the vectors as they were trained.
	Points  []CostPoint
	Trained int
}

// CostPoint is FLOPS and the comparison's measure there.
type CostPoint struct{ Flops, Value float64 }

// CostCurves are the curves on a collection, by backbone, k and λ.
func (c *Comparison) CostCurves(dataset string) []CostCurve {
	var out []CostCurve
	for _, group := range c.backbones() {
		for _, s := range group.settings {
			for _, p := range s.points {
				if curve, ok := c.costCurve(dataset, p); ok {
					curve.Backbone = group.name
					out = append(out, curve)
				}
			}
		}
	}
	return out
}

func (c *Comparison) costCurve(dataset string, p *Point) (CostCurve, bool) {
	var whole []*Evaluation
	for _, r := range p.Healthy() {
		if e := r.Evaluation(dataset, ""); e != nil && e.Flops > 0 && !math.IsNaN(e.value(c.Measure)) {
			whole = append(whole, e)
		}
	}
	if len(whole) == 0 {
		return CostCurve{}, false
	}
	var points []CostPoint
	mean := func(flops, value []float64) CostPoint {
		return CostPoint{Flops: stats.Mean(flops), Value: stats.Mean(value)}
	}
	var flops, value []float64
	for _, e := range whole {
		flops, value = append(flops, e.Flops), append(value, e.value(c.Measure))
	}
	trained := mean(flops, value)
	for _, first := range whole[0].Curve {
		flops, value = nil, nil
		for _, e := range whole {
			for _, cut := range e.Curve {
				if v, ok := cut.Measures[c.Measure]; ok && cut.Side == first.Side && cut.Terms == first.Terms && cut.Flops > 0 {
					flops, value = append(flops, cut.Flops), append(value, v)
				}
			}
		}
		if first.Side == "document" && len(flops) == len(whole) {
			points = append(points, mean(flops, value))
		}
	}
	curve := CostCurve{Point: p, Points: append(points, trained)}
	sortCosts(curve.Points)
	for i, at := range curve.Points {
		if at == trained {
			curve.Trained = i
		}
	}
	return curve, true
}

func sortCosts(points []CostPoint) {
	slices.SortStableFunc(points, func(a, b CostPoint) int { return cmp.Compare(a.Flops, b.Flops) })
}
