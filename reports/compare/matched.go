package compare

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"headroom/internal/nouns"
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
	// Backbone is the line's name without its λ.
	Backbone string
	K        string
	Flops    float64 // the budget; NaN if there is none that both reach
	// WayA and WayB describe how the arms reach that cost.
	WayA, WayB string
	// Why is the reason why the two are not compared; "" if they are.
	Why string
	// Answers marks the one budget per backbone and factor that is in the answer; Cost
	// describes that budget. The other budgets are a family of tests of their own.
	Answers bool
	Cost    string
	// RangeA and RangeB are the measured costs, if the two have none in common.
	RangeA, RangeB string
}

// setting is one factor of a backbone over all λ of the sweep.
type setting struct {
	points []*Point // by λ of documents, then of queries
}

func (s setting) text() string { return s.points[0].Text }

// runs returns the runs of all λ.
func (s setting) runs() []*Run {
	var out []*Run
	for _, p := range s.points {
		out = append(out, p.Runs...)
	}
	return out
}

// isCost reports whether a key makes the points of a cost curve, and no settings of their own.
func isCost(key string) bool {
	return key == lambdaQuery || key == lambdaDocument
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
			chosen, cost := c.atOwnCost(made)
			chosen.Answers, chosen.Cost = true, cost
			c.Matched = append(c.Matched, made...)
		}
	}
	for _, answers := range []bool{true, false} {
		var family []*Contrast
		for _, m := range c.Matched {
			if m.Answers == answers {
				family = append(family, &m.Contrast)
			}
		}
		adjust(family, func(*Contrast) bool { return true })
	}
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
		for _, a := range line.Axes {
			if !a.cost {
				rest.Axes = append(rest.Axes, a)
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

// match compares two settings at each budget that both reach.
func (c *Comparison) match(backbone, dataset string, s, one setting, seeds seedVariances) ([]*Matched, error) {
	a, b := c.ways(dataset, s, Flops), c.ways(dataset, one, Flops)
	arms := [2]side{{name: KName(s.text()), runs: s.runs()}, {name: KName(KText(1)), runs: one.runs()}}
	blank := func() *Matched {
		return &Matched{Backbone: backbone, K: s.text(), Flops: math.NaN(), Contrast: c.blankContrast(dataset, arms[0], arms[1])}
	}
	budgets := budgetsOf(a, b)
	if len(budgets) == 0 {
		m := blank()
		if m.Why = nothingMeasured(arms, a, b); m.Why == "" {
			m.RangeA, m.RangeB = costs(a), costs(b)
			m.Why = fmt.Sprintf("not comparable: no common cost (%s at %s %s, %s at %s)", arms[0].name, m.RangeA, Flops, arms[1].name, m.RangeB)
		}
		return []*Matched{m}, nil
	}
	var out []*Matched
	others := seeds.pooledWithout(append(s.runs(), one.runs()...)...)
	for _, flops := range budgets {
		m := blank()
		m.Flops = flops
		var err error
		if m.WayA, m.WayB, m.Why, err = m.setAt(flops, Flops, a, b, others); err != nil {
			return nil, fmt.Errorf("compare settings of %s: %w", backbone, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// setAt sets a contrast to the difference at a cost that both sides reach. It describes how
// they reach it, or why they cannot be compared.
func (c *Contrast) setAt(budget float64, by Cost, a, b []way, others stats.Variance) (wayA, wayB, why string, err error) {
	foundA, as := best(a, budget, c.Measure)
	foundB, bs := best(b, budget, c.Measure)
	made, queries, _ := lineUp(c.Measure, as, bs)
	if len(queries) == 0 {
		return foundA.name, foundB.name, "not comparable: no query was answered by all runs", nil
	}
	if c.Difference, err = stats.Compare(made[0], made[1], others, Level); err != nil {
		return "", "", "", fmt.Errorf("compare %s with %s at %.3g %s: %w", c.A, c.B, budget, by, err)
	}
	c.MeanA, c.MeanB = armMean(made[0]), armMean(made[1])
	c.Notes = append(c.Notes, c.basis()...)
	return foundA.name, foundB.name, "", nil
}

// nothingMeasured names the one of two settings that has no cost, with the reason; "" if both have one.
func nothingMeasured(arms [2]side, a, b []way) string {
	for i, ways := range [2][]way{a, b} {
		if len(ways) > 0 {
			continue
		}
		if n := arms[i].collapses(); n.N > 0 && n.N == n.Of {
			return fmt.Sprintf("not comparable: %s collapsed in %d of %s", arms[i].name, n.N, nouns.Count(n.Of, "run"))
		}
		return "not comparable: " + arms[i].name + " has no measured cost"
	}
	return ""
}
