package compare

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"headroom/metrics/stats"
)

// CurvePoint is an evaluation of the same vectors, one side of them cut to their
// greatest weights.
type CurvePoint struct {
	Side                               string // "query" or "document": the side that was cut
	Terms                              int    // that were kept per text
	Measures                           map[string]float64
	ActiveQuery, ActiveDocument, Flops float64
	PerQuery                           map[string]map[string]float64
}

// Matched is a difference between a factor and k = 1 of one backbone, both at the same
// FLOPS (mean number of terms that a query and a document share).
type Matched struct {
	Contrast
	// Backbone is the line's name without what λ is.
	Backbone string
	K        string
	Flops    float64 // the budget; NaN where there is none that both reach
	// WayA and WayB say how the arms come to that cost.
	WayA, WayB string
	// Why says what keeps the two from being compared; "" where they are.
	Why string
}

// setting is one factor of a backbone over all λ of the sweep.
type setting struct {
	points []*Point // by λ of documents, then of queries
}

func (s setting) text() string { return s.points[0].Text }

// runs are those of all λ.
func (s setting) runs() []*Run {
	var out []*Run
	for _, p := range s.points {
		out = append(out, p.Runs...)
	}
	return out
}

// cost is one measurement of one seed: FLOPS and the values per query.
type cost struct {
	flops float64
	value float64
	query map[string]float64
}

// way is how a setting comes to a cost: over the λ that it was trained with, or by
// cutting the vectors of one λ. Each seed has its own curve, ordered by cost.
type way struct {
	name   string
	over   bool // λ; else each curve ends at the vectors as trained
	curves [][]cost
}

// The keys that make a curve of cost, and no setting of their own.
func isCost(key string) bool {
	return key == "regularizer.lambda_query" || key == "regularizer.lambda_document"
}

// atEqualCost compares every factor with k = 1 of the same backbone on the first
// collection, at budgets that both reach.
func (c *Comparison) atEqualCost() error {
	if len(c.Datasets) == 0 {
		return nil
	}
	dataset := c.Datasets[0]
	seeds := c.seedVariances(dataset)
	for _, group := range c.backbones() {
		natural := slices.IndexFunc(group.settings, func(s setting) bool { return s.points[0].K == 1 && s.points[0].Auto == "" })
		if natural < 0 {
			continue
		}
		one := group.settings[natural]
		for i, s := range group.settings {
			if i == natural || s.points[0].SameAs() != nil {
				continue
			}
			made, err := c.match(group.name, dataset, s, one, seeds)
			if err != nil {
				return err
			}
			c.Matched = append(c.Matched, made...)
		}
	}
	var contrasts []*Contrast
	for _, m := range c.Matched {
		contrasts = append(contrasts, &m.Contrast)
	}
	adjust(contrasts, func(*Contrast) bool { return true })
	return nil
}

type backboneGroup struct {
	name     string
	settings []setting // by k
}

// backbones joins the lines that differ in λ alone.
func (c *Comparison) backbones() []backboneGroup {
	var out []backboneGroup
	for _, line := range c.Lines {
		rest := &Line{Backbone: line.Backbone, Title: line.Title}
		for _, s := range line.Variant {
			if !isCost(s.Key) {
				rest.Variant = append(rest.Variant, s)
			}
		}
		at := slices.IndexFunc(out, func(g backboneGroup) bool { return g.name == rest.Name() })
		if at < 0 {
			at = len(out)
			out = append(out, backboneGroup{name: rest.Name()})
		}
		group := &out[at]
		for _, p := range line.Points {
			k := slices.IndexFunc(group.settings, func(s setting) bool {
				return s.points[0].Auto == p.Auto && (s.points[0].K == p.K || p.Auto != "")
			})
			if k < 0 {
				group.settings = append(group.settings, setting{points: []*Point{p}})
				continue
			}
			group.settings[k].points = append(group.settings[k].points, p)
		}
	}
	for _, group := range out {
		sort.SliceStable(group.settings, func(a, b int) bool { return before(group.settings[a].points[0], group.settings[b].points[0]) })
	}
	return out
}

