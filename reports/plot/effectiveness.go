package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
	"headroom/sweeps"
)

// Effectiveness draws measures against k on one collection: a row per measure and a
// column per line of the comparison, with the seeds, their mean and range, BM25 and the
// untrained model. With more than three lines the panels of each measure are
// wrapped.
func Effectiveness(c *compare.Comparison, dataset string, measures []string) *Figure {
	name := "effectiveness-" + slug(dataset)
	title := "Effectiveness against k on " + dataset
	caption := func(measures []string) string {
		return fmt.Sprintf("%s against k on %s. Dots are seeds (hollow: collapsed), the line is the mean of the healthy seeds, the band their range; the dashed line is the mean with collapsed seeds. Higher is better.", strings.Join(measures, " and "), dataset)
	}
	var shown []string
	high := 0.0
	ks := newSpan()
	for _, m := range measures {
		found := false
		eachRun(c, func(_ *compare.Line, p *compare.Point, r *compare.Run) {
			if v := r.Score(dataset, m); !math.IsNaN(v) && p.K > 0 {
				found = true
				high = math.Max(high, v)
				ks.add(p.K)
			}
		})
		if found {
			shown = append(shown, m)
		}
	}
	if len(shown) == 0 {
		return empty(name, title, "Effectiveness against k: no data yet.", caption(measures))
	}
	if len(c.Lines) > mostLines && slices.Contains(shown, c.Measure) {
		shown = []string{c.Measure}
	}
	for _, b := range c.Baselines {
		if b.Evaluation.Dataset == dataset {
			for _, m := range shown {
				if v, ok := b.Evaluation.Measures[m]; ok {
					high = math.Max(high, v)
				}
			}
		}
	}
	// Room above the highest point, and an axis from zero, since readers compare heights.
	y := linear(span{0, math.Min(1, math.Max(high*1.04, 0.05))})

	entries := []entry{
		{name: "seed", width: 8, sample: func(b *brush, at vg.Point) {
			b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 4, Y: at.Y}, 3, ink)
		}},
		{name: "collapsed seed", width: 8, sample: func(b *brush, at vg.Point) { b.hollow(vg.Point{X: at.X + 4, Y: at.Y}, rgb(ink)) }},
		{name: "mean and range, healthy seeds", width: 20, sample: func(b *brush, at vg.Point) {
			b.rectangle(vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - 4}, Max: vg.Point{X: at.X + 20, Y: at.Y + 4}}, fade(rgb(ink), 0.15))
			b.line(ink, 1.6, nil, at, vg.Point{X: at.X + 20, Y: at.Y})
		}},
		{name: "mean, collapsed seeds included", width: 20, sample: func(b *brush, at vg.Point) {
			b.line(ink, 1.1, dashes(), at, vg.Point{X: at.X + 20, Y: at.Y})
		}},
	}
	lay := func(l options) sheet {
		shown := shown
		if l.width < columnWidth && len(c.Lines) > 2 && slices.Contains(shown, c.Measure) {
			shown = []string{c.Measure} // more would not fit a page
		}
		s := sheet{title: title, legend: entries, panelHeight: 165, left: 58, right: 58, gap: 62}
		var x scale
		s.setLinePanels(c.Lines, len(shown), l, func(p *panel, line *compare.Line, part int, leftmost bool) {
			measure := shown[part]
			p.x, p.y = x, y
			p.axes(line.Name(), "k (log scale)", measure, true, leftmost)
			var lines []level
			measured := func(e *compare.Evaluation, name string, dash []vg.Length) {
				if e != nil && hasMeasure(e, measure) {
					lines = append(lines, level{e.Measures[measure], name, dash})
				}
			}
			measured(c.Baseline(sweeps.BM25, "", dataset, nil), "BM25", dashes())
			measured(c.Baseline(sweeps.Untrained, line.Backbone, dataset, line.Encoding()), "untrained", dots())
			p.levels(lines)
			p.means(line, dataset, measure, backboneColor(backboneIndex(c, line)))
		})
		_, cell := s.columns(l)
		x = kScale(c, ks, cell)
		return s
	}
	return newFigure(name, fmt.Sprintf("%s against k on %s, one panel for each of %d backbones and settings, with BM25 and the untrained model as lines.", strings.Join(shown, " and "), dataset, len(c.Lines)), caption(shown), lay)
}

