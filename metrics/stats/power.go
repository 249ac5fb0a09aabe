package stats

import "math"

// Noise is what stands between a difference and its being shown, as one comparison of
// two trained settings saw it. The zero value is that of a comparison without a test.
type Noise struct {
	// Taste is the variance over queries of the difference of the two settings, which no
	// further seed makes smaller. If an arm has one seed, its residual is in it.
	Taste float64
	// Residual is the variance per query and training, of both arms together.
	Residual float64
	// Between is the variance between trainings.
	Between Variance
	// shared are the degrees of freedom of Between that come from other points.
	shared float64
}

func noiseOf(perQuery float64, a, b arm, own, used Variance) Noise {
	held := a.within*a.inverse() + b.within*b.inverse()
	return Noise{Taste: math.Max(0, perQuery-held), Residual: a.within + b.within, Between: used, shared: math.Max(0, used.DF-own.DF)}
}

// Least is the smallest true difference that a comparison like this one would show with a
// chance of power, by a test at level, had each arm that many seeds and queries. NaN if
// the noise is not known, or if there is one seed and nothing to borrow from.
//
// It takes the variances for known, so that it is rather too small: with few seeds they
// may be twice as large or half.
func (n Noise) Least(queries, seeds int, level, power float64) float64 {
	if queries < LeastQueries || seeds < 1 || n.Taste+n.Residual+n.Between.Value == 0 || n.Between.DF == 0 {
		return math.NaN()
	}
	q, s := float64(queries), float64(seeds)
	w := spread{
		queries: Variance{Value: (n.Taste + n.Residual/s) / q, DF: q - 1},
		seeds:   Variance{Value: 2 * n.Between.Value / s, DF: 2*(s-1) + n.shared},
		inside:  n.Residual / (s * q),
	}
	if w.seeds.DF == 0 {
		return math.NaN()
	}
	z := math.Sqrt2 * math.Erfinv(2*power-1)
	return w.nodes().quantile(1-level) + z*math.Sqrt(w.queries.Value+math.Max(0, w.seeds.Value-w.inside))
}
