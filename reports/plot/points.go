package plot

import (
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"

	"headroom/reports/compare"
)

// factor is one k of the comparison with its colour, the same in every figure.
type factor struct {
	text  string
	k     float64
	color color.NRGBA
}

// factors lists the k of all lines, ascending, automatic ones last.
func factors(c *compare.Comparison) []factor {
	var out []factor
	seen := map[string]bool{}
	for _, line := range c.Lines {
		for _, p := range line.Points {
			if !seen[p.Text] {
				seen[p.Text] = true
				out = append(out, factor{text: p.Text, k: p.K})
			}
		}
	}
	sort.SliceStable(out, func(a, b int) bool {
		if math.IsNaN(out[a].k) || math.IsNaN(out[b].k) {
			return !math.IsNaN(out[a].k) && math.IsNaN(out[b].k)
		}
		return out[a].k < out[b].k
	})
	for i, c := range ramp(len(out)) {
		out[i].color = c
	}
	return out
}

func colorOf(fs []factor, text string) color.NRGBA {
	for _, f := range fs {
		if f.text == text {
			return f.color
		}
	}
	return rgb(muted)
}

// backboneIndex is the index of a line's backbone among those of the comparison, in the order of
// its lines. So each backbone has one colour, whatever else varies.
func backboneIndex(c *compare.Comparison, line *compare.Line) int {
	i, last := -1, ""
	for j, l := range c.Lines {
		if j == 0 || l.Backbone != last {
			i, last = i+1, l.Backbone
		}
		if l == line {
			return i
		}
	}
	return 0
}

// factorLegend names the colours of k.
func factorLegend(fs []factor) []entry {
	out := []entry{{name: "k ="}}
	for _, f := range fs {
		out = append(out, entry{name: f.text, width: 18, sample: func(b *brush, at vg.Point) {
			b.line(f.color, 2.2, nil, at, vg.Point{X: at.X + 18, Y: at.Y})
		}})
	}
	return out
}

// at is a series' value at a step, or at the last step before it.
func at(s compare.Series, step int) float64 {
	i := sort.SearchInts(s.Steps, step+1) - 1
	if i < 0 || i >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[i]
}

// runsOf lists a point's runs, unfinished ones included: the beginnings of their curves
// are real too.
func runsOf(p *compare.Point) []*compare.Run {
	return append(append([]*compare.Run(nil), p.Runs...), p.Open...)
}
