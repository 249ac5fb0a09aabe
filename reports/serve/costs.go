package serve

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"headroom/metrics/store"
	"headroom/reports/live"
	"headroom/runner/workspace"
)

// scatter is the figure of the runs' measure against their cost, ready to be drawn.
type scatter struct {
	Measure, Dataset     string
	Width, Height        int
	Points               []dot
	Curves               []polyline
	Front                string // points of a polyline
	XTicks, YTicks       []tick
	Left, Bottom, Bounds int
}

type dot struct {
	X, Y               float64
	Class, Title, Link string
}

type polyline struct{ Points, Class, Title string }

type tick struct {
	At   float64
	Text string
}

const (
	costWidth, costHeight = 640, 300
	costLeft, costBottom  = 56, 34
	// mostCostCurves is how many runs' cut vectors are drawn.
	mostCostCurves = 60
)

// costs draws the main figure of the runs that are shown against their FLOPS, on a
// logarithmic axis, with the front of those that nothing beats at their cost.
func (s *Server) costs(base shown, sweep *live.Sweep) scatter {
	c := scatter{Width: costWidth, Height: costHeight, Left: costLeft, Bottom: costHeight - costBottom, Bounds: costWidth - 12}
	if len(sweep.Figures) == 0 || sweep.Figures[0].Cost() {
		return c
	}
	main := sweep.Figures[0]
	for _, f := range sweep.Figures {
		if base.V.get("z") == f.String() && !f.Cost() {
			main = f
		}
	}
	cost := live.Figure{Measure: live.Flops, Dataset: main.Dataset}
	c.Measure, c.Dataset = main.Measure, main.Dataset
	type at struct {
		run          *live.Run
		flops, value float64
	}
	var points []at
	cuts := map[*live.Run][]store.CutMean{}
	f := filterOf(base.V)
	for _, r := range sweep.Runs {
		flops, value := r.Figure(cost), r.Figure(main)
		if !f.keeps(r) || !(flops > 0) || math.IsNaN(value) {
			continue
		}
		points = append(points, at{r, flops, value})
		if len(cuts) < mostCostCurves {
			// Without the curves only the points are drawn.
			_ = base.Place.Watcher.Read(func(_ workspace.Workspace, st *store.Store) (err error) {
				cuts[r], err = st.CutMeans(s.stop, r.Run.Run, main.Dataset, main.Measure)
				return err
			})
		}
	}
	if len(points) == 0 {
		return c
	}
	lowX, highX, highY := math.Inf(1), math.Inf(-1), 0.0
	for _, p := range points {
		lowX, highX, highY = min(lowX, p.flops), max(highX, p.flops), max(highY, p.value)
		for _, cut := range cuts[p.run] {
			if cut.Flops > 0 {
				lowX, highY = min(lowX, cut.Flops), max(highY, cut.Value)
			}
		}
	}
	lowX, highX = lowX/1.15, highX*1.15
	highY = max(highY*1.08, 1e-6)
	x := func(v float64) float64 {
		return costLeft + (costWidth-12-costLeft)*math.Log(v/lowX)/math.Log(highX/lowX)
	}
	y := func(v float64) float64 { return 10 + (costHeight-costBottom-10)*(1-v/highY) }
	for _, p := range points {
		c.Points = append(c.Points, dot{X: x(p.flops), Y: y(p.value), Class: "v-" + slug(verdictOf(p.run)),
			Title: fmt.Sprintf("%s: %s %s at %s FLOPS, %s", p.run.Label, main.Measure, number(main, p.value), number(cost, p.flops), verdictOf(p.run)),
			Link:  base.V.At("/runs/"+p.run.Run.Run, "w")})
		line := ""
		for _, cut := range cuts[p.run] {
			if cut.Flops > 0 {
				line += fmt.Sprintf("%.1f,%.1f ", x(cut.Flops), y(cut.Value))
			}
		}
		if line != "" {
			c.Curves = append(c.Curves, polyline{line + fmt.Sprintf("%.1f,%.1f", x(p.flops), y(p.value)), "v-" + slug(verdictOf(p.run)), p.run.Label + ", documents cut"})
		}
	}
	slices.SortFunc(points, func(a, b at) int { return cmp.Or(cmp.Compare(a.flops, b.flops), cmp.Compare(b.value, a.value)) })
	best := math.Inf(-1)
	for _, p := range points {
		if p.value <= best || p.run.Collapsed() != "" {
			continue
		}
		if !math.IsInf(best, -1) {
			c.Front += fmt.Sprintf("%.1f,%.1f ", x(p.flops), y(best))
		}
		best = p.value
		c.Front += fmt.Sprintf("%.1f,%.1f ", x(p.flops), y(p.value))
	}
	for decade := math.Floor(math.Log10(lowX)); decade <= math.Ceil(math.Log10(highX)); decade++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, decade); v >= lowX && v <= highX && (m == 1 || highX/lowX < 100) {
				c.XTicks = append(c.XTicks, tick{x(v), number(cost, v)})
			}
		}
	}
	for i := range 5 {
		v := highY / 1.08 * float64(i) / 4
		c.YTicks = append(c.YTicks, tick{y(v), fmt.Sprintf("%.2f", v)})
	}
	return c
}
