package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

// MatchedFigure draws the difference of each k from k = 1 against the cost that both have, with its
// interval, a panel per backbone and a colour per k; ok is false if nothing could be compared.
func MatchedFigure(c *compare.Comparison) (f *Figure, ok bool) {
	var all []*compare.Matched
	var backbones []string
	values, costs := newSpan(), newSpan()
	for _, m := range c.Matched {
		if m.Why != "" || math.IsNaN(m.Mean) || !(m.Flops > 0) {
			continue
		}
		all = append(all, m)
		if !slices.Contains(backbones, m.Backbone) {
			backbones = append(backbones, m.Backbone)
		}
		for _, v := range []float64{m.Mean, m.Interval.Low, m.Interval.High} {
			values.add(v)
		}
		costs.add(m.Flops)
	}
	if len(all) == 0 {
		return nil, false
	}
	values.add(0)
	dataset, measure := all[0].Dataset, all[0].Measure
	fs := slices.DeleteFunc(factors(c), func(f factor) bool {
		return !slices.ContainsFunc(all, func(m *compare.Matched) bool { return m.K == f.text })
	})
	dot := func(draws func(b *brush, at vg.Point)) func(*brush, vg.Point) {
		return func(b *brush, at vg.Point) { draws(b, vg.Point{X: at.X + 5, Y: at.Y}) }
	}
	entries := append(factorLegend(fs),
		entry{name: "above or below k = 1", width: 10, row: true, sample: dot(func(b *brush, at vg.Point) { b.glyph(draw.CircleGlyph{}, at, 3.4, ink) })},
		entry{name: "no evidence", width: 10, sample: dot(func(b *brush, at vg.Point) { b.hollow(at, rgb(ink)) })},
		entry{name: "at what k = 1 costs as trained", width: 10, sample: dot(func(b *brush, at vg.Point) { b.ring(at, rgb(ink)) })})
	caption := fmt.Sprintf("Difference in %s on %s from k = 1 of the same backbone where both cost the same in FLOPS, with 95 %% intervals over queries and seeds. Filled: interval and corrected test exclude 0. A ring marks the budget that the answer is about.", measure, dataset)
	lay := func(l options) sheet {
		rows, cols := tiles(len(backbones), l)
		s := sheet{title: "Difference from k = 1 at equal cost on " + dataset, legend: entries, rows: rows, cols: cols, panelHeight: 165, left: 58, right: 24, gap: 62}
		x, y := logarithmic(costs), linear(values)
		s.panel = func(b *brush, data vg.Rectangle, row, col int) {
			i := row*cols + col
			if i >= len(backbones) {
				return
			}
			p := &panel{brush: b, data: data, titles: backbones, x: x, y: y}
			p.axes(backbones[i], "FLOPS (log scale)", "Δ "+measure+" from k = 1", true, col == 0)
			p.line(muted, 0.9, nil, p.point(x.low, 0), p.point(x.high, 0))
			for j, f := range fs {
				// Intervals of several k at one cost stand beside each other.
				p.differences(slices.DeleteFunc(slices.Clone(all), func(m *compare.Matched) bool { return m.Backbone != backbones[i] || m.K != f.text }),
					5*(vg.Length(j)-vg.Length(len(fs)-1)/2), f.color)
			}
		}
		return s
	}
	f = newFigure("matched-"+slug(dataset), fmt.Sprintf("Difference in %s from k = 1 at equal FLOPS on %s, coloured by k, with intervals, one panel per backbone (%d).", measure, dataset, len(backbones)), caption, lay)
	f.Costs = true
	return f, true
}

// differences draws means, joined, and their intervals beside the places of their costs.
func (p *panel) differences(all []*compare.Matched, aside vg.Length, c color.NRGBA) {
	slices.SortFunc(all, func(a, b *compare.Matched) int { return cmp.Compare(a.Flops, b.Flops) })
	at := func(m *compare.Matched, v float64) vg.Point {
		point := p.point(m.Flops, v)
		point.X += aside
		return point
	}
	var joined []vg.Point
	for _, m := range all {
		joined = append(joined, at(m, m.Mean))
	}
	if len(joined) > 1 {
		p.line(fade(c, 0.4), 0.8, nil, joined...)
	}
	for i, m := range all {
		if low, high := m.Interval.Low, m.Interval.High; !math.IsNaN(low) && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
			p.line(c, 1.4, nil, at(m, low), at(m, high))
		}
		if m.Verdict() == compare.NoEvidence {
			p.hollow(joined[i], c)
		} else {
			p.glyph(draw.CircleGlyph{}, joined[i], 3.4, c)
		}
		if m.Answers {
			p.ring(joined[i], c)
		}
	}
}

// ring stands around a dot.
func (b *brush) ring(at vg.Point, c color.NRGBA) { b.glyph(draw.RingGlyph{}, at, 5.6, c) }
