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

// thin reduces a long series to about limit points: from every bucket it keeps the
// least and the greatest finite value and the first value that is not finite, in their
// order. So spikes and gaps stay visible.
func thin(s compare.Series, limit int) compare.Series {
	n := min(len(s.Steps), len(s.Values))
	if n <= limit {
		return compare.Series{Steps: s.Steps[:n], Values: s.Values[:n]}
	}
	var out compare.Series
	buckets := max(1, limit/3)
	for b := range buckets {
		from, to := b*n/buckets, (b+1)*n/buckets
		low, high, bad := -1, -1, -1
		for i := from; i < to; i++ {
			v := s.Values[i]
			switch {
			case math.IsNaN(v) || math.IsInf(v, 0):
				if bad < 0 {
					bad = i
				}
			case low < 0:
				low, high = i, i
			case v < s.Values[low]:
				low = i
			case v > s.Values[high]:
				high = i
			}
		}
		chosen := []int{low, high, bad}
		sort.Ints(chosen)
		last := -1
		for _, i := range chosen {
			if i > last {
				out.Steps = append(out.Steps, s.Steps[i])
				out.Values = append(out.Values, s.Values[i])
				last = i
			}
		}
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
