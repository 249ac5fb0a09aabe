package plot

import (
	"fmt"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

// Cost draws the measure against FLOPS on one collection, a panel per backbone and a
// colour per k; ok is false where no cost was measured.
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
	bm25 := c.Baseline("bm25", "", dataset, nil)
	if bm25 != nil {
		values.add(bm25.Measures[c.Measure])
	}
	fs := factors(c)
	entries := append(factorLegend(fs), entry{name: "as trained (a dot per λ)", width: 10, sample: func(b *brush, at vg.Point) {
		b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 5, Y: at.Y}, 3.4, ink)
	}}, entry{name: "documents cut to their greatest weights", width: 18, sample: func(b *brush, at vg.Point) {
		b.line(ink, 1.2, nil, at, vg.Point{X: at.X + 18, Y: at.Y})
	}})
	rows, cols := tiles(len(backbones))
	s := sheet{title: c.Measure + " against cost on " + dataset, legend: entries, rows: rows, cols: cols, panelHeight: 190, left: 58, right: 58, gap: 62}
	x, y := logarithmic(costs), linear(values)
	s.panel = func(b *brush, data vg.Rectangle, row, col int) {
		i := row*cols + col
		if i >= len(backbones) {
			return
		}
		p := &panel{brush: b, data: data, x: x, y: y}
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
	}
	caption := fmt.Sprintf("%s on %s against FLOPS, the mean number of terms that a query and a document share; mean over the seeds that did not collapse. Compare heights above one cost: further to the left is cheaper.", c.Measure, dataset)
	return s.figure("cost-"+slug(dataset), fmt.Sprintf("%s against FLOPS on %s, coloured by k, one panel per backbone (%d).", c.Measure, dataset, len(backbones)), caption), true
}
