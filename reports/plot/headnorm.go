package plot

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

// HeadNorm draws the row norms of each backbone's MLM head, as loaded and after
// the division by each k: mean and 5th to 95th percentile.
func HeadNorm(c *compare.Comparison) *Figure {
	const name, title = "headnorm", "Row norm of the MLM head, as loaded and after rescaling"
	caption := "Row norms of the MLM head before the first update: the dot is the mean row, the bar runs from the 5th to the 95th percentile."
	fs := factors(c)
	type place struct {
		column, line int
		norm         compare.HeadNorm
	}
	var places []place
	values := newSpan()
	add := func(column, line int, n compare.HeadNorm) {
		if !(n.Mean > 0) || math.IsInf(n.Mean, 0) {
			return
		}
		places = append(places, place{column, line, n})
		values.add(n.Mean)
		for _, v := range []float64{n.P05, n.P95} {
			if v > 0 {
				values.add(v)
			}
		}
	}
	for i, line := range c.Lines {
		add(0, i, line.LoadedNorm())
		for j, f := range fs {
			for _, p := range line.Points {
				if p.Text != f.text {
					continue
				}
				// The seeds of a point start from one head.
				for _, r := range runsOf(p) {
					if n, ok := r.InitialNorm(); ok {
						add(j+1, i, n)
						break
					}
				}
			}
		}
	}
	if len(places) == 0 {
		return empty(name, title, "Head norms: no data yet.", caption)
	}
	values.add(1.25 * values.high) // room for the numbers
	y := logarithmic(values)
	x := scale{low: -0.5, high: float64(len(fs)) + 0.5, warp: func(v float64) float64 { return v }}
	x.ticks = append(x.ticks, tick{0, "as loaded"})
	for j, f := range fs {
		x.ticks = append(x.ticks, tick{float64(j + 1), "k = " + f.text})
	}
	var entries []entry
	for i, line := range c.Lines {
		entries = append(entries, entry{name: line.Name(), width: 10, sample: func(b *brush, at vg.Point) {
			b.glyph(backboneGlyph(i), vg.Point{X: at.X + 5, Y: at.Y}, 3.6, backboneColor(i))
		}})
	}
	entries = append(entries, entry{name: "mean row", width: 8, sample: func(b *brush, at vg.Point) {
		b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 4, Y: at.Y}, 3, muted)
	}}, entry{name: "5 % to 95 % of the rows", width: 8, sample: func(b *brush, at vg.Point) {
		b.line(muted, 1.4, nil, vg.Point{X: at.X + 4, Y: at.Y - 6}, vg.Point{X: at.X + 4, Y: at.Y + 6})
	}})
	s := sheet{title: title, legend: entries, rows: 1, cols: 1, panelHeight: 220, left: 62, right: margin + 4}
	s.panel = func(b *brush, data vg.Rectangle, _, _ int) {
		p := &panel{brush: b, data: data, x: x, y: y}
		p.axes("", "division of the head by k", "row norm (log scale)", true, true)
		// What comes after the bar is the loaded head divided.
		border := p.point(0.5, y.low).X
		p.line(frame, 0.6, dots(), vg.Point{X: border, Y: data.Min.Y}, vg.Point{X: border, Y: data.Max.Y})
		step := 0.7 / float64(max(1, len(c.Lines)))
		for _, at := range places {
			column := float64(at.column) + (float64(at.line)-float64(len(c.Lines)-1)/2)*step
			color := backboneColor(at.line)
			mean := p.point(column, at.norm.Mean)
			if at.norm.P05 > 0 && at.norm.P95 > 0 {
				p.line(color, 1.4, nil, p.point(column, at.norm.P05), p.point(column, at.norm.P95))
			}
			p.glyph(backboneGlyph(at.line), mean, 3.6, color)
			label := strconv.FormatFloat(at.norm.Mean, 'g', 2, 64)
			s := script{size: 8.5, x: text.XCenter, y: text.YBottom}
			if p.textWidth(label, s) < p.point(step, y.low).X-p.point(0, y.low).X-3 {
				top := max(mean.Y+4, p.point(column, math.Max(at.norm.P95, at.norm.Mean)).Y)
				half := p.textWidth(label, s)/2 + 1
				p.rectangle(vg.Rectangle{Min: vg.Point{X: mean.X - half, Y: top + 2}, Max: vg.Point{X: mean.X + half, Y: top + 11}}, rgb(0xffffff))
				p.text(vg.Point{X: mean.X, Y: top + 2}, label, s)
			}
		}
	}
	return s.figure(name, fmt.Sprintf("Row norms of the MLM head of %d backbones as loaded and after division by each k.", len(c.Lines)), caption)
}

func backboneGlyph(i int) draw.GlyphDrawer {
	switch i % 4 {
	case 1:
		return draw.BoxGlyph{}
	case 2:
		return draw.PyramidGlyph{}
	case 3:
		return draw.SquareGlyph{}
	}
	return draw.CircleGlyph{}
}