// ways lists how a setting comes to a cost: over λ first, then by cutting each λ's vectors.
func (c *Comparison) ways(dataset string, s setting) []way {
	var out []way
	bySeed := map[int64][]cost{}
	for _, p := range s.points {
		cut := way{name: "cut documents" + p.lambdas()}
		for _, r := range p.Healthy() {
			e := r.Evaluation(dataset, "")
			if e == nil || !(e.Flops > 0) || len(e.PerQuery[c.Measure]) == 0 {
				continue
			}
			whole := cost{e.Flops, e.value(c.Measure), e.PerQuery[c.Measure]}
			bySeed[r.Seed] = append(bySeed[r.Seed], whole)
			curve := []cost{whole}
			for _, point := range e.Curve {
				if point.Side == "document" && point.Flops > 0 && len(point.PerQuery[c.Measure]) > 0 {
					curve = append(curve, cost{point.Flops, point.Measures[c.Measure], point.PerQuery[c.Measure]})
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
	sort.SliceStable(curve, func(a, b int) bool { return curve[a].flops < curve[b].flops })
	return curve
}

// at is the curves' values per query at a budget: one evaluation per seed that reaches
// it, interpolated on the logarithm of the cost between its two neighbours. Outside a
// curve there is nothing: it is never extended.
func (w way) at(flops float64, measure string) []*Evaluation {
	var out []*Evaluation
	add := func(value float64, query map[string]float64) {
		out = append(out, &Evaluation{Flops: flops, Measures: map[string]float64{measure: value}, PerQuery: map[string]map[string]float64{measure: query}})
	}
	for _, curve := range w.curves {
		for i, high := range curve {
			if high.flops == flops {
				add(high.value, high.query)
				break
			}
			if i == 0 || high.flops < flops || curve[i-1].flops >= flops {
				continue
			}
			low := curve[i-1]
			share := (math.Log(flops) - math.Log(low.flops)) / (math.Log(high.flops) - math.Log(low.flops))
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
		low, high = max(low, curve[0].flops), min(high, curve[len(curve)-1].flops)
	}
	return low, high
}

// best is the way with the greatest mean at a budget, of those that all its seeds reach.
func best(ways []way, flops float64, measure string) (found way, at []*Evaluation) {
	greatest := math.Inf(-1)
	for _, w := range ways {
		if low, high := w.span(); flops < low || flops > high {
			continue
		}
		values := w.at(flops, measure)
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

// match compares two settings at each budget that both reach.
func (c *Comparison) match(backbone, dataset string, s, one setting, seeds seedVariances) ([]*Matched, error) {
	a, b := c.ways(dataset, s), c.ways(dataset, one)
	arms := [2]side{{name: "k=" + s.text(), runs: s.runs()}, {name: "k=1", runs: one.runs()}}
	blank := func() *Matched {
		nan := math.NaN()
		return &Matched{Backbone: backbone, K: s.text(), Flops: nan, Contrast: Contrast{
			Dataset: dataset, Measure: c.Measure, A: arms[0].name, B: arms[1].name, MeanA: nan, MeanB: nan, Adjusted: nan,
			Difference: stats.Difference{Mean: nan, P: nan, OwnP: nan, Interval: stats.Interval{Low: nan, High: nan, Level: Level}},
			CollapsedA: arms[0].collapses(), CollapsedB: arms[1].collapses()}}
	}
	budgets := budgetsOf(a, b)
	if len(budgets) == 0 {
		m := blank()
		m.Why = apart(arms, a, b)
		return []*Matched{m}, nil
	}
	var out []*Matched
	for _, flops := range budgets {
		m := blank()
		m.Flops = flops
		wayA, as := best(a, flops, c.Measure)
		wayB, bs := best(b, flops, c.Measure)
		m.WayA, m.WayB = wayA.name, wayB.name
		made, queries, _ := lineUp(c.Measure, as, bs)
		if len(queries) == 0 {
			m.Why = "not comparable: no query was answered by all runs"
			out = append(out, m)
			continue
		}
		var err error
		if m.Difference, err = stats.Compare(made[0], made[1], seeds.without(append(s.runs(), one.runs()...)...), Level); err != nil {
			return nil, fmt.Errorf("compare %s with %s of %s at %.3g FLOPS: %w", m.A, m.B, backbone, flops, err)
		}
		m.MeanA, m.MeanB = armMean(made[0]), armMean(made[1])
		m.Notes = m.basis()
		out = append(out, m)
	}
	return out, nil
}

// apart says why two settings have no cost in common.
func apart(arms [2]side, a, b []way) string {
	for i, ways := range [2][]way{a, b} {
		if len(ways) > 0 {
			continue
		}
		if n := arms[i].collapses(); n.N > 0 && n.N == n.Of {
			return fmt.Sprintf("not comparable: %s collapsed in %d of %s", arms[i].name, n.N, count(n.Of, "run"))
		}
		return "not comparable: " + arms[i].name + " has no measured cost"
	}
	text := func(ways []way) string {
		low, high := reach(ways)
		if low == high {
			return Quantity(low)
		}
		return Quantity(low) + " to " + Quantity(high)
	}
	return fmt.Sprintf("not comparable: no common cost (%s at %s FLOPS, %s at %s)", arms[0].name, text(a), arms[1].name, text(b))
}

// reach is the least and the greatest cost of all ways.
func reach(ways []way) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, w := range ways {
		if l, h := w.span(); l <= h {
			low, high = min(low, l), max(high, h)
		}
	}
	return low, high
}

// budgetsOf are the costs at which two settings are compared: what k = 1 costs as it was
// trained, and of 1, 2, 5, 10, 20 … the least and the greatest that both sides reach. The
// middle of the common range stands in where it holds none of these.
func budgetsOf(a, b []way) []float64 {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	reached := func(flops float64) bool {
		within := func(w way) bool { low, high := w.span(); return flops >= low && flops <= high }
		return slices.ContainsFunc(a, within) && slices.ContainsFunc(b, within)
	}
	lowA, highA := reach(a)
	lowB, highB := reach(b)
	low, high := max(lowA, lowB), min(highA, highB)
	if !(low <= high) {
		return nil
	}
	var out []float64
	add := func(flops float64) {
		near := func(other float64) bool { return math.Abs(math.Log(flops/other)) < math.Log(1.2) }
		if reached(flops) && !slices.ContainsFunc(out, near) {
			out = append(out, flops)
		}
	}
	for _, w := range b {
		if !w.over {
			_, own := w.span()
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

// matchedFindings are the sentences that answer the question: one per factor.
func (c *Comparison) matchedFindings() []string {
	type key struct{ backbone, k string }
	var order []key
	by := map[key][]*Matched{}
	for _, m := range c.Matched {
		k := key{m.Backbone, m.K}
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], m)
	}
	var out []string
	for _, k := range order {
		var parts []string
		for _, m := range by[k] {
			if m.Why != "" {
				parts = append(parts, m.Why)
				continue
			}
			what := map[string]string{"above": "above", "below": "below", "~": "no evidence (~)"}[m.Verdict()]
			parts = append(parts, fmt.Sprintf("at %s %s: %s against %s (%s)", Quantity(m.Flops), what, Score(m.MeanA), Score(m.MeanB), m.evidence()))
		}
		first := by[k][0]
		text := fmt.Sprintf("%s, k = %s against k = 1 at equal FLOPS, %s on %s: %s", k.backbone, k.k, c.Measure, first.Dataset, strings.Join(parts, "; "))
		if gone := first.collapses(); gone != "" && first.Why == "" {
			text += "; " + gone + " over all λ"
		}
		out = append(out, text+".")
	}
	return out
}
