package plot

import (
	"fmt"
	"maps"
	"math"
	"slices"
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
	heads := headsOf(c)
	for i, head := range heads {
		add(0, i, head.loaded)
		for j, f := range fs {
			if n, ok := head.divided[f.text]; ok {
				add(j+1, i, n)
			}
		}
	}
	if len(places) == 0 {
		return empty(name, title, "Head norms: no data yet.", caption)
	}
	values.add(1.25 * values.high) // room for the numbers
	y := logarithmic(values)
	var entries []entry
	for i, head := range heads {
		entries = append(entries, entry{name: head.name, width: 10, sample: func(b *brush, at vg.Point) {
			b.glyph(backboneGlyph(i), vg.Point{X: at.X + 5, Y: at.Y}, 3.6, backboneColor(i))
		}})
	}
	entries = append(entries, entry{name: "mean row", width: 8, sample: func(b *brush, at vg.Point) {
		b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 4, Y: at.Y}, 3, muted)
	}}, entry{name: "5 % to 95 % of the rows", width: 8, sample: func(b *brush, at vg.Point) {
		b.line(muted, 1.4, nil, vg.Point{X: at.X + 4, Y: at.Y - 6}, vg.Point{X: at.X + 4, Y: at.Y + 6})
	}})
	lay := func(l options) sheet {
		s := sheet{title: title, legend: entries, rows: 1, cols: 1, panelHeight: 220, left: 62, right: margin + 4}
		_, cell := s.columns(l)
		x := divisions(fs, cell)
		step := 0.7 / float64(max(1, len(heads)))
		// The means are written if there is room for each of them.
		room := cell/vg.Length(len(fs)+1)*vg.Length(step) - 3
		written := true
		for _, at := range places {
			written = written && newBrush(draw.Canvas{}).textWidth(meanText(at.norm), meanScript()) < room
		}
		s.panel = func(b *brush, data vg.Rectangle, _, _ int) {
			p := &panel{brush: b, data: data, x: x, y: y}
			p.axes("", "division of the head by k", "row norm (log scale)", true, true)
			// What comes after the bar is the loaded head divided.
			border := p.point(0.5, y.low).X
			p.line(frame, 0.6, dots(), vg.Point{X: border, Y: data.Min.Y}, vg.Point{X: border, Y: data.Max.Y})
			for _, at := range places {
				column := float64(at.column) + (float64(at.line)-float64(len(heads)-1)/2)*step
				color := backboneColor(at.line)
				mean := p.point(column, at.norm.Mean)
				if at.norm.P05 > 0 && at.norm.P95 > 0 {
					p.line(color, 1.4, nil, p.point(column, at.norm.P05), p.point(column, at.norm.P95))
				}
				p.glyph(backboneGlyph(at.line), mean, 3.6, color)
				if label, s := meanText(at.norm), meanScript(); written {
					top := max(mean.Y+4, p.point(column, math.Max(at.norm.P95, at.norm.Mean)).Y)
					half := p.textWidth(label, s)/2 + 1
					p.rectangle(vg.Rectangle{Min: vg.Point{X: mean.X - half, Y: top + 2}, Max: vg.Point{X: mean.X + half, Y: top + 11}}, rgb(0xffffff))
					p.text(vg.Point{X: mean.X, Y: top + 2}, label, s)
				}
			}
		}
		return s
	}
	return newFigure(name, fmt.Sprintf("Row norms of the MLM head of %d backbones as loaded and after division by each k.", len(heads)), caption, lay)
}

// head is the MLM head of one backbone: as loaded, and divided by each k as shown.
type head struct {
	name    string
	loaded  compare.HeadNorm
	divided map[string]compare.HeadNorm
}

// headsOf lists the heads that differ. Lines that start from the same head count once, whatever
// their λ; if a backbone has several heads, each is named with its axes.
func headsOf(c *compare.Comparison) []head {
	var out []head
	var of []*compare.Line
	for _, line := range c.Lines {
		h := head{name: line.Title, loaded: line.LoadedNorm(), divided: map[string]compare.HeadNorm{}}
		for _, p := range line.Points {
			// The seeds of a point start from one head.
			for _, r := range runsOf(p) {
				if n, ok := r.InitialNorm(); ok {
					h.divided[p.Text] = n
					break
				}
			}
		}
		same := slices.IndexFunc(of, func(l *compare.Line) bool { return l.Backbone == line.Backbone })
		joined := false
		for i := same; i >= 0 && i < len(out) && !joined; i++ {
			if of[i].Backbone == line.Backbone && out[i].agrees(h) {
				maps.Copy(out[i].divided, h.divided)
				joined = true
			}
		}
		if joined || math.IsNaN(h.loaded.Mean) && len(h.divided) == 0 && same >= 0 {
			continue
		}
		if same >= 0 {
			out[same].name, h.name = of[same].Name(), line.Name()
		}
		out, of = append(out, h), append(of, line)
	}
	return out
}

// agrees reports whether two heads are the same as far as both are known.
func (h head) agrees(other head) bool {
	near := func(a, b float64) bool { return !(math.Abs(a-b) > 1e-6*math.Abs(a)) }
	for k, n := range other.divided {
		if m, ok := h.divided[k]; ok && !near(m.Mean, n.Mean) {
			return false
		}
	}
	return near(h.loaded.Mean, other.loaded.Mean)
}

func meanText(n compare.HeadNorm) string { return strconv.FormatFloat(n.Mean, 'g', 2, 64) }

func meanScript() script { return script{size: 8.5, x: text.XCenter, y: text.YBottom} }

// divisions is an axis of the given length with a place for the head as loaded and for each k.
// Its labels are shorter if there is less room.
func divisions(fs []factor, length vg.Length) scale {
	s := scale{low: -0.5, high: float64(len(fs)) + 0.5, warp: func(v float64) float64 { return v }}
	apiece := float64(length) / float64(len(fs)+1)
	measure := newBrush(draw.Canvas{})
	width := func(label string) float64 { return float64(measure.textWidth(label, script{size: sizeTick})) }
	loaded, prefix := "as loaded", "k = "
	for _, f := range fs {
		if width(prefix+f.text) > apiece-4 || width(loaded) > apiece-4 {
			loaded, prefix = "none", ""
			break
		}
	}
	s.ticks = []tick{{0, loaded}}
	for i, f := range fs {
		s.ticks = append(s.ticks, tick{float64(i + 1), prefix + f.text})
	}
	dropTouching(s.ticks, func(v float64) float64 { return v * apiece }, width)
	return s
}

// dropTouching removes the labels that would touch the one before.
func dropTouching(ticks []tick, at func(value float64) float64, width func(label string) float64) {
	end := math.Inf(-1)
	for i := range ticks {
		half := width(ticks[i].label) / 2
		if begin := at(ticks[i].value) - half; ticks[i].label != "" && begin >= end+4 {
			end = at(ticks[i].value) + half
		} else {
			ticks[i].label = ""
		}
	}
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
