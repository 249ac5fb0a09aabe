package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/metrics/outline"
	"headroom/reports/compare"
)

// Dev draws the measure on dev data during training against step, a panel per line of the
// comparison; ok is false if no run was evaluated during training. A dot is a step whose
// weights were selected.
func Dev(c *compare.Comparison) (f *Figure, ok bool) {
	values, last, measure, selected := newSpan(), 0.0, "", false
	eachRun(c, func(_ *compare.Line, _ *compare.Point, r *compare.Run) {
		if len(r.Dev.Steps) == 0 {
			return
		}
		measure, selected = r.DevMeasure, selected || r.Selected > 0
		for i, v := range r.Dev.Values {
			values.add(v)
			last = math.Max(last, float64(r.Dev.Steps[i]))
		}
	})
	if measure == "" {
		return nil, false
	}
	caption := measure + " on dev data during training, the mean over the collections of evaluate.during, against steps done, by k; one curve per seed. A gap is a model that could not be measured."
	fs := factors(c)
	entries := factorLegend(fs)
	if selected {
		caption += " A dot is the step whose weights are the run's result."
		entries = append(entries, entry{name: "selected step", width: 10, sample: func(b *brush, at vg.Point) {
			b.glyph(draw.CircleGlyph{}, vg.Point{X: at.X + 5, Y: at.Y}, 3, ink)
		}})
	}
	values.add(0)
	x, y := steps(last), linear(values)
	lay := func(l options) sheet {
		s := sheet{title: measure + " on dev data by k", legend: entries, panelHeight: 165, left: 58, right: margin + 4}
		s.setLinePanels(c.Lines, 1, l, func(p *panel, line *compare.Line, _ int, leftmost bool) {
			p.x, p.y = x, y
			p.axes(line.Name(), "steps done", measure, true, leftmost)
			for j := len(line.Points) - 1; j >= 0; j-- {
				color := colorOf(fs, line.Points[j].Text)
				for _, r := range runsOf(line.Points[j]) {
					thinned := outline.Curve{Series: r.Dev}.Draw(outline.Most)
					p.curve(thinned.Steps, thinned.Values, color, color, 1, 0)
					if v := at(r.Dev, r.Selected); r.Selected > 0 && !math.IsNaN(v) {
						p.glyph(draw.CircleGlyph{}, p.point(float64(r.Selected), v), 3, color)
					}
				}
			}
		})
		return s
	}
	return newFigure("dev", fmt.Sprintf("%s on dev data against steps done, coloured by k, one panel for each of %d backbones and settings.", measure, len(c.Lines)), caption, lay), true
}
