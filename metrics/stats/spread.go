package stats

import "math"

// spread is the variance of a difference as two estimates, each with its degrees of
// freedom, and the part that both contain.
type spread struct {
	queries Variance // of the mean over queries
	seeds   Variance // of the mean over seeds; DF 0 is none
	inside  float64  // subtracted from the seeds' part, never below 0
}

// How finely the two chi-squared variables are sampled. The queries' one is nearly
// normal on its log scale, and the rule converges fast there. The seeds' one has a
// long lower tail at one degree of freedom, and a kink where the residual takes all.
const (
	queryNodes    = 20
	fewQueryNodes = 32 // below 60 degrees of freedom
	seedNodes     = 240
	fewSeedNodes  = 400   // below 3 degrees of freedom
	negligible    = 1e-12 // a weight too small to change a printed digit
)

// mixture is a normal distribution with mean 0 whose variance is itself random.
type mixture struct {
	variance, weight []float64
}

// nodes returns the distribution of the difference around its true value, with the
// uncertainty of the two estimates.
func (s spread) nodes() mixture {
	queries := s.queries.sample(firstIf(s.queries.DF < 60, fewQueryNodes, queryNodes))
	if s.seeds.DF == 0 {
		return queries
	}
	seeds := s.seeds.sample(firstIf(s.seeds.DF < 3, fewSeedNodes, seedNodes))
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

// sample returns the distribution of the true variance, given its estimate v: v·df/χ²(df).
// It is the trapezoidal rule over ln χ², whose density falls off on both sides.
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

func firstIf(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}

// tail returns the chance of a value at least d away from 0, on either side, and how fast
// it falls at d.
func (m mixture) tail(d float64) (p, density float64) {
	for i, v := range m.variance {
		if v == 0 {
			if d == 0 {
				p += m.weight[i]
			}
			continue
		}
		x := d * d / (2 * v)
		if x > 700 {
			continue
		}
		p += m.weight[i] * math.Erfc(math.Sqrt(x))
		density += m.weight[i] * math.Sqrt(2/(math.Pi*v)) * math.Exp(-x)
	}
	return math.Min(1, p), density
}

// quantile returns the distance from 0 that is exceeded with chance p. It takes Newton's
// steps, and bisects when a step leaves the bracket.
func (m mixture) quantile(p float64) float64 {
	var typical, weight float64 // the search starts at two typical standard deviations
	for i := range m.variance {
		typical += m.weight[i] * math.Sqrt(math.Min(m.variance[i], 1))
		weight += m.weight[i]
	}
	low, high, d := 0.0, math.Inf(1), 2*typical/weight
	for range 60 {
		tail, density := m.tail(d)
		if tail > p {
			low = d
		} else {
			high = d
		}
		next := d + (tail-p)/density
		switch {
		case next > low && next < high:
		case math.IsInf(high, 1):
			next = 2 * d
		default:
			next = low + (high-low)/2
		}
		if math.Abs(next-d) <= 1e-9*next {
			return next
		}
		d = next
	}
	return d
}
