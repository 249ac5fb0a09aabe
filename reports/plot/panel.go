package plot

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel is one pair of axes: a data rectangle on the canvas and two scales.
type panel struct {
	*brush
	data vg.Rectangle
	// titles are those of all panels of the figure, which write them alike.
	titles []string
	x, y   scale
}

func (p *panel) point(x, y float64) vg.Point {
	return vg.Point{
		X: p.data.Min.X + vg.Length(p.x.at(x))*(p.data.Max.X-p.data.Min.X),
		Y: p.data.Min.Y + vg.Length(p.y.at(y))*(p.data.Max.Y-p.data.Min.Y),
	}
}

// axes draws grid, ticks, frame and names. A panel inside a grid of panels
// leaves out what its neighbour shows.
func (p *panel) axes(title, xName, yName string, showX, showY bool) {
	for _, t := range p.yTicks() {
		at := p.point(p.x.low, t.value)
		if t.label == "" {
			continue
		}
		p.line(rule, 0.6, nil, at, vg.Point{X: p.data.Max.X, Y: at.Y})
		if showY {
			p.text(vg.Point{X: at.X - 5, Y: at.Y}, t.label, script{size: sizeTick, color: muted, x: text.XRight, y: text.YCenter})
		}
	}
	for _, t := range p.x.ticks {
		at := p.point(t.value, p.y.low)
		length := vg.Length(3)
		if t.label == "" {
			length = 1.5
		}
		p.line(frame, 0.6, nil, at, vg.Point{X: at.X, Y: at.Y - length})
		if t.label != "" {
			p.text(vg.Point{X: at.X, Y: at.Y - 5}, t.label, script{size: sizeTick, color: muted, x: text.XCenter, y: text.YTop})
		}
	}
	p.line(frame, 0.6, nil, vg.Point{X: p.data.Min.X, Y: p.data.Max.Y}, p.data.Min, vg.Point{X: p.data.Max.X, Y: p.data.Min.Y})
	if title != "" {
		p.title(title)
	}
	if showX && xName != "" {
		p.text(vg.Point{X: (p.data.Min.X + p.data.Max.X) / 2, Y: p.data.Min.Y - 20}, xName, script{size: sizeLabel, x: text.XCenter, y: text.YTop})
	}
	if showY && yName != "" {
		p.text(vg.Point{X: p.data.Min.X - nameLeft, Y: (p.data.Min.Y + p.data.Max.Y) / 2}, yName, script{size: sizeLabel, x: text.XCenter, y: text.YBottom, turn: math.Pi / 2})
	}
}

// nameLeft is how far left of the panel the name of its y axis is; numbers stand between them.
const nameLeft = 38 * vg.Length(1)

// yTicks returns the ticks of the y axis. If there is no room for one of their numbers beside the
// axis's name, all have an exponent.
func (p *panel) yTicks() []tick {
	s := script{size: sizeTick}
	if !slices.ContainsFunc(p.y.ticks, func(t tick) bool { return p.textWidth(t.label, s) > nameLeft-7 }) {
		return p.y.ticks
	}
	ticks := slices.Clone(p.y.ticks)
	for i, t := range ticks {
		if t.label != "" {
			ticks[i].label = exponentLabel(t.value)
		}
	}
	return ticks
}

// title writes a panel's title above it. All panels of a figure write theirs alike: in one line
// if each of them has room, else smaller, else in two lines broken at a comma, and cut if that
// is not enough.
func (p *panel) title(words string) {
	room := p.data.Max.X - p.data.Min.X
	s := script{size: sizePanel, bold: true, y: text.YBottom}
	haveRoom := func(part func(string) string) bool {
		return !slices.ContainsFunc(p.titles, func(t string) bool { return p.textWidth(part(t), s) > room })
	}
	whole := func(title string) string { return title }
	if haveRoom(whole) {
		p.text(vg.Point{X: p.data.Min.X, Y: p.data.Max.Y + 7}, words, s)
		return
	}
	s.size = 8.5
	if !haveRoom(whole) {
		for s.size > 7 && !haveRoom(afterComma) {
			s.size -= 0.5
		}
		if rest := afterComma(words); rest != words {
			p.text(vg.Point{X: p.data.Min.X, Y: p.data.Max.Y + 5 + s.size}, p.cut(strings.TrimSuffix(words, " "+rest), s, room), s)
			words = rest
		}
	}
	p.text(vg.Point{X: p.data.Min.X, Y: p.data.Max.Y + 4}, p.cut(words, s, room), s)
}

