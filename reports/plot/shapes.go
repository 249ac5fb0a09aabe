package plot

import (
	"image/color"
	"math"
	"sync"

	"gonum.org/v1/plot/vg"

	"headroom/metrics/outline"
	"headroom/reports/compare"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// shapes keeps the curves of a figure as they are drawn. A figure is drawn once for each of
// its formats, and smoothing long curves is much of the work.
type shapes struct {
	mu    sync.Mutex
	known map[shapeOf]shape
}

// shapeOf is what a shape depends on.
type shapeOf struct {
	run    *compare.Run
	series string
	limit  int
	axis   outline.Axis
}

// shape is a curve in few points: its values and their moving mean.
type shape struct{ values, mean compare.Series }

func (k *shapes) find(of shapeOf) shape {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found, ok := k.known[of]; ok {
		return found
	}
	whole := of.run.Series[of.series]
	made := shape{whole.Draw(of.limit), whole.DrawMean(of.limit, of.axis)}
	if k.known == nil {
		k.known = map[shapeOf]shape{}
	}
	k.known[of] = made
	return made
}

// runs draws a series of every run of a line: the moving mean in bold, and the values faintly
// below it. It marks gaps as curve does. It begins with the greatest k, so that the few
// collapsing curves are on top.
func (p *panel) runs(line *compare.Line, fs []factor, name string, kept *shapes) {
	type drawn struct {
		mean   compare.Series
		factor int
	}
	var bold []drawn
	rail, limit := 0, pointsOf(line)
	for j := len(line.Points) - 1; j >= 0; j-- {
		gaps := false
		for _, r := range runsOf(line.Points[j]) {
			found := kept.find(shapeOf{r, name, limit, outline.Axis{Logarithmic: p.y.logarithmic, Low: p.y.low}})
			c := colorOf(fs, line.Points[j].Text)
			gaps = p.curve(found.values.Steps, found.values.Values, fade(c, 0.4), c, 0.6, rail) || gaps
			bold = append(bold, drawn{found.mean, j})
		}
		if gaps {
			rail++
		}
	}
	for _, d := range bold {
		p.pieces(d.mean, colorOf(fs, line.Points[d.factor].Text), 1.3)
	}
}

// pieces draws the finite stretches of a series.
func (p *panel) pieces(s compare.Series, c color.Color, w vg.Length) {
	var part []vg.Point
	flush := func() {
		if len(part) > 1 {
			p.line(c, w, nil, part...)
		}
		part = nil
	}
	for i, v := range s.Values {
		if !finite(v) {
			flush()
			continue
		}
		at := p.point(float64(s.Steps[i]), v)
		at.Y = max(p.data.Min.Y, min(p.data.Max.Y, at.Y))
		part = append(part, at)
	}
	flush()
}
