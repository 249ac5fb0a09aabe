package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/metrics/outline"
	"headroom/metrics/stability"
	"headroom/reports/compare"
)

// panelPoints is the number of points of all curves of a panel together; a curve needs
// fewestPoints to show its shape.
const (
	panelPoints  = 20 * outline.Most
	fewestPoints = 60
)

// pointsOf returns the number of points for each curve of a line; they share a panel.
func pointsOf(line *compare.Line) int {
	runs := 0
	for _, p := range line.Points {
		runs += len(p.Runs) + len(p.Open)
	}
	return max(fewestPoints, min(outline.Most, panelPoints/max(1, runs)))
}

// Loss draws the training loss against step, a panel per line of the comparison,
// and marks where a collapse that stands at the end began.
func Loss(c *compare.Comparison) *Figure {
	const name, title = "loss", "Training loss by k"
	caption := "Training loss (total) by k: bold is the moving mean of a seed, faint its values. A symbol marks the first step of the collapse that stands at the end of a run."
	values, last := newSpan(), 0.0
	broken := false
	verdicts := map[string]bool{}
	eachRun(c, func(_ *compare.Line, _ *compare.Point, r *compare.Run) {
		s := r.Series["loss"]
		for _, v := range s.Values {
			values.add(v)
			broken = broken || math.IsNaN(v) || math.IsInf(v, 0)
		}
		last = math.Max(last, float64(s.Last()))
		if e := standing(r); e != nil {
			verdicts[e.Kind] = true
		}
	})
	if values.empty() && !broken {
		return empty(name, title, "Training loss: no data yet.", caption)
	}
	fs := factors(c)
	y, yName := linear(span{math.Min(0, values.low), values.high}), "loss"
	if values.low > 0 && values.high/values.low > 30 {
		y, yName = logarithmic(values), "loss (log scale)"
	}
	x := steps(last)

	entries := factorLegend(fs)
	if broken {
		entries = append(entries, entry{name: "loss not finite", width: 10, sample: func(b *brush, at vg.Point) {
			b.glyph(draw.CrossGlyph{}, vg.Point{X: at.X + 5, Y: at.Y}, 3.5, ink)
		}})
	}
	first := true
	for _, kind := range stability.Collapses() {
		if !verdicts[kind] {
			continue
		}
		if first {
			entries = append(entries, entry{name: "collapse begins:", row: true})
			first = false
		}
		entries = append(entries, entry{name: kind, width: 10, sample: func(b *brush, at vg.Point) {
			b.mark(kind, vg.Point{X: at.X + 5, Y: at.Y}, rgb(0xb6bcc4))
		}})
	}
	kept := &shapes{}
	lay := func(l options) sheet {
		s := sheet{title: title, legend: entries, panelHeight: 190, left: 58, right: margin + 4}
		s.setLinePanels(c.Lines, 1, l, func(p *panel, line *compare.Line, _ int, leftmost bool) {
			p.x, p.y = x, y
			p.axes(line.Name(), "training step", yName, true, leftmost)
			p.runs(line, fs, "loss", kept)
			p.collapses(line, fs)
		})
		return s
	}
	return newFigure(name, fmt.Sprintf("Training loss against step, coloured by k, one panel for each of %d backbones and settings; symbols mark where a collapse began.", len(c.Lines)), caption, lay)
}

