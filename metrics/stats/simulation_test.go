package stats_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"headroom/metrics/stats"
)

var (
	repeats = flag.Int("worlds", 0, "simulated experiments per cell; 0 is the short form of make test")
	table   = flag.String("table", "", "file for the long form's table, in Markdown")
)

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 20261129)) }

// world is a way in which experiments come out. Standard deviations are in units
// of nDCG; those of the measured runs were .005 to .04 between seeds, .22 per
// query and seed, .20 per query between two settings.
type world struct {
	name string
	// seed is the spread of a setting's mean over trainings; noisy multiplies it
	// for the two settings that are compared, others keep it.
	seed, noisy float64
	// residual is per query and training, interaction per query and setting.
	residual, interaction float64
	// heavy draws seeds and residuals from Student's t with 3 degrees of freedom,
	// scaled to the same spread.
	heavy bool
	// graded rounds values to what a measure takes: half of the queries answer 0
	// or 1, the rest in steps of a tenth.
	graded bool
}

var worlds = []world{
	{name: "as measured, sd .02", seed: .02, noisy: 1, residual: .22, interaction: .2},
	{name: "quiet seeds, sd .003", seed: .003, noisy: 1, residual: .22, interaction: .2},
	{name: "loud seeds, sd .05", seed: .05, noisy: 1, residual: .22, interaction: .2},
	{name: "no interaction", seed: .015, noisy: 1, residual: .3, interaction: 0},
	{name: "strong interaction", seed: .015, noisy: 1, residual: .1, interaction: .35},
	{name: "heavy tails", seed: .02, noisy: 1, residual: .22, interaction: .2, heavy: true},
	{name: "graded values", seed: .02, noisy: 1, residual: .22, interaction: .2, graded: true},
	{name: "the pair twice as loud", seed: .015, noisy: 2, residual: .22, interaction: .2},
	{name: "the pair half as loud", seed: .03, noisy: .5, residual: .22, interaction: .2},
}

// draw makes one experiment in which the two settings do not differ: the arms, and
// the seed variance of four other settings of the sweep.
func (w world) draw(r *rand.Rand, seeds, queries int) (a, b stats.Arm, others stats.Variance) {
	normal := r.NormFloat64
	if w.heavy {
		normal = func() float64 { // t with 3 degrees of freedom has variance 3
			x, y, z := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
			return r.NormFloat64() / math.Sqrt((x*x+y*y+z*z)/3) / math.Sqrt(3)
		}
	}
	difficulty := make([]float64, queries)
	for q := range difficulty {
		difficulty[q] = .5 + .3*r.NormFloat64()
	}
	arm := func(sd float64) stats.Arm {
		// A setting's own taste in queries; its mean is no effect of the setting.
		taste := make([]float64, queries)
		for q := range taste {
			taste[q] = w.interaction / math.Sqrt2 * r.NormFloat64()
		}
		var out stats.Arm
		for range seeds {
			shift := sd * normal()
			row := make([]float64, queries)
			for q := range row {
				row[q] = difficulty[q] + taste[q] + shift + w.residual*normal()
				if w.graded {
					row[q] = graded(row[q], q)
				}
			}
			out.Values = append(out.Values, row)
		}
		return out
	}
	var estimates []stats.Variance
	for range 4 {
		estimates = append(estimates, stats.SeedVariance(arm(w.seed)))
	}
	return arm(w.seed * w.noisy), arm(w.seed * w.noisy), stats.PoolVariances(estimates)
}

func graded(v float64, q int) float64 {
	v = math.Max(0, math.Min(1, v))
	if q%2 == 0 {
		return math.Round(v)
	}
	return math.Round(10*v) / 10
}

// falseClaims counts the experiments whose test rejects at .05 although the
// settings are the same. It is 1 - coverage too: the interval is the test inverted.
func (w world) falseClaims(t *testing.T, seeds, queries, experiments int) int {
	t.Helper()
	r, n := newRandom(uint64(1000*seeds+queries)), 0
	for range experiments {
		a, b, others := w.draw(r, seeds, queries)
		d, err := stats.Compare(a, b, others, .95)
		if err != nil {
			t.Fatal(err)
		}
		if d.P <= .05 {
			n++
		}
		if d.Testable() && (d.P <= .05) != d.Interval.Excludes(0) && math.Abs(d.P-.05) > 1e-6 {
			t.Fatalf("p %v and interval %v disagree", d.P, d.Interval)
		}
	}
	return n
}

// The short form: three cells in which tests that forget one of the two sources
// go wrong by far (queries alone: some 37 % false at two seeds and 700 queries).
func TestSimulationShort(t *testing.T) {
	const experiments = 150
	for _, c := range []struct {
		world          world
		seeds, queries int
		least, most    float64
	}{
		{worlds[0], 2, 700, 0, .05},
		{worlds[2], 3, 300, 0, .05},
		{worlds[0], 5, 100, .01, .05},
	} {
		n := c.world.falseClaims(t, c.seeds, c.queries, experiments)
		// Three standard errors of the stated rate at this many experiments.
		slack := 3 * math.Sqrt(.05*.95/experiments)
		if rate := float64(n) / experiments; rate > c.most+slack || rate < c.least-slack {
			t.Errorf("%s, %d seeds, %d queries: %d of %d false claims", c.world.name, c.seeds, c.queries, n, experiments)
		}
	}
}

// The long form: `make statistics`.
func TestSimulation(t *testing.T) {
	if *repeats == 0 {
		t.Skip("the long form takes -worlds N: make statistics")
	}
	sizes := []int{50, 200, 700}
	var out strings.Builder
	fmt.Fprint(&out, "| world | seeds |")
	for _, q := range sizes {
		fmt.Fprintf(&out, " %d queries |", q)
	}
	fmt.Fprint(&out, "\n| --- | --- |"+strings.Repeat(" --- |", len(sizes))+"\n")
	for _, w := range worlds {
		for _, seeds := range []int{1, 2, 3, 5, 10} {
			fmt.Fprintf(&out, "| %s | %d |", w.name, seeds)
			for _, queries := range sizes {
				n := w.falseClaims(t, seeds, queries, *repeats)
				fmt.Fprintf(&out, " %.1f %% |", 100*float64(n)/float64(*repeats))
			}
			fmt.Fprintln(&out)
		}
	}
	t.Logf("false claims at .05 of %d experiments per cell (coverage is the rest):\n%s", *repeats, &out)
	if *table != "" {
		if err := os.WriteFile(*table, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
