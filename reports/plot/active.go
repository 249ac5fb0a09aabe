package plot

import (
	"fmt"
	"math"

	"headroom/reports/compare"
)

// Active draws the active dims of queries and documents against step: two rows,
// a column per line of the comparison.
func Active(c *compare.Comparison) *Figure {
	const name, title = "active", "Active dims of the training batch by k"
	caption := "Mean number of active dims of a query and of a document of the training batch against step, by k; one curve per seed. The scale is log(1 + x), so that an empty vector has its place. Fewer is cheaper; 0 is empty."
	high, last := 0.0, 0.0
	found := false
	series := [...]struct{ name, axis string }{{"active/query", "active dims, query"}, {"active/document", "active dims, document"}}
	eachRun(c, func(_ *compare.Line, _ *compare.Point, r *compare.Run) {
		for _, s := range series {
			values := r.Series[s.name]
			found, last = found || len(values.Steps) > 0, math.Max(last, float64(values.Last()))
			for _, v := range values.Values {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					high = math.Max(high, v)
				}
			}
		}
	})
	if !found {
		return empty(name, title, "Active dims against step: no data yet.", caption)
	}
	fs := factors(c)
	x, y := steps(last), counts(high)
	lay := func(l options) sheet {
		s := sheet{title: title, legend: factorLegend(fs), panelHeight: 165, left: 58, right: margin + 4}
		s.setLinePanels(c.Lines, len(series), l, func(p *panel, line *compare.Line, part int, leftmost bool) {
			shown := series[part]
			limit := pointsOf(line)
			p.x, p.y = x, y
			p.axes(line.Name(), "training step", shown.axis, true, leftmost)
			for j := len(line.Points) - 1; j >= 0; j-- {
				for _, r := range runsOf(line.Points[j]) {
					thinned, c := r.Series[shown.name].Draw(limit), colorOf(fs, line.Points[j].Text)
					p.curve(thinned.Steps, thinned.Values, c, c, 1, 0)
				}
			}
		})
		return s
	}
	return newFigure(name, fmt.Sprintf("Active dims of queries (above) and documents (below) against step, coloured by k, one column for each of %d backbones and settings.", len(c.Lines)), caption, lay)
}
