package stats

import (
	"math"
	"sort"
)

// Holm adjusts the p values of one family of tests by Holm's step-down rule, so
// that the chance of any false finding among them stays below the level they are
// compared with. The result has the order of the argument. A NaN is a test that
// was not made: it stays NaN and does not count.
func Holm(p []float64) []float64 {
	adjusted := make([]float64, len(p))
	var order []int
	for i, v := range p {
		adjusted[i] = math.NaN()
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	highest := 0.0
	for rank, i := range order {
		highest = math.Max(highest, math.Min(1, p[i]*float64(len(order)-rank)))
		adjusted[i] = highest
	}
	return adjusted
}
