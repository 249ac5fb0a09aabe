// Package outline reduces the series of a run to the points that a figure can show.
//
// Contract. A long series is reduced once, when its run is over, and every figure is drawn from
// what is left: of each three hundredth of its points the least and the greatest finite value
// and the first value that is not finite, and the same of its moving means. A figure drawn from
// a reduced curve is the one drawn from the whole series; the comments of Draw and DrawMean name
// the two exceptions.
package outline

import "math"

// Most is the number of points of a curve that a reader can see in a figure. A series with more
// is reduced to about this number.
const Most = 900

// Drawn is a series that a report draws.
type Drawn struct {
	Name string
	// Means says that its moving means are drawn too.
	Means bool
	// Shown is a value down to which a logarithmic axis always reaches if the series does.
	Shown float64
}

// learned is a loss that a model which has learned reaches: at 0.03 nats the right candidate has
// a probability of 97 %, and as a squared error of margins it is small too. A head of large norm
// begins a million times higher.
const learned = 0.03

// AllDrawn returns the series that a report draws.
func AllDrawn() []Drawn {
	return []Drawn{{"loss", true, learned}, {"loss/contrastive", true, learned}, {"loss/margin_mse", true, learned}, {"loss/kl", true, learned},
		{"loss/reg_query", true, 0}, {"loss/reg_document", true, 0}, {"active/query", false, 0}, {"active/document", false, 0}}
}

// depth is the lower end of a logarithmic axis that cannot show all values, as a share of the greatest value.
const depth = 1e-4

// LowEnd returns the lower end of a logarithmic axis, from the least positive value and the greatest value on it.
func (d Drawn) LowEnd(least, greatest float64) float64 {
	end := depth * greatest
	if d.Shown > 0 {
		end = math.Min(end, d.Shown)
	}
	return math.Max(least, end)
}

// Series is one value per step, steps ascending; values may be NaN or infinite.
type Series struct {
	Steps  []int
	Values []float64
}

// Curve is a series as figures draw it: all of its points, or, after Reduce, those that show.
type Curve struct {
	Series
	reduced *reduced
}

// reduced has what a figure needs to know about a series that has lost most of its points.
type reduced struct {
	// points is the number of points of the whole series; places has, for each kept point, its place there.
	points int
	places []int
	// last is the greatest step, least the least positive value, +Inf if there is none.
	last  int
	least float64
	// linear has arithmetic moving means, geometric has geometric ones in which a value below
	// floor counts as floor, and exact has geometric ones without a floor. They are nil if
	// they were not asked for; exact also if it equals geometric or does not exist.
	linear, geometric, exact *means
	floor                    float64
}

// means are moving means, with the place of each in the whole series.
type means struct {
	Series
	places []int
}

// Reduce returns the curve of a series that is drawn. A series of more than Most points is reduced;
// its moving means are kept if they are drawn too.
func Reduce(s Series, as Drawn) Curve {
	n := min(len(s.Steps), len(s.Values))
	s = Series{s.Steps[:n], s.Values[:n]}
	if n <= Most {
		return Curve{Series: s}
	}
	r := &reduced{points: n, places: places(s.Values), last: s.Steps[n-1], least: least(s.Values)}
	out := Curve{Series: pick(s, r.places), reduced: r}
	if !as.Means {
		return out
	}
	reduce := func(warp, unwarp func(float64) float64) *means {
		mean := smooth(s, warp, unwarp)
		at := places(mean.Values)
		return &means{pick(mean, at), at}
	}
	r.linear = reduce(identity, identity)
	low, high := bounds(out.Values)
	if math.IsInf(r.least, 1) {
		return out // nothing to draw on a logarithmic axis
	}
	r.floor = as.LowEnd(r.least, high)
	r.geometric = reduce(logFrom(r.floor), math.Exp)
	if low > 0 && low < r.floor {
		r.exact = reduce(math.Log, math.Exp)
	}
	return out
}

// Last returns the greatest step of the whole series, -1 of an empty one.
func (c Curve) Last() int {
	switch {
	case c.reduced != nil:
		return c.reduced.last
	case len(c.Steps) == 0:
		return -1
	}
	return c.Steps[len(c.Steps)-1]
}

// Least returns the least positive value of the whole series, +Inf if there is none.
func (c Curve) Least() float64 {
	if c.reduced != nil {
		return c.reduced.least
	}
	return least(c.Values)
}

// Draw returns the curve with about limit points, at most Most. The stretches of a reduced curve, whose extremes it
// keeps, begin at multiples of a three hundredth of the series.
func (c Curve) Draw(limit int) Series {
	if c.reduced == nil {
		return thin(c.Series, limit)
	}
	return thinPlaced(c.Series, c.reduced.places, c.reduced.points, limit)
}

// Axis is the scale on which means are taken.
type Axis struct {
	Logarithmic bool
	// Low is the lower end of a logarithmic axis.
	Low float64
}

// DrawMean returns the moving mean with about limit points, at most Most. On a logarithmic axis a value below the
// lower end counts as the end. If the curve is reduced, it counts as the lower end of an axis for this curve alone.
func (c Curve) DrawMean(limit int, axis Axis) Series {
	r := c.reduced
	if r == nil {
		warp, unwarp := identity, identity
		if axis.Logarithmic {
			warp, unwarp = logFrom(axis.Low), math.Exp
		}
		return thin(smooth(c.Series, warp, unwarp), limit)
	}
	drawn := r.linear
	if axis.Logarithmic && r.geometric != nil {
		drawn = r.geometric
		if low, _ := bounds(c.Values); low >= axis.Low && r.exact != nil {
			drawn = r.exact
		}
	}
	if drawn == nil {
		return Series{}
	}
	return thinPlaced(drawn.Series, drawn.places, r.points, limit)
}

// logFrom returns the logarithm of a value, or of low if the value is less.
func logFrom(low float64) func(float64) float64 {
	return func(v float64) float64 { return math.Log(math.Max(v, low)) }
}

func identity(v float64) float64 { return v }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// bounds returns the least and the greatest finite value, +Inf and -Inf if there is none.
func bounds(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}

// least returns the least positive finite value, +Inf if there is none.
func least(values []float64) float64 {
	low := math.Inf(1)
	for _, v := range values {
		if v > 0 && v < low {
			low = v
		}
	}
	return low
}
