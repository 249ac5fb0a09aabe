package compare

import (
	"math"
	"slices"
	"sort"
)

// Cost is a figure for the cost of a search.
type Cost int

// The costs at which settings are compared.
const (
	// Flops is the mean number of terms that a query and a document share.
	Flops Cost = iota
	// ActiveDocument is the mean number of terms of a document.
	ActiveDocument
)

func (by Cost) String() string {
	if by == ActiveDocument {
		return "active dims of documents"
	}
	return "FLOPS"
}

func (by Cost) valueOf(flops, activeDocument float64) float64 {
	if by == ActiveDocument {
		return activeDocument
	}
	return flops
}

// cost is one measurement of one seed: the cost of a search, and the values per query.
type cost struct {
	amount float64
	value  float64
	query  map[string]float64
}

// way is a way in which a setting reaches a cost: by the λ with which it was trained, or by
// cutting the vectors of one λ. Each seed has its own curve, ordered by cost.
type way struct {
	name   string
	over   bool // a curve over λ; else each curve ends at the vectors as trained
	curves [][]cost
}

// ways lists the ways of a setting: first the curve over λ, then cutting the vectors of each λ.
func (c *Comparison) ways(dataset string, s setting, by Cost) []way {
	var out []way
	bySeed := map[int64][]cost{}
	for _, p := range s.points {
		cut := way{name: "cut documents" + p.lambdas()}
		for _, r := range p.Healthy() {
			e := r.Evaluation(dataset, "")
			if e == nil || len(e.PerQuery[c.Measure]) == 0 {
				continue
			}
			whole := cost{by.valueOf(e.Flops, e.ActiveDocument), e.value(c.Measure), e.PerQuery[c.Measure]}
			if !(whole.amount > 0) {
				continue
			}
			bySeed[r.Seed] = append(bySeed[r.Seed], whole)
			curve := []cost{whole}
			for _, point := range e.Curve {
				amount := by.valueOf(point.Flops, point.ActiveDocument)
				if point.Side == "document" && amount > 0 && len(point.PerQuery[c.Measure]) > 0 {
					curve = append(curve, cost{amount, point.Measures[c.Measure], point.PerQuery[c.Measure]})
				}
			}
			cut.curves = append(cut.curves, ordered(curve))
		}
		if len(cut.curves) > 0 {
			out = append(out, cut)
		}
	}
	if len(s.points) > 1 {
		over := way{name: "over λ", over: true}
		for _, seed := range sortedSeeds(bySeed) {
			over.curves = append(over.curves, ordered(bySeed[seed]))
		}
		if len(over.curves) > 0 {
			out = append([]way{over}, out...)
		}
	}
	return out
}

func sortedSeeds(bySeed map[int64][]cost) []int64 {
	seeds := make([]int64, 0, len(bySeed))
	for seed := range bySeed {
		seeds = append(seeds, seed)
	}
	slices.Sort(seeds)
	return seeds
}

func ordered(curve []cost) []cost {
	sort.SliceStable(curve, func(a, b int) bool { return curve[a].amount < curve[b].amount })
	return curve
}

// at returns the curves' values per query at a budget: one evaluation per seed that reaches
// it, interpolated on the logarithm of the cost between its two neighbours. A curve is never
// extended beyond its ends.
func (w way) at(budget float64, measure string) []*Evaluation {
	var out []*Evaluation
	add := func(value float64, query map[string]float64) {
		out = append(out, &Evaluation{Measures: map[string]float64{measure: value}, PerQuery: map[string]map[string]float64{measure: query}})
	}
	for _, curve := range w.curves {
		for i, high := range curve {
			if high.amount == budget {
				add(high.value, high.query)
				break
			}
			if i == 0 || high.amount < budget || curve[i-1].amount >= budget {
				continue
			}
			low := curve[i-1]
			share := (math.Log(budget) - math.Log(low.amount)) / (math.Log(high.amount) - math.Log(low.amount))
			values := map[string]float64{}
			for q, v := range low.query {
				if u, ok := high.query[q]; ok {
					values[q] = v + share*(u-v)
				}
			}
			add(low.value+share*(high.value-low.value), values)
			break
		}
	}
	return out
}

// span is the range of costs that every seed of a way reaches.
func (w way) span() (low, high float64) {
	low, high = 0, math.Inf(1)
	for _, curve := range w.curves {
		low, high = max(low, curve[0].amount), min(high, curve[len(curve)-1].amount)
	}
	return low, high
}

// best is the way with the greatest mean at a budget, among those in which all seeds reach it.
func best(ways []way, budget float64, measure string) (found way, at []*Evaluation) {
	greatest := math.Inf(-1)
	for _, w := range ways {
		if low, high := w.span(); budget < low || budget > high {
			continue
		}
		values := w.at(budget, measure)
		var sum float64
		for _, e := range values {
			sum += e.Measures[measure]
		}
		if mean := sum / float64(len(values)); len(values) > 0 && mean > greatest {
			greatest, found, at = mean, w, values
		}
	}
	return found, at
}

// measured returns the least and the greatest cost of any seed.
func measured(ways []way) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, w := range ways {
		for _, curve := range w.curves {
			low, high = min(low, curve[0].amount), max(high, curve[len(curve)-1].amount)
		}
	}
	return low, high
}

// costRange returns the least and the greatest cost that all seeds reach in some way.
func costRange(ways []way) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, w := range ways {
		if l, h := w.span(); l <= h {
			low, high = min(low, l), max(high, h)
		}
	}
	return low, high
}

// nearby is the factor up to which two costs count as about the same.
const nearby = 1.2

// budgetsOf returns the costs at which two settings are compared: the costs of b, k = 1, as
// trained, and the least and the greatest of 1, 2, 5, 10, 20 … that both sides reach. If a
// costs a little less than k = 1 at some λ, its cost is the budget, so that both are compared
// about as trained. If the common range has none of these, the budget is its middle.
func budgetsOf(a, b []way) []float64 {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	reached := func(flops float64) bool {
		within := func(w way) bool { low, high := w.span(); return flops >= low && flops <= high }
		return slices.ContainsFunc(a, within) && slices.ContainsFunc(b, within)
	}
	lowA, highA := costRange(a)
	lowB, highB := costRange(b)
	low, high := max(lowA, lowB), min(highA, highB)
	if !(low <= high) {
		return nil
	}
	var out []float64
	add := func(flops float64) {
		near := func(other float64) bool { return math.Abs(math.Log(flops/other)) < math.Log(nearby) }
		if reached(flops) && !slices.ContainsFunc(out, near) {
			out = append(out, flops)
		}
	}
	for _, w := range b {
		if w.over {
			continue
		}
		_, own := w.span()
		budget := 0.0
		for _, other := range a {
			if _, end := other.span(); !other.over && end <= own && own < nearby*end {
				budget = max(budget, end)
			}
		}
		if reached(budget) {
			add(budget)
		} else {
			add(own)
		}
	}
	var round []float64
	for exponent := math.Floor(math.Log10(low)); exponent <= math.Ceil(math.Log10(high)); exponent++ {
		for _, digit := range []float64{1, 2, 5} {
			if flops := digit * math.Pow(10, exponent); reached(flops) {
				round = append(round, flops)
			}
		}
	}
	if len(round) > 0 {
		add(round[0])
		add(round[len(round)-1])
	}
	if len(out) == 0 {
		add(math.Sqrt(low * high))
	}
	slices.Sort(out)
	return out
}
