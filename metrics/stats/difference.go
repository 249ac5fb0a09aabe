package stats

import (
	"fmt"
	"math"
)

// The least numbers of queries, and of queries with a difference, for a test: with fewer,
// single queries would decide it.
const (
	LeastQueries = 10
	LeastDiffer  = 6
)

// Arm is one side of a comparison.
type Arm struct {
	// Values are per seed and query, [seeds][queries]. Each seed is a training of its own;
	// the queries are the same for every seed and for both arms.
	Values [][]float64
	// Fixed is true if nothing was trained, as for BM25: there is one row and no seed
	// variance.
	Fixed bool
}

// Variance is an estimate of the variance between trainings that differ in
// nothing but their seed.
type Variance struct {
	Value float64 // 0 if DF is 0
	DF    float64 // degrees of freedom; 0 is no estimate
}

// PoolVariances returns the mean of the estimates, weighted by their degrees of freedom.
func PoolVariances(estimates []Variance) Variance {
	var sum, df float64
	for _, v := range estimates {
		sum += v.Value * v.DF
		df += v.DF
	}
	if df == 0 {
		return Variance{}
	}
	return Variance{Value: sum / df, DF: df}
}

// SeedVariance returns the variance of an arm's means over its seeds.
func SeedVariance(a Arm) Variance {
	if a.Fixed || len(a.Values) < 2 {
		return Variance{}
	}
	means := make([]float64, len(a.Values))
	for s, row := range a.Values {
		means[s] = Mean(row)
	}
	sd := Summarize(means).SD
	return Variance{Value: sd * sd, DF: float64(len(means) - 1)}
}

// Source says which runs the seed variance of a test comes from.
type Source int

const (
	NoSeeds  Source = iota // unknown: the statement is about these models, not about their settings
	Own                    // of the two arms alone
	Shared                 // of the two arms and of the sweep's other points
	Borrowed               // of the sweep's other points alone, one seed being no estimate
)

// Difference is A minus B with its interval and its two-sided p value.
type Difference struct {
	Mean     float64
	Interval Interval // NaN at both ends if it cannot be had
	P        float64  // NaN if the test cannot be made
	// OwnP is the same test with the two arms' own seed variance alone; NaN
	// without one. A report shows it beside P if P rests on other points.
	OwnP           float64
	SeedsA, SeedsB int // 0 for a fixed arm
	Queries        int
	Differ         int // queries whose means differ
	Seeds          Source
	Variance       Variance // between seeds, as the test used it
	Noise          Noise    // to compute what more seeds or queries would show
}

// Testable reports whether the test was made.
func (d Difference) Testable() bool { return !math.IsNaN(d.P) }

// HalfWidth returns half the interval's width.
func (d Difference) HalfWidth() float64 { return (d.Interval.High - d.Interval.Low) / 2 }

// Compare tests the difference of two arms' means. Queries and seeds are both taken as
// random: the difference is that between two settings, for other queries and other seeds
// too.
//
// The variance of the difference has two parts. That of the queries is estimated from the
// per-query differences of the arms' means over seeds. That of the seeds is estimated from
// the arms' means, pooled with the seed variance of the sweep's other healthy points
// (others; DF 0 is none), unless the arms' own is clearly greater. The first part already
// contains a part of it, which is subtracted. p is a generalized p value (Weerahandi 1993):
// each estimate is replaced by its value over the chi-squared variable that made it, and
// the normal tail is averaged over both. The interval inverts it. docs/statistics.md has
// the method's error rates.
//
// It returns an error if the values are not of one shape or not finite.
func Compare(a, b Arm, others Variance, level float64) (Difference, error) {
	if !(level > 0 && level < 1) {
		return Difference{}, fmt.Errorf("compare arms: level %v (allowed: between 0 and 1)", level)
	}
	partsA, err := decompose(a)
	if err != nil {
		return Difference{}, fmt.Errorf("compare arms: A: %w", err)
	}
	partsB, err := decompose(b)
	if err != nil {
		return Difference{}, fmt.Errorf("compare arms: B: %w", err)
	}
	queries := len(partsA.byQuery)
	if len(partsB.byQuery) != queries {
		return Difference{}, fmt.Errorf("compare arms: A has %d queries, B has %d (allowed: the same queries)", queries, len(partsB.byQuery))
	}

	nan := math.NaN()
	d := Difference{
		Mean: partsA.mean - partsB.mean, Interval: Interval{Low: nan, High: nan, Level: level}, P: nan, OwnP: nan,
		SeedsA: partsA.seeds, SeedsB: partsB.seeds, Queries: queries,
	}
	differences := make([]float64, queries)
	for q := range differences {
		differences[q] = partsA.byQuery[q] - partsB.byQuery[q]
		// Means of equal values in another order differ in their last bits.
		if math.Abs(differences[q]) > 1e-12*(math.Abs(partsA.byQuery[q])+math.Abs(partsB.byQuery[q])) {
			d.Differ++
		}
	}
	own := PoolVariances([]Variance{partsA.between, partsB.between})
	d.Variance, d.Seeds = shareVariance(own, others)
	if a.Fixed && b.Fixed {
		d.Variance, d.Seeds = Variance{}, Own // nothing was trained: there is no seed
	}
	if queries < LeastQueries || d.Differ < LeastDiffer {
		return d, nil
	}

	sd := Summarize(differences).SD
	d.Noise = noiseOf(sd*sd, partsA, partsB, own, d.Variance)
	w := spread{
		queries: Variance{Value: sd * sd / float64(queries), DF: float64(queries - 1)},
		inside:  partsA.residual() + partsB.residual(),
	}
	weight := partsA.inverse() + partsB.inverse()
	test := func(v Variance) spread {
		w.seeds = Variance{Value: v.Value * weight, DF: v.DF}
		return w
	}
	used := test(d.Variance)
	if used.queries.Value == 0 && used.seeds.Value == 0 {
		return d, nil // no spread at all: nothing to compare the difference with
	}
	nodes := used.nodes()
	d.P, _ = nodes.tail(math.Abs(d.Mean))
	half := nodes.quantile(1 - level)
	d.Interval.Low, d.Interval.High = d.Mean-half, d.Mean+half
	switch {
	case d.Seeds == Own:
		d.OwnP = d.P
	case own.DF > 0:
		d.OwnP, _ = test(own).nodes().tail(math.Abs(d.Mean))
	}
	return d, nil
}

