package plot

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

const (
	mapRow      = 27 * vg.Length(1)
	mapCellMost = 84 * vg.Length(1)
)

// Map draws the comparison's measure and the verdicts over k and the sweep's other axes on
// one collection: a panel per backbone, a row per setting of those axes, a column per k.
// ok is false if only k varies, which other figures show better.
func Map(c *compare.Comparison, dataset string) (f *Figure, ok bool) {
	fs := factors(c)
	if len(c.AxisNames()) == 0 || len(fs) < 2 {
		return nil, false
	}
	var backbones []string
	lines := map[string][]*compare.Line{}
	values := newSpan()
	longest := 0
	for _, line := range c.Lines {
		if !slices.Contains(backbones, line.Backbone) {
			backbones = append(backbones, line.Backbone)
		}
		lines[line.Backbone] = append(lines[line.Backbone], line)
		longest = max(longest, len(lines[line.Backbone]))
		for _, p := range line.Points {
			if a := p.Score(dataset, c.Measure); a.Healthy.N > 0 {
				values.add(a.Healthy.Mean)
			}
		}
	}
	if values.empty() {
		values = span{0, 1}
	}
	shades := shading{values}
	measure := newBrush(draw.Canvas{})
	label := script{size: sizeTick, x: text.XRight, y: text.YCenter}
	longestName := vg.Length(60)
	for _, line := range c.Lines {
		longestName = max(longestName, measure.textWidth(line.AxesText(), label)+margin+8)
	}
	caption := fmt.Sprintf("%s on %s, the mean of the seeds that did not collapse, and how many seeds collapsed, by k and %s. Hatched: every seed collapsed, and there is no mean. A dash: not measured.", c.Measure, dataset, strings.Join(c.AxisNames(), ", "))
	lay := func(l options) sheet {
		left := min(longestName, 0.45*l.width)
		cell := min(mapCellMost, (l.width-left-margin)/vg.Length(len(fs)))
		s := sheet{title: fmt.Sprintf("%s and verdicts by k and %s on %s", c.Measure, strings.Join(c.AxisNames(), ", "), dataset), legend: shades.legend(c.Measure, cell),
			rows: len(backbones), cols: 1, rigid: true, panelHeight: mapRow * vg.Length(longest), left: left, right: l.width - left - cell*vg.Length(len(fs))}
		s.panel = func(b *brush, data vg.Rectangle, row, _ int) {
			backbone := backbones[row]
			rows := lines[backbone]
			b.text(vg.Point{X: margin, Y: data.Max.Y + 7}, c.BackboneName(backbone), script{size: sizePanel, bold: true, y: text.YBottom})
			bottom := data.Max.Y - mapRow*vg.Length(len(rows))
			for i, line := range rows {
				top := data.Max.Y - mapRow*vg.Length(i)
				b.text(vg.Point{X: data.Min.X - 6, Y: top - mapRow/2}, b.cut(line.AxesText(), label, left-margin-8), label)
				for j, k := range fs {
					box := vg.Rectangle{Min: vg.Point{X: data.Min.X + cell*vg.Length(j), Y: top - mapRow}, Max: vg.Point{X: data.Min.X + cell*vg.Length(j+1), Y: top}}
					b.mapCell(box, shades, line, k.text, dataset, c.Measure)
				}
			}
			ticks := make([]tick, len(fs))
			for j, k := range fs {
				ticks[j] = tick{float64(j) + 0.5, k.text}
			}
			at := func(v float64) float64 { return v * float64(cell) }
			dropTouching(ticks, at, func(label string) float64 { return float64(b.textWidth(label, script{size: sizeTick})) })
			for _, t := range ticks {
				b.text(vg.Point{X: data.Min.X + vg.Length(at(t.value)), Y: bottom - 4}, t.label, script{size: sizeTick, color: muted, x: text.XCenter, y: text.YTop})
			}
			b.text(vg.Point{X: data.Min.X + cell*vg.Length(len(fs))/2, Y: bottom - 18}, "k", script{size: sizeLabel, x: text.XCenter, y: text.YTop})
		}
		return s
	}
	return newFigure("map-"+slug(dataset), fmt.Sprintf("A map of %s and verdicts on %s: k across, other settings down, one panel for each of %d backbones.", c.Measure, dataset, len(backbones)), caption, lay), true
}

