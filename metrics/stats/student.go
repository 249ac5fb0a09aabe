package stats

import "math"

// TCDF returns the probability that Student's t with df degrees of freedom is at most t.
func TCDF(t, df float64) float64 {
	if math.IsNaN(t) || !(df > 0) {
		return math.NaN()
	}
	tail := incompleteBeta(df/(df+t*t), df/2, 0.5) / 2
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// TQuantile returns the t whose TCDF is p. It bisects, which is slow but always converges;
// a report needs a few dozen.
func TQuantile(p, df float64) float64 {
	switch {
	case math.IsNaN(p) || p < 0 || p > 1 || !(df > 0):
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case p < 0.5:
		return -TQuantile(1-p, df)
	}
	low, high := 0.0, 1.0
	for TCDF(high, df) < p && high < 1e300 {
		high *= 2
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if TCDF(middle, df) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return low + (high-low)/2
}

// incompleteBeta is the regularized incomplete beta function I_x(a, b), by its
// continued fraction; the fraction converges fast below the mean, so above it
// the symmetry I_x(a,b) = 1 - I_{1-x}(b,a) is used.
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - incompleteBeta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a

	// The fraction 1/(1+d1/(1+d2/(1+…))) is evaluated forwards, keeping the
	// ratios of successive numerators and denominators away from zero.
	const tiny = 1e-300
	keep := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	numerator, denominator := 1.0, 1/keep(1-(a+b)*x/(a+1))
	fraction := denominator
	for m := 1.0; m <= 500; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		denominator = 1 / keep(1+even*denominator)
		numerator = keep(1 + even/numerator)
		fraction *= denominator * numerator

		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		denominator = 1 / keep(1+odd*denominator)
		numerator = keep(1 + odd/numerator)
		change := denominator * numerator
		fraction *= change
		if math.Abs(change-1) < 1e-16 {
			break
		}
	}
	return front * fraction
}

// FCDF returns the probability that an F variable with d1 and d2 degrees of freedom is at
// most x.
func FCDF(x, d1, d2 float64) float64 {
	if math.IsNaN(x) || !(d1 > 0) || !(d2 > 0) {
		return math.NaN()
	}
	if math.IsInf(x, 1) {
		return 1
	}
	return incompleteBeta(d1*x/(d1*x+d2), d1/2, d2/2)
}

// Binomial returns the exact two-sided interval of a probability after k successes in n
// trials (Clopper and Pearson 1934); all of [0, 1] if n is 0.
func Binomial(k, n int, level float64) Interval {
	i := Interval{Low: 0, High: 1, Level: level}
	tail := (1 - level) / 2
	if k > 0 {
		i.Low = betaQuantile(tail, float64(k), float64(n-k+1))
	}
	if k < n {
		i.High = betaQuantile(1-tail, float64(k+1), float64(n-k))
	}
	return i
}

// betaQuantile returns the x whose incompleteBeta is p.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		middle := (low + high) / 2
		if incompleteBeta(middle, a, b) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}
