package plot

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
	"headroom/sweeps"
)

// Cost draws the measure against FLOPS on one collection, a panel per backbone and a
// colour per k; ok is false if no cost was measured.
func Cost(c *compare.Comparison, dataset string) (f *Figure, ok bool) {
	curves := c.CostCurves(dataset)
	var backbones []string
	costs, values := newSpan(), newSpan()
	for _, curve := range curves {
		if len(backbones) == 0 || backbones[len(backbones)-1] != curve.Backbone {
			backbones = append(backbones, curve.Backbone)
		}
		for _, at := range curve.Points {
			costs.add(at.Flops)
			values.add(at.Value)
		}
	}
	if costs.empty() {
		return nil, false
	}
	values.add(0)
	bm25 := c.Baseline(sweeps.BM25, "", dataset, nil)
	if bm25 != nil && !hasMeasure(bm25, c.Measure) {
		bm25 = nil
	}
	if bm25 != nil {
		values.add(bm25.Measures[c.Measure])
	}
	fs := factors(c)
	entries := append(factorLegend(fs), entry{name: "as trained (a dot per λ)", width: 10, sample: func(b *brush, at vg.Point) {
		b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 5, Y: at.Y}, 3.4, ink)
	}}, entry{name: "documents cut to their greatest weights", width: 18, sample: func(b *brush, at vg.Point) {
		b.line(ink, 1.2, nil, at, vg.Point{X: at.X + 18, Y: at.Y})
	}})
	caption := fmt.Sprintf("%s on %s against FLOPS, the mean number of terms that a query and a document share; mean over the seeds that did not collapse; where every seed collapsed there is no curve. Compare heights above one cost: further to the left is cheaper.", c.Measure, dataset)
	lay := func(l options) sheet {
		rows, cols := tiles(len(backbones), l)
		s := sheet{title: c.Measure + " against cost on " + dataset, legend: entries, rows: rows, cols: cols, panelHeight: 190, left: 58, right: 58, gap: 62}
		x, y := logarithmic(costs), linear(values)
		s.panel = func(b *brush, data vg.Rectangle, row, col int) {
			i := row*cols + col
			if i >= len(backbones) {
				return
			}
			p := &panel{brush: b, data: data, titles: backbones, x: x, y: y}
			p.axes(backbones[i], "FLOPS (log scale)", c.Measure, true, col == 0)
			if bm25 != nil {
				p.levels([]level{{bm25.Measures[c.Measure], "BM25", dashes()}})
			}
			for _, curve := range curves {
				if curve.Backbone != backbones[i] {
					continue
				}
				color := colorOf(fs, curve.Point.Text)
				var line []vg.Point
				for _, at := range curve.Points {
					line = append(line, p.point(at.Flops, at.Value))
				}
				if len(line) > 1 {
					p.line(color, 1.2, nil, line...)
				}
				p.glyph(draw.CircleGlyph{}, line[curve.Trained], 3.4, color)
			}
			p.nameDots(curves, backbones[i])
		}
		return s
	}
	f = newFigure("cost-"+slug(dataset), fmt.Sprintf("%s against FLOPS on %s, coloured by k, one panel per backbone (%d).", c.Measure, dataset, len(backbones)), caption, lay)
	f.Costs = true
	return f, true
}

// nameDots writes the λ of each dot of a panel if the sweep has several, as far as there is
// room next to the dots.
func (p *panel) nameDots(curves []compare.CostCurve, backbone string) {
	var taken []vg.Rectangle
	at := func(curve compare.CostCurve) vg.Point {
		trained := curve.Points[curve.Trained]
		return p.point(trained.Flops, trained.Value)
	}
	for _, curve := range curves {
		if curve.Backbone == backbone {
			taken = append(taken, boxAround(at(curve), 4, 4))
		}
	}
	s := script{size: 7.5, color: ink, y: text.YCenter}
	for _, curve := range curves {
		label := curve.Point.Line.CostText()
		if curve.Backbone != backbone || label == "" {
			continue
		}
		dot, w := at(curve), p.textWidth(label, s)
		for _, shift := range []vg.Point{{X: -w / 2, Y: 9}, {X: 6, Y: 0}, {X: -w - 6, Y: 0}, {X: -w / 2, Y: -9}, {X: 6, Y: 9}, {X: -w - 6, Y: 9}, {X: 6, Y: -9}, {X: -w - 6, Y: -9}} {
			box := vg.Rectangle{Min: vg.Point{X: dot.X + shift.X, Y: dot.Y + shift.Y - 4}, Max: vg.Point{X: dot.X + shift.X + w, Y: dot.Y + shift.Y + 4}}
			if !isInside(box, p.data) || slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return doOverlap(box, t) }) {
				continue
			}
			taken = append(taken, box)
			p.rectangle(box, fade(rgb(0xffffff), 0.75))
			p.text(vg.Point{X: box.Min.X, Y: (box.Min.Y + box.Max.Y) / 2}, label, s)
			break
		}
	}
}
