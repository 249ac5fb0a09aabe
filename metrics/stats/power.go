package stats

import "math"

// Noise has the variances that can hide a difference, as one comparison of two trained
// settings estimated them. The zero value is that of a comparison without a test.
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

// Least returns the smallest true difference that a test at a level finds with a
// probability (power), if each arm has so many seeds and queries. It is NaN if the noise is
// not known, or if there is one seed and no variance of other points.
//
// It takes the variances as known, so the result tends to be too small: with few seeds the
// true variances may be half or twice as large.
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
