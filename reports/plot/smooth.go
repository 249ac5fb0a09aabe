package plot

import (
	"image/color"
	"math"
	"sync"

	"gonum.org/v1/plot/vg"

	"headroom/reports/compare"
)

// smooth returns a series' moving mean over about a twenty-fifth of its length, taken on the
// axis's scale, so that a logarithmic axis shows geometric means. At the start, where a loss
// falls fast, the window is short and centered on its step; at the end it keeps its values
// before the step, so that the curve does not end with a single noisy value. A value that is
// not finite stays, and no mean reaches across it.
func smooth(s compare.Series, warp, unwarp func(float64) float64) compare.Series {
	n := min(len(s.Steps), len(s.Values))
	half := n / 50
	out := compare.Series{Steps: s.Steps[:n], Values: make([]float64, n)}
	for from := 0; from < n; {
		if !finite(s.Values[from]) {
			out.Values[from] = s.Values[from]
			from++
			continue
		}
		to := from
		var sums []float64 // sums[i] is the sum of the first i values of this finite stretch
		sum := 0.0
		for ; to < n && finite(s.Values[to]); to++ {
			sums = append(sums, sum)
			sum += warp(s.Values[to])
		}
		sums = append(sums, sum)
		for i := from; i < to; i++ {
			before := min(half, i-from)
			after := min(before, to-1-i)
			low, high := i-before-from, i+after+1-from
			out.Values[i] = unwarp((sums[high] - sums[low]) / float64(high-low))
		}
		from = to
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// shapes keeps the curves of a figure as they are drawn. A figure is drawn once for each of
// its formats, and smoothing long curves is much of the work.
type shapes struct {
	mu    sync.Mutex
	known map[shapeOf]shape
}

// shapeOf is what a shape depends on.
type shapeOf struct {
	run         *compare.Run
	series      string
	limit       int
	logarithmic bool
	low         float64 // of a logarithmic axis
}

// shape is a curve in few points: its values and their moving mean.
type shape struct{ values, mean compare.Series }

func (k *shapes) find(of shapeOf) shape {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found, ok := k.known[of]; ok {
		return found
	}
	unwarp := func(v float64) float64 { return v }
	warp := unwarp
	if of.logarithmic {
		warp, unwarp = func(v float64) float64 { return math.Log(math.Max(v, of.low)) }, math.Exp
	}
	raw := of.run.Series[of.series]
	made := shape{thin(raw, of.limit), thin(smooth(raw, warp, unwarp), of.limit)}
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
			found := kept.find(shapeOf{r, name, limit, p.y.logarithmic, p.y.low})
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