// afterComma returns what stands after the first comma of a title, or all of it.
func afterComma(title string) string {
	if _, rest, ok := strings.Cut(title, ", "); ok {
		return rest
	}
	return title
}

// cut shortens words to a width. It keeps their end, in which names differ more often.
func (b *brush) cut(words string, s script, room vg.Length) string {
	if b.textWidth(words, s) <= room {
		return words
	}
	runes := []rune(words)
	for len(runes) > 1 && b.textWidth("…"+string(runes), s) > room {
		runes = runes[1:]
	}
	return "…" + string(runes)
}

// curve draws a series with a gap at every value that is not finite, and marks the gap at
// the panel's upper edge in the colour of marks. Each curve has its own rail, so that the
// marks of curves that break at the same steps do not cover each other. It reports whether
// there was a gap.
func (p *panel) curve(xs []int, ys []float64, c, marks color.Color, w vg.Length, rail int) bool {
	var part []vg.Point
	flush := func() {
		if len(part) > 1 {
			p.canvas.StrokeLines(draw.LineStyle{Color: c, Width: w}, part)
		} else if len(part) == 1 {
			p.glyph(draw.CircleGlyph{}, part[0], w, c)
		}
		part = nil
	}
	broken, ever := false, false
	for i, y := range ys {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			flush()
			at := vg.Point{X: p.point(float64(xs[i]), p.y.high).X, Y: p.data.Max.Y - 4 - 4*vg.Length(rail)}
			if !broken {
				p.glyph(draw.CrossGlyph{}, at, 3.5, marks)
			}
			p.line(marks, 1, nil, vg.Point{X: at.X - 0.5, Y: at.Y}, vg.Point{X: at.X + 0.5, Y: at.Y})
			broken, ever = true, true
			continue
		}
		broken = false
		at := p.point(float64(xs[i]), y)
		at.Y = max(p.data.Min.Y, min(p.data.Max.Y, at.Y))
		part = append(part, at)
	}
	flush()
	return ever
}

func (b *brush) glyph(shape draw.GlyphDrawer, at vg.Point, radius vg.Length, c color.Color) {
	b.canvas.DrawGlyphNoClip(draw.GlyphStyle{Color: c, Radius: radius, Shape: shape}, at)
}

// level is a horizontal line with its name, such as BM25.
type level struct {
	value float64
	name  string
	dash  []vg.Length
}

// levels draws horizontal lines across the panel and names them in the margin to
// its right, moved apart where they would overlap.
func (p *panel) levels(lines []level) {
	heights := make([]vg.Length, len(lines))
	for i, l := range lines {
		at := p.point(p.x.low, l.value)
		p.line(muted, 0.9, l.dash, at, vg.Point{X: p.data.Max.X, Y: at.Y})
		heights[i] = at.Y
	}
	moveApart(heights, 2.3*sizeTick, p.data.Min.Y, p.data.Max.Y)
	for i, l := range lines {
		s := script{size: sizeTick, color: muted, y: text.YCenter}
		p.text(vg.Point{X: p.data.Max.X + 5, Y: heights[i] + 0.55*sizeTick}, l.name, s)
		p.text(vg.Point{X: p.data.Max.X + 5, Y: heights[i] - 0.55*sizeTick}, shortScore(l.value), s)
	}
}

// moveApart moves heights so that neighbours are at least gap apart. It keeps their order,
// and keeps them between low and high as far as there is room.
func moveApart(heights []vg.Length, gap, low, high vg.Length) {
	order := make([]int, len(heights))
	for i := range order {
		order[i] = i
	}
	for i := 1; i < len(order); i++ {
		for j := i; j > 0 && heights[order[j]] < heights[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	floor := low
	for _, i := range order {
		heights[i] = max(heights[i], floor)
		floor = heights[i] + gap
	}
	ceiling := high
	for n := len(order) - 1; n >= 0; n-- {
		i := order[n]
		heights[i] = min(heights[i], ceiling)
		ceiling = heights[i] - gap
	}
}