// arm is what the test needs of one side.
type arm struct {
	mean    float64
	byQuery []float64 // mean over seeds
	seeds   int       // 0 for a fixed arm
	between Variance
	within  float64 // residual variance per query and seed, a part of the means' variance
}

func decompose(a Arm) (arm, error) {
	if len(a.Values) == 0 {
		return arm{}, ErrNoData
	}
	if a.Fixed && len(a.Values) != 1 {
		return arm{}, fmt.Errorf("%d rows of an arm that was not trained (allowed: 1)", len(a.Values))
	}
	queries := len(a.Values[0])
	out := arm{byQuery: make([]float64, queries), between: SeedVariance(a)}
	if !a.Fixed {
		out.seeds = len(a.Values)
	}
	means := make([]float64, len(a.Values))
	for s, row := range a.Values {
		if len(row) != queries {
			return arm{}, fmt.Errorf("seed %d has %d queries, seed 0 has %d (allowed: the same queries)", s, len(row), queries)
		}
		if err := checkFinite(row); err != nil {
			return arm{}, fmt.Errorf("seed %d: %w", s, err)
		}
		means[s] = Mean(row)
		for q, v := range row {
			out.byQuery[q] += v / float64(len(a.Values))
		}
	}
	out.mean = Mean(means)
	if out.seeds < 2 || queries < 2 {
		return out, nil
	}
	var squares float64
	for s, row := range a.Values {
		for q, v := range row {
			r := v - means[s] - out.byQuery[q] + out.mean
			squares += r * r
		}
	}
	out.within = squares / float64((out.seeds-1)*(queries-1))
	return out, nil
}

// inverse returns 1 over the number of seeds, 0 for a fixed arm.
func (a arm) inverse() float64 {
	if a.seeds == 0 {
		return 0
	}
	return 1 / float64(a.seeds)
}

// residual returns the part of the variance of the arm's mean that both the spread over
// seeds and the spread over queries contain.
func (a arm) residual() float64 {
	return a.within * a.inverse() / float64(len(a.byQuery))
}

// The variance of other points counts with at most four degrees of freedom. It does not
// count if the arms' own variance is in the upper quarter of the values expected if both
// were equal.
const (
	sharedDF    = 4
	sharedLimit = 0.75
)

func shareVariance(own, others Variance) (Variance, Source) {
	switch {
	case own.DF == 0 && others.DF == 0:
		return Variance{}, NoSeeds
	case own.DF == 0:
		return Variance{Value: others.Value, DF: math.Min(sharedDF, others.DF)}, Borrowed
	case others.DF == 0, FCDF(own.Value/others.Value, own.DF, others.DF) > sharedLimit, others.Value == 0:
		return own, Own
	}
	df := math.Min(sharedDF, others.DF)
	return Variance{Value: (own.DF*own.Value + df*others.Value) / (own.DF + df), DF: own.DF + df}, Shared
}
