package stats

import "math"

// spread is the variance of a difference as two estimates, each with its degrees
// of freedom, and what the second holds of the first.
type spread struct {
	queries Variance // of the mean over queries
	seeds   Variance // of the mean over seeds; DF 0 is none
	inside  float64  // subtracted from the seeds' part, never below 0
}

// How finely the two chi-squared variables are sampled. The queries' one is nearly
// normal on its log scale; the seeds' one has a long lower tail at one degree of
// freedom.
const (
	queryNodes = 32
	seedNodes  = 400
	negligible = 1e-14 // a node's weight that no printed digit can show
)

// mixture is a normal distribution with mean 0 whose variance is itself random.
type mixture struct {
	variance, weight []float64
}

// nodes is the distribution of the difference around its true value, given what
// the estimates leave open.
func (s spread) nodes() mixture {
	queries := s.queries.sample(queryNodes)
	if s.seeds.DF == 0 {
		return queries
	}
	seeds := s.seeds.sample(seedNodes)
	var m mixture
	for i, vq := range queries.variance {
		for j, vs := range seeds.variance {
			if queries.weight[i]*seeds.weight[j] < negligible {
				continue
			}
			m.variance = append(m.variance, vq+math.Max(0, vs-s.inside))
			m.weight = append(m.weight, queries.weight[i]*seeds.weight[j])
		}
	}
	return m
}

// sample gives the distribution of a variance whose estimate is v: v·df/χ²(df). It
// is the trapezoidal rule over ln χ², whose density falls off on both sides.
func (v Variance) sample(nodes int) mixture {
	if v.Value == 0 {
		return mixture{variance: []float64{0}, weight: []float64{1}}
	}
	// Of ln χ² the mode is ln df; below it the density falls like exp(df·u/2),
	// above it like exp(-exp(u)/2). Beyond these ends it is under 1e-14 of its height.
	half := v.DF / 2
	width := 8 * math.Sqrt(1/half)
	low, high := math.Log(v.DF)-width-33/half, math.Log(v.DF)+math.Min(width, 4.5)
	if half > 30 {
		low = math.Log(v.DF) - width
	}
	m := mixture{variance: make([]float64, nodes), weight: make([]float64, nodes)}
	var sum float64
	for i := range nodes {
		u := low + (high-low)*float64(i)/float64(nodes-1)
		x := u - math.Log(v.DF)
		m.weight[i] = math.Exp(half * (x + 1 - math.Exp(x)))
		m.variance[i] = v.Value * math.Exp(-x)
		sum += m.weight[i]
	}
	for i := range m.weight {
		m.weight[i] /= sum
	}
	return m
}

// tail is the chance of a value at least d away from 0, on either side.
func (m mixture) tail(d float64) float64 {
	var p float64
	for i, v := range m.variance {
		switch {
		case v > 0:
			p += m.weight[i] * math.Erfc(d/math.Sqrt(2*v))
		case d == 0:
			p += m.weight[i]
		}
	}
	return math.Min(1, p)
}

// quantile is the distance from 0 that is exceeded with chance p: Newton's steps,
// halved back into the bracket where they leave it.
func (m mixture) quantile(p float64) float64 {
	low, high := 0.0, 1.0
	for m.tail(high) > p && high < 1e300 {
		low, high = high, high*2
	}
	d := low + (high-low)/2
	for range 50 {
		off := m.tail(d) - p
		if off > 0 {
			low = d
		} else {
			high = d
		}
		next := d + off/m.density(d)
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		if math.Abs(next-d) <= 1e-10*next {
			return next
		}
		d = next
	}
	return d
}

// density is how fast tail falls at d.
func (m mixture) density(d float64) float64 {
	var f float64
	for i, v := range m.variance {
		if v > 0 {
			f += m.weight[i] * math.Sqrt(2/(math.Pi*v)) * math.Exp(-d*d/(2*v))
		}
	}
	return f
}
