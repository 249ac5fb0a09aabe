package stats

import (
	"fmt"
	"math"
	"math/bits"
	"sort"
)

// Estimate is a mean difference with its interval.
type Estimate struct {
	Mean     float64
	Interval Interval
	Seeds    int // 1 where no seeds were resampled
	Queries  int
}

// PairedBootstrap gives the percentile interval of the mean of differences that
// were paired by query, resampling the queries.
func PairedBootstrap(differences []float64, r Resampling) (Estimate, error) {
	e, err := Hierarchical([][]float64{differences}, r)
	if err != nil {
		return Estimate{}, fmt.Errorf("paired bootstrap: %w", err)
	}
	return e, nil
}

// Hierarchical gives the percentile interval of the mean of differences[seed][query],
// where every seed answered the same queries in the same order. Each replicate
// draws seeds with replacement and, apart from that, queries with replacement:
// queries are crossed with seeds, so one draw of queries serves all seeds.
//
// With few seeds their part of the spread is understated (by (S-1)/S in variance
// for S seeds, wholly for one): a report shows the seeds' own spread beside it.
func Hierarchical(differences [][]float64, r Resampling) (Estimate, error) {
	if err := r.check(); err != nil {
		return Estimate{}, err
	}
	if len(differences) == 0 {
		return Estimate{}, fmt.Errorf("resample: %w", ErrNoData)
	}
	seeds, queries := len(differences), len(differences[0])
	var all float64
	for s, row := range differences {
		if len(row) != queries {
			return Estimate{}, fmt.Errorf("resample: seed %d has %d queries, seed 0 has %d (allowed: the same queries)", s, len(row), queries)
		}
		if err := finite(row); err != nil {
			return Estimate{}, fmt.Errorf("resample: seed %d: %w", s, err)
		}
		all += Mean(row)
	}
	rng := generator{state: r.Seed}
	means := make([]float64, r.Resamples)
	drawn := make([]int, seeds)
	total := make([]float64, queries)
	for i := range means {
		for s := range drawn {
			drawn[s] = rng.index(seeds)
		}
		for q := range total {
			total[q] = 0
			for _, s := range drawn {
				total[q] += differences[s][q]
			}
		}
		var sum float64
		for range queries {
			sum += total[rng.index(queries)]
		}
		means[i] = sum / float64(queries*seeds)
	}
	sort.Float64s(means)
	tail := (1 - r.Level) / 2
	return Estimate{
		Mean:     all / float64(seeds),
		Interval: Interval{Low: Quantile(means, tail), High: Quantile(means, 1-tail), Level: r.Level},
		Seeds:    seeds,
		Queries:  queries,
	}, nil
}

// exactBits is the number of differences up to which every sign is tried: 2^16
// sums are fewer than a report resamples anyway.
const exactBits = 16

// Randomization is the two-sided p of Fisher's paired randomization test: how
// often a random choice of signs gives a mean at least as far from zero as the
// one seen. Up to 16 differences all signs are tried and p is exact; above,
// r.Resamples are drawn and p is (count+1)/(n+1), which is never 0.
func Randomization(differences []float64, r Resampling) (float64, error) {
	if err := r.check(); err != nil {
		return math.NaN(), err
	}
	if err := finite(differences); err != nil {
		return math.NaN(), fmt.Errorf("randomize signs: %w", err)
	}
	var seen, scale float64
	for _, d := range differences {
		seen += d
		scale += math.Abs(d)
	}
	// Sums in another order differ in the last bits; equal ones must count.
	bound := math.Abs(seen) - 1e-12*scale

	if n := len(differences); n <= exactBits {
		count := 0
		for signs := uint64(0); signs < 1<<n; signs++ {
			if math.Abs(signed(differences, signs)) >= bound {
				count++
			}
		}
		return float64(count) / float64(uint64(1)<<n), nil
	}
	rng := generator{state: r.Seed}
	count := 0
	for range r.Resamples {
		var sum float64
		for start := 0; start < len(differences); start += 64 {
			sum += signed(differences[start:min(start+64, len(differences))], rng.next())
		}
		if math.Abs(sum) >= bound {
			count++
		}
	}
	return float64(count+1) / float64(r.Resamples+1), nil
}

// signed sums up to 64 differences, those whose bit is set with the sign turned.
func signed(differences []float64, signs uint64) float64 {
	var sum float64
	for i, d := range differences {
		sum += math.Float64frombits(math.Float64bits(d) ^ bits.RotateLeft64(signs>>i&1, 63))
	}
	return sum
}
