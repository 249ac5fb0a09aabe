package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/internal/nouns"
)

// answer describes the comparison at equal cost in one sentence per backbone and factor, at
// the cost of k = 1. Other budgets are in Matched.
func (c *Comparison) answer() []string {
	if len(c.Matched) == 0 {
		return c.noAnswer()
	}
	var out []string
	for i, m := range c.Matched {
		if !m.Answers {
			continue
		}
		if apart := c.factorsOutOfReach(i); len(apart) > 1 {
			if c.saidBefore(i) {
				continue // the first such comparison has said so
			}
			out = append(out, fmt.Sprintf("%s: not comparable: k = 1 (%s FLOPS) has no cost in common with %s.", m.Backbone, m.RangeB, list(apart)))
			continue
		}
		if m.Why != "" {
			out = append(out, fmt.Sprintf("%s, k = %s: %s.", m.Backbone, m.K, m.Why))
			continue
		}
		what := map[Verdict]string{Above: "k = %s is above k = 1", Below: "k = %s is below k = 1", NoEvidence: "no evidence (~) that k = %s differs from k = 1"}[m.Verdict()]
		out = append(out, fmt.Sprintf("%s: "+what+" at %s: %s %s against %s (%s).",
			m.Backbone, m.K, m.Cost, m.Measure, Score(m.MeanA), Score(m.MeanB), m.evidence()))
	}
	return out
}

// factorsOutOfReach lists with its costs every factor that has no cost in common with k = 1
// of the i-th comparison's backbone, if that comparison is of such a factor.
func (c *Comparison) factorsOutOfReach(i int) []string {
	if c.Matched[i].RangeA == "" {
		return nil
	}
	var out []string
	for _, m := range c.Matched {
		if m.Backbone == c.Matched[i].Backbone && m.RangeA != "" {
			out = append(out, fmt.Sprintf("k = %s (%s)", m.K, m.RangeA))
		}
	}
	return out
}

// saidBefore reports whether an earlier comparison is of such a factor of the same backbone.
func (c *Comparison) saidBefore(i int) bool {
	return slices.ContainsFunc(c.Matched[:i], func(m *Matched) bool { return m.Backbone == c.Matched[i].Backbone && m.RangeA != "" })
}

// noAnswer gives the reason why nothing is compared at equal cost.
func (c *Comparison) noAnswer() []string {
	switch {
	case len(c.Datasets) == 0:
		return []string{"Nothing is measured yet."}
	case !slices.ContainsFunc(c.Lines, func(l *Line) bool { p := l.At(1); return p != nil && len(p.Runs) > 0 }):
		return []string{"No finished run has k = 1: there is nothing to compare a factor with."}
	}
	return []string{"Only k = 1 is there: no factor is compared."}
}

// atOwnCost chooses among one factor's budgets the cost of k = 1 as trained, and describes
// it. With several λ there is one such cost for each; it takes the one where k = 1 is best, so
// as not to favour the factor. If no such cost is reached by both, it takes the nearest.
func (c *Comparison) atOwnCost(budgets []*Matched) (chosen *Matched, cost string) {
	own := c.ownCosts(budgets[0].Backbone)
	distance := math.Inf(1)
	for _, m := range budgets {
		if m.Why != "" {
			continue
		}
		for _, o := range own {
			d := math.Abs(math.Log(m.Flops / o.flops))
			exact := d == 0
			switch {
			case exact && (distance > 0 || m.MeanB > chosen.MeanB):
				chosen, distance = m, 0
				cost = fmt.Sprintf("what k = 1 costs, %s FLOPS", Quantity(m.Flops))
				if o.lambda != "" {
					cost += " (" + o.lambda + ")"
				}
			case !exact && d < distance:
				chosen, distance = m, d
				cost = fmt.Sprintf("%s FLOPS, the budget nearest to what k = 1 costs (%s)", Quantity(m.Flops), strings.TrimPrefix(o.lambda+": "+Quantity(o.flops), ": "))
			}
		}
	}
	if chosen == nil {
		chosen, cost = budgets[0], Quantity(budgets[0].Flops)+" FLOPS"
	}
	return chosen, cost
}

type ownCost struct {
	flops  float64
	lambda string // "λ 0.01"; "" if the sweep has one λ
}

// ownCosts returns the cost of a backbone's k = 1 as trained with each λ: the least over its
// healthy seeds, which all of them reach.
func (c *Comparison) ownCosts(backbone string) []ownCost {
	var out []ownCost
	for _, group := range c.backbones() {
		if group.name != backbone {
			continue
		}
		for _, s := range group.settings {
			for _, p := range s.points {
				if p.K != 1 || p.Auto != "" {
					continue
				}
				least := math.Inf(1)
				for _, r := range p.Healthy() {
					if e := r.Evaluation(c.Datasets[0], ""); e != nil && e.Flops > 0 {
						least = min(least, e.Flops)
					}
				}
				if !math.IsInf(least, 1) {
					out = append(out, ownCost{least, p.Line.CostText()})
				}
			}
		}
	}
	return out
}

// collapsed lists, for every line, the number of collapsed seeds at each k, and the kinds of
// collapse. Lines without a collapse share one sentence.
func (c *Comparison) collapsed() []string {
	var out, none []string
	for _, line := range c.Lines {
		said, judged := line.collapses(), 0
		for _, p := range line.Points {
			for _, r := range p.Runs {
				if r.Verdict != "" {
					judged++
				}
			}
		}
		out = append(out, said...)
		if len(said) == 0 && judged > 0 {
			none = append(none, fmt.Sprintf("%s (%s)", line.conditions(), nouns.Count(judged, "run")))
		}
	}
	if len(none) > 0 {
		out = append(out, fmt.Sprintf("No run collapsed of %s.", list(none)))
	}
	return out
}

// conditions is the line's name with its λ, which decides what collapses.
func (l *Line) conditions() string {
	name := l.Name()
	if l.overCost() {
		return name
	}
	var runs []*Run
	for _, p := range l.Points {
		runs = append(runs, p.Runs...)
	}
	if words := regularization(runs, "λ %s", "λ_q = %s, λ_d = %s"); words != "" {
		return name + " (" + words + ")"
	}
	return name
}

// Group is findings about one thing.
type Group struct {
	Title     string
	Sentences []string
}

// groups are the findings beside the answer and the collapses, without the empty ones.
func (c *Comparison) groups() []Group {
	var natural, rise, against, between, density []string
	for _, line := range c.Lines {
		natural = append(natural, c.natural(line)...)
	}
	for _, dataset := range c.Datasets {
		for _, line := range c.Lines {
			rise = append(rise, c.rise(line, dataset)...)
			against = append(against, c.compareBaselines(line, dataset)...)
		}
		if dataset == c.Datasets[0] {
			against = append(against, c.degradedRuns()...)
		}
		between = append(between, c.compareLines(dataset)...)
	}
	for _, line := range c.Lines {
		density = append(density, c.density(line)...)
	}
	groups := []Group{
		{"The natural head, k = 1", natural},
		{"From k = 1 to the best k, as trained and whatever it costs", rise},
		{"Against BM25 and the untrained models, as trained", against},
		{"Between backbones and settings, each at its best k", between},
		{"How dense the best k is", density},
		{"Collapses that passed", c.recoveredRuns()},
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return len(g.Sentences) == 0 })
}