// mapCell draws the runs of one line at one k.
func (b *brush) mapCell(box vg.Rectangle, shades shading, line *compare.Line, k, dataset, measure string) {
	inner := vg.Rectangle{Min: vg.Point{X: box.Min.X + 1, Y: box.Min.Y + 1}, Max: vg.Point{X: box.Max.X - 1, Y: box.Max.Y - 1}}
	middle := vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}
	room := inner.Max.X - inner.Min.X - 2
	at := slices.IndexFunc(line.Points, func(p *compare.Point) bool { return p.Text == k })
	big, small := script{size: 9, x: text.XCenter, y: text.YCenter}, script{size: 7, x: text.XCenter, y: text.YCenter}
	if at < 0 || len(line.Points[at].Runs) == 0 {
		big.color = muted
		b.text(middle, "–", big)
		return
	}
	p := line.Points[at]
	score, bad := p.Score(dataset, measure), p.Collapsed()
	below := fmt.Sprintf("%d of %d %s", len(bad), len(p.Runs), kindOf(bad))
	if len(bad) == 0 {
		below = fmt.Sprintf("n = %d", score.Healthy.N)
	}
	switch {
	case len(bad) == len(p.Runs):
		b.hatch(inner)
		b.plate(middle, kindOf(bad), fmt.Sprintf("%d of %d", len(bad), len(p.Runs)), script{size: 8, x: text.XCenter, y: text.YCenter}, small, room)
		return
	case score.Healthy.N == 0:
		big.color = muted
		b.text(middle, "–", big)
		return
	}
	fill, dark := shades.colourOf(score.Healthy.Mean)
	b.rectangle(inner, fill)
	if dark {
		big.color, small.color = color.White, color.White
	}
	value := shortScore(score.Healthy.Mean)
	if b.textWidth(value, big) > room {
		value = strings.TrimPrefix(value, "0")
		big.size = 7
	}
	if b.textWidth(value, big) > room {
		return // only the shade is readable
	}
	if b.textWidth(below, small) > room {
		below = ""
		if len(bad) > 0 {
			below = "†"
		}
	}
	if below == "" {
		b.text(middle, value, big)
		return
	}
	b.text(vg.Point{X: middle.X, Y: middle.Y + 5}, value, big)
	b.text(vg.Point{X: middle.X, Y: middle.Y - 6}, below, small)
}

// plate writes two lines on white, as far as they fit.
func (b *brush) plate(middle vg.Point, above, below string, upper, lower script, room vg.Length) {
	w := max(b.textWidth(above, upper), b.textWidth(below, lower))
	if w > room {
		above, below = "†", ""
		w = b.textWidth(above, upper)
	}
	height := vg.Length(9)
	if below == "" {
		height = 6
	}
	b.rectangle(vg.Rectangle{Min: vg.Point{X: middle.X - w/2 - 1.5, Y: middle.Y - height}, Max: vg.Point{X: middle.X + w/2 + 1.5, Y: middle.Y + height}}, color.White)
	if below == "" {
		b.text(middle, above, upper)
		return
	}
	b.text(vg.Point{X: middle.X, Y: middle.Y + 4.5}, above, upper)
	b.text(vg.Point{X: middle.X, Y: middle.Y - 5}, below, lower)
}

// kindOf is the collapse of runs, or "collapsed" if they differ in it.
func kindOf(runs []*compare.Run) string {
	kind := ""
	for _, r := range runs {
		if kind != "" && kind != r.Verdict {
			return "collapsed"
		}
		kind = r.Verdict
	}
	return kind
}

// hatch fills a rectangle with diagonal lines and frames it.
func (b *brush) hatch(r vg.Rectangle) {
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	for d := vg.Length(4); d < w+h; d += 5 {
		from := vg.Point{X: r.Min.X + max(0, d-h), Y: r.Min.Y + min(d, h)}
		to := vg.Point{X: r.Min.X + min(d, w), Y: r.Min.Y + max(0, d-w)}
		b.line(frame, 0.6, nil, from, to)
	}
	b.line(frame, 0.6, nil, r.Min, vg.Point{X: r.Max.X, Y: r.Min.Y}, r.Max, vg.Point{X: r.Min.X, Y: r.Max.Y}, r.Min)
}

// shading maps a value to a colour: darker is greater, in one hue, so that the order is visible
// in grey and with every kind of colour blindness.
type shading struct{ values span }

// colourOf is the colour of a value, and whether it is dark enough for white type.
func (s shading) colourOf(v float64) (c color.NRGBA, dark bool) {
	share := 1.0
	if s.values.high > s.values.low {
		share = (v - s.values.low) / (s.values.high - s.values.low)
	}
	lightness := 0.94 - 0.54*share
	return oklch(lightness, 0.03+0.09*share, 245), lightness < 0.62
}

// legend names the shades and the marks of cells of a width.
func (s shading) legend(measure string, cell vg.Length) []entry {
	swatch := func(paint func(b *brush, r vg.Rectangle)) func(*brush, vg.Point) {
		return func(b *brush, at vg.Point) {
			paint(b, vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - 5}, Max: vg.Point{X: at.X + 18, Y: at.Y + 5}})
		}
	}
	out := []entry{{name: measure}}
	shown := []float64{s.values.low, (s.values.low + s.values.high) / 2, s.values.high}
	if s.values.low == s.values.high {
		shown = shown[:1]
	}
	for _, v := range shown {
		out = append(out, entry{name: shortScore(v), width: 18, sample: swatch(func(b *brush, r vg.Rectangle) {
			c, _ := s.colourOf(v)
			b.rectangle(r, c)
		})})
	}
	out = append(out, entry{name: "every seed collapsed", width: 18, sample: swatch(func(b *brush, r vg.Rectangle) { b.hatch(r) })}, entry{name: "– not measured"})
	if cell < 60 { // narrower than the words of some cells
		out = append(out, entry{name: "† seeds collapsed"})
	}
	return out
}