// hasMeasure reports whether an evaluation has a value: vectors too dense to search have none.
func hasMeasure(e *compare.Evaluation, measure string) bool {
	v, ok := e.Measures[measure]
	return ok && !math.IsNaN(v)
}

// mostLines is the largest number of lines that are drawn in more than one measure. With more
// panels nobody would read the picture.
const mostLines = 9

// means draws a line's band, means and seeds.
func (p *panel) means(line *compare.Line, dataset, measure string, c color.NRGBA) {
	var lower, upper, healthy []vg.Point
	flush := func() {
		if len(upper) > 1 {
			slices.Reverse(upper)
			p.polygon(fade(c, 0.15), append(lower, upper...))
		}
		if len(healthy) > 1 {
			p.line(c, 1.6, nil, healthy...)
		}
		lower, upper, healthy = nil, nil, nil
	}
	var all []vg.Point
	differs := false
	for _, point := range line.Points {
		if !(point.K > 0) {
			continue
		}
		a := point.Score(dataset, measure)
		if a.All.N == 0 {
			flush()
			continue
		}
		all = append(all, p.point(point.K, a.All.Mean))
		if a.Healthy.N < a.All.N {
			differs = true
		}
		if a.Healthy.N == 0 {
			flush()
			continue
		}
		lower = append(lower, p.point(point.K, a.Healthy.Min))
		upper = append(upper, p.point(point.K, a.Healthy.Max))
		healthy = append(healthy, p.point(point.K, a.Healthy.Mean))
	}
	flush()
	if differs && len(all) > 1 {
		p.line(c, 1.1, dashes(), all...)
	}
	for _, point := range line.Points {
		if !(point.K > 0) {
			continue
		}
		var seen []vg.Length
		for _, r := range point.Runs {
			v := r.Score(dataset, measure)
			if math.IsNaN(v) {
				continue
			}
			at := p.point(point.K, v)
			at.X += offset(seen, at.Y)
			seen = append(seen, at.Y)
			if r.Collapsed() {
				p.hollow(at, c)
			} else {
				p.glyph(draw.CircleGlyph{}, at, 3, c)
			}
		}
	}
}

// offset returns the distance by which a seed is moved that would cover others: about its
// radius, to the right and to the left in turn. After seven places seeds cover each other
// again, so that many equal seeds stay at their k.
func offset(seen []vg.Length, y vg.Length) vg.Length {
	n := 0
	for _, other := range seen {
		if d := other - y; d < 3 && d > -3 {
			n++
		}
	}
	if n %= 7; n == 0 {
		return 0
	}
	if n%2 == 1 {
		return 3.5 * vg.Length(n+1) / 2
	}
	return -3.5 * vg.Length(n) / 2
}

func (b *brush) hollow(at vg.Point, c color.NRGBA) {
	b.glyph(draw.CircleGlyph{}, at, 3.6, c)
	b.glyph(draw.CircleGlyph{}, at, 2.4, rgb(0xffffff))
}

// kScale is log2 with a tick at every k of the sweep; labels that are too close on an
// axis of the given length are left out.
func kScale(c *compare.Comparison, ks span, length vg.Length) scale {
	low, high := math.Log2(ks.low), math.Log2(ks.high)
	pad := math.Max(0.08*(high-low), 0.4)
	apiece := float64(length) / (high - low + 2*pad)
	measure := newBrush(draw.Canvas{})
	s := scale{low: positive(math.Exp2(low - pad)), high: positive(math.Exp2(high + pad)), warp: math.Log2}
	for _, f := range factors(c) {
		if f.k > 0 {
			s.ticks = append(s.ticks, tick{f.k, f.text})
		}
	}
	dropTouching(s.ticks, func(k float64) float64 { return math.Log2(k) * apiece },
		func(label string) float64 { return float64(measure.textWidth(label, script{size: sizeTick})) })
	return s
}

// slug makes a file name of a reference.
func slug(reference string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, reference), "-.")
}
