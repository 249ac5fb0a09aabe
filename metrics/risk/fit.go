package risk

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// ErrOneKind is returned when all runs collapsed or none did, so that there is nothing to
// fit.
var ErrOneKind = errors.New("runs of both kinds are needed, collapsed and not")

// ridge is the weight of a normal prior on the slope around 0, in units of the quantity's
// spread: it keeps the slope finite if the quantity separates a few runs perfectly.
const ridge = 1.0

// Fit returns the logistic rule that best separates, by a quantity, the runs that collapsed from
// the others: maximum likelihood with a weak prior on the slope. Runs whose quantity is NaN are
// left out.
func Fit(quantities []float64, collapsed []bool) (Rule, error) {
	var x, y []float64
	for i, q := range quantities {
		if l := Log(q); l == l {
			x = append(x, l)
			y = append(y, 0)
			if collapsed[i] {
				y[len(y)-1] = 1
			}
		}
	}
	if n := len(x); n == 0 || slices.Max(y) == slices.Min(y) {
		return Rule{}, ErrOneKind
	}
	mean, spread := moments(x)
	if spread < 1e-9 { // all values are equal, but for rounding
		spread = 1
	}
	var a, b float64 // of the standardized quantity
	for range 100 {
		// Newton's step of the penalized likelihood.
		var ga, gb, haa, hab float64
		gb, hbb := -ridge*b, ridge
		for i := range x {
			z := (x[i] - mean) / spread
			p := logistic(a + b*z)
			ga += y[i] - p
			gb += (y[i] - p) * z
			w := p * (1 - p)
			haa += w
			hab += w * z
			hbb += w * z * z
		}
		haa += 1e-9
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		// A long step may overshoot, so its size is limited to 2.
		if size := math.Max(math.Abs(da), math.Abs(db)); size > 2 {
			da, db = 2*da/size, 2*db/size
		}
		a, b = a+da, b+db
		if math.Abs(da)+math.Abs(db) < 1e-12 {
			break
		}
	}
	return Rule{Intercept: a - b*mean/spread, Slope: b / spread}, nil
}

func moments(list []float64) (mean, sd float64) {
	for _, x := range list {
		mean += x / float64(len(list))
	}
	for _, x := range list {
		sd += (x - mean) * (x - mean) / float64(len(list))
	}
	return mean, math.Sqrt(sd)
}

// AUC returns the chance that a run that collapsed has a larger score than one that did
// not, ties counted half; NaN if one kind is missing. Runs whose score is NaN are left out.
func AUC(scores []float64, collapsed []bool) float64 {
	type run struct {
		score     float64
		collapsed bool
	}
	var list []run
	for i, s := range scores {
		if s == s {
			list = append(list, run{s, collapsed[i]})
		}
	}
	slices.SortFunc(list, func(a, b run) int { return cmp.Compare(a.score, b.score) })
	ranks, bad := 0.0, 0
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].score == list[i].score {
			j++
		}
		for k := i; k < j; k++ {
			if list[k].collapsed {
				ranks += float64(i+j+1) / 2
				bad++
			}
		}
		i = j
	}
	good := len(list) - bad
	if bad == 0 || good == 0 {
		return math.NaN()
	}
	return (ranks - float64(bad)*float64(bad+1)/2) / (float64(bad) * float64(good))
}