// collapses marks the onset of every standing collapse of a line and labels it
// with k and verdict if there is room; labels of one k and kind are written once.
func (p *panel) collapses(line *compare.Line, fs []factor) {
	var taken []vg.Rectangle
	type onset struct {
		at    vg.Point
		kind  string
		label string
		color color.NRGBA
	}
	var onsets []onset
	for _, point := range line.Points {
		for _, r := range point.Runs {
			e := standing(r)
			if e == nil {
				continue
			}
			v := e.Loss
			if math.IsNaN(v) || math.IsInf(v, 0) {
				v = p.y.high
			}
			o := onset{at: p.point(float64(e.FirstStep), v), kind: e.Kind, label: compare.KName(point.Text) + " " + e.Kind, color: colorOf(fs, point.Text)}
			o.at.Y = max(p.data.Min.Y, min(p.data.Max.Y-2, o.at.Y))
			onsets = append(onsets, o)
			taken = append(taken, boxAround(o.at, 6, 6))
		}
	}
	for _, o := range onsets {
		p.mark(o.kind, o.at, o.color)
	}
	written := map[string]bool{}
	s := script{size: 8.5, y: text.YCenter}
	for _, o := range onsets {
		if written[o.label] {
			continue
		}
		w := p.textWidth(o.label, s)
		if box, ok := freeBox(o.at, w, 10, p.data, taken); ok {
			written[o.label] = true
			taken = append(taken, box)
			p.rectangle(box, fade(rgb(0xffffff), 0.8))
			middle := (box.Min.Y + box.Max.Y) / 2
			end := vg.Point{X: max(box.Min.X, min(box.Max.X, o.at.X)), Y: box.Min.Y}
			if middle < o.at.Y {
				end.Y = box.Max.Y
			}
			p.line(muted, 0.5, nil, o.at, end)
			p.mark(o.kind, o.at, o.color)
			p.text(vg.Point{X: box.Min.X + 1.5, Y: middle}, o.label, s)
		}
	}
}

// freeBox looks for a free box of the given size near a point, inside bounds.
func freeBox(at vg.Point, w, h vg.Length, bounds vg.Rectangle, taken []vg.Rectangle) (vg.Rectangle, bool) {
	for _, dy := range []vg.Length{16, -16, 30, -30, 44, -44, 58, -58, 72, -72} {
		for _, dx := range []vg.Length{6, -w / 2, -w - 6, 24, -w - 24} {
			box := vg.Rectangle{Min: vg.Point{X: at.X + dx, Y: at.Y + dy - h/2}, Max: vg.Point{X: at.X + dx + w + 3, Y: at.Y + dy + h/2}}
			if isInside(box, bounds) && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return doOverlap(box, t) }) {
				return box, true
			}
		}
	}
	return vg.Rectangle{}, false
}

func isInside(box, bounds vg.Rectangle) bool {
	return box.Min.X >= bounds.Min.X+2 && box.Max.X <= bounds.Max.X && box.Min.Y >= bounds.Min.Y+2 && box.Max.Y <= bounds.Max.Y
}

func doOverlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

func boxAround(p vg.Point, w, h vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: p.X - w, Y: p.Y - h}, Max: vg.Point{X: p.X + w, Y: p.Y + h}}
}

// mark draws a verdict's glyph, filled with a colour and outlined to stand out
// from the curve below it.
func (b *brush) mark(kind string, at vg.Point, c color.NRGBA) {
	var shape draw.GlyphDrawer = draw.CircleGlyph{}
	switch kind {
	case stability.Identical:
		shape = draw.BoxGlyph{}
	case stability.Stalled:
		shape = draw.PyramidGlyph{}
	case stability.NonFinite:
		b.glyph(draw.CrossGlyph{}, at, 5, ink)
		return
	}
	b.glyph(shape, at, 5, rgb(0xffffff))
	b.glyph(shape, at, 4.2, ink)
	b.glyph(shape, at, 3, c)
}

// standing is the collapse episode that gave the run its verdict.
func standing(r *compare.Run) *compare.Episode {
	if !r.Collapsed() {
		return nil
	}
	for i := range r.Episodes {
		if e := &r.Episodes[i]; e.Stands && e.Kind == r.Verdict {
			return e
		}
	}
	return nil
}

// chanceLevel is ln of the number of candidates, if all runs that say share
// one; NaN otherwise.
func chanceLevel(c *compare.Comparison) float64 {
	found := 0
	for _, r := range c.Runs {
		if n := r.Candidates; n > 0 {
			if found != 0 && found != n {
				return math.NaN()
			}
			found = n
		}
	}
	if found == 0 {
		return math.NaN()
	}
	return math.Log(float64(found))
}

func eachRun(c *compare.Comparison, visit func(*compare.Line, *compare.Point, *compare.Run)) {
	for _, line := range c.Lines {
		for _, p := range line.Points {
			for _, r := range runsOf(p) {
				visit(line, p, r)
			}
		}
	}
}

func dashes() []vg.Length { return []vg.Length{4, 3} }
func dots() []vg.Length   { return []vg.Length{1.2, 2.4} }

// shortScore writes a measure for a margin.
func shortScore(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
