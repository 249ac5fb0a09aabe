package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

// budget is a cost at which k is compared with k = 1.
type budget struct {
	name  string
	flops float64 // NaN for the cost of k = 1 itself, which differs between backbones
	color color.NRGBA
}

// budgets are those of a comparison: k = 1's own cost first, then the stated ones in order.
func budgets(all []*compare.Matched) []budget {
	out := []budget{{name: "k = 1's own cost", flops: math.NaN()}}
	var stated []float64
	for _, m := range all {
		if !m.Answers && !slices.Contains(stated, m.Flops) {
			stated = append(stated, m.Flops)
		}
	}
	slices.Sort(stated)
	for _, flops := range stated {
		out = append(out, budget{name: plainNumber(flops) + " FLOPS", flops: flops})
	}
	for i, c := range ramp(len(out)) {
		out[i].color = c
	}
	return out
}

func (b budget) has(m *compare.Matched) bool {
	return m.Answers && math.IsNaN(b.flops) || !m.Answers && m.Flops == b.flops
}

// Matched draws the difference of each k from k = 1 at equal cost with its interval, a panel
// per backbone and a colour per budget; ok is false where nothing could be compared.
func Matched(c *compare.Comparison) (f *Figure, ok bool) {
	var all []*compare.Matched
	var backbones []string
	values, ks := newSpan(), newSpan()
	for _, m := range c.Matched {
		k := m.Factor
		if m.Why != "" || math.IsNaN(m.Mean) || !(k > 0) {
			continue
		}
		all = append(all, m)
		if !slices.Contains(backbones, m.Backbone) {
			backbones = append(backbones, m.Backbone)
		}
		values.add(m.Mean)
		values.add(m.Interval.Low)
		values.add(m.Interval.High)
		ks.add(k)
	}
	if len(all) == 0 {
		return nil, false
	}
	values.add(0)
	dataset := all[0].Dataset
	bs := budgets(all)
	entries := []entry{{name: "at equal cost:"}}
	for _, b := range bs {
		entries = append(entries, entry{name: b.name, width: 18, sample: func(to *brush, at vg.Point) {
			to.line(b.color, 2.2, nil, at, vg.Point{X: at.X + 18, Y: at.Y})
		}})
	}
	entries = append(entries,
		entry{name: "above or below k = 1", width: 10, row: true, sample: func(b *brush, at vg.Point) {
			b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 5, Y: at.Y}, 3.4, ink)
		}},
		entry{name: "no evidence", width: 10, sample: func(b *brush, at vg.Point) { b.hollow(vg.Point{X: at.X + 5, Y: at.Y}, rgb(ink)) }})
	caption := fmt.Sprintf("Difference in %s on %s from k = 1 of the same backbone where both cost the same in FLOPS, with 95 %% intervals over queries and seeds. Filled: interval and corrected test exclude 0.", all[0].Measure, dataset)
	lay := func(l options) sheet {
		rows, cols := tiles(len(backbones), l)
		s := sheet{title: "Difference from k = 1 at equal cost on " + dataset, legend: entries, rows: rows, cols: cols, panelHeight: 165, left: 58, right: 24, gap: 62}
		_, cell := s.columns(l)
		x, y := kScale(c, ks, cell), linear(values)
		x.ticks = slices.DeleteFunc(x.ticks, func(t tick) bool { return t.value < ks.low || t.value > ks.high })
		s.panel = func(b *brush, data vg.Rectangle, row, col int) {
			i := row*cols + col
			if i >= len(backbones) {
				return
			}
			p := &panel{brush: b, data: data, x: x, y: y}
			p.axes(backbones[i], "k (log scale)", "Δ "+all[0].Measure+" from k = 1", true, col == 0)
			p.line(muted, 0.9, nil, p.point(x.low, 0), p.point(x.high, 0))
			apart := min(9, 0.6*(data.Max.X-data.Min.X)/vg.Length(len(bs)*len(factors(c))))
			for j, budget := range bs {
				aside := (vg.Length(j) - vg.Length(len(bs)-1)/2) * apart
				for _, m := range all {
					if m.Backbone == backbones[i] && budget.has(m) {
						p.difference(m, m.Factor, aside, budget.color)
					}
				}
			}
		}
		return s
	}
	f = newFigure("matched-"+slug(dataset), fmt.Sprintf("Difference in %s from k = 1 at equal FLOPS on %s by k, with intervals, one panel per backbone (%d).", all[0].Measure, dataset, len(backbones)), caption, lay)
	f.Costs = true
	return f, true
}

// difference draws a mean and its interval beside the place of k.
func (p *panel) difference(m *compare.Matched, k float64, aside vg.Length, c color.NRGBA) {
	at := func(v float64) vg.Point {
		point := p.point(k, v)
		point.X += aside
		return point
	}
	if low, high := m.Interval.Low, m.Interval.High; !math.IsNaN(low) && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
		p.line(c, 1.4, nil, at(low), at(high))
	}
	if m.Verdict() == compare.NoEvidence {
		p.hollow(at(m.Mean), c)
	} else {
		p.glyph(draw.CircleGlyph{}, at(m.Mean), 3.4, c)
	}
}
