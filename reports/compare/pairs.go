package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/internal/nouns"
	"headroom/metrics/stats"
)

// Budget is a cost at which settings are compared.
type Budget struct {
	By     Cost
	Amount float64
}

func (b Budget) String() string { return Quantity(b.Amount) + " " + b.By.String() }

// Question asks for a measure of some runs on one collection, and how it differs from
// that of others.
type Question struct {
	// Points chooses the runs in question; Against chooses the runs with which they are compared.
	Points, Against func(*Run) bool
	// Free are the keys in which the two differ on purpose. Every other key that matters
	// has the same value on both sides of a pair.
	Free             []string
	Dataset, Measure string
	// At compares at equal cost, over λ and over cut documents; nil compares as trained.
	At *Budget
}

// Pair is the difference of two settings that agree in every key that is not free.
type Pair struct {
	Contrast
	// Where names the values in which the pair differs from others; "" for the only one.
	Where string
	// WayA and WayB describe how the arms reach the cost; "" as trained.
	WayA, WayB string
	// Why says what keeps the two from being compared; "" if they are.
	Why string
	// Open counts the runs of both arms that did not finish.
	Open int
}

// Pairs answers a question. alone names the settings that are not compared, because they agree
// with no setting of the other side.
func (c *Comparison) Pairs(q Question) (pairs []*Pair, alone []string, err error) {
	view := c.withMeasure(q.Measure)
	as, bs := view.arms(q)
	seeds := view.seedVariances(q.Dataset)
	paired := map[string]bool{}
	for _, a := range as {
		for _, b := range bs {
			if a.agrees != b.agrees {
				continue
			}
			p, err := view.pair(q, a, b, seeds)
			if err != nil {
				return nil, nil, err
			}
			paired[a.agrees] = true
			pairs = append(pairs, p)
		}
	}
	for _, one := range slices.Concat(as, bs) {
		if !paired[one.agrees] {
			alone = append(alone, one.full())
		}
	}
	if len(pairs) == 1 && len(alone) == 0 {
		pairs[0].Where = ""
	}
	return pairs, alone, nil
}

// withMeasure is the comparison with another main measure.
func (c *Comparison) withMeasure(measure string) *Comparison {
	view := *c
	view.Measure = measure
	return &view
}

// arm is one setting of a question: runs that differ in their seed, and at equal cost in λ.
type arm struct {
	side
	// agrees holds the values that both arms of a pair have in common, by key; where is the
	// same for readers.
	agrees, where string
	open          int
}

// full is the arm's name with the values that a pair has in common.
func (a arm) full() string { return strings.TrimPrefix(a.where+", "+a.name, ", ") }

// arms sorts the runs of a question into settings.
func (c *Comparison) arms(q Question) (as, bs []arm) {
	var points, against, both []*Run
	for _, r := range c.Runs {
		if q.Points(r) {
			points, both = append(points, r), append(both, r)
		} else if q.Against != nil && q.Against(r) {
			against, both = append(against, r), append(both, r)
		}
	}
	var common, free []string
	for _, key := range varying(both) {
		switch {
		case slices.Contains(q.Free, key):
			free = append(free, key)
		case key == "seed", !matters(key, both), q.At != nil && isCost(key):
		default:
			common = append(common, key)
		}
	}
	sorted := func(runs []*Run) []arm {
		var out []arm
		for _, r := range runs {
			agrees, name := valuesOf(r, common), c.settingName(r, free)
			at := slices.IndexFunc(out, func(a arm) bool { return a.agrees == agrees && a.name == name })
			if at < 0 {
				at = len(out)
				out = append(out, arm{side: side{name: name}, agrees: agrees, where: c.settingName(r, common)})
			}
			if r.Finished() {
				out[at].runs = append(out[at].runs, r)
			} else {
				out[at].open++
			}
		}
		return out
	}
	return sorted(points), sorted(against)
}

// valuesOf returns a run's values of keys, one per line.
func valuesOf(r *Run, keys []string) string {
	var b strings.Builder
	for _, key := range keys {
		b.WriteString(r.Setting(key) + "\n")
	}
	return b.String()
}

// settingName writes a run's values of keys: "demo-bert, k=4, lr 0.001".
func (c *Comparison) settingName(r *Run, keys []string) string {
	var parts []string
	for _, key := range keys {
		switch key {
		case "model.backbone":
			parts = append(parts, c.BackboneName(r.Backbone))
		case "model.rescale":
			parts = append(parts, KName(kKey(r)))
		default:
			parts = append(parts, key[strings.LastIndexByte(key, '.')+1:]+" "+r.Setting(key))
		}
	}
	return strings.Join(parts, ", ")
}

func (c *Comparison) pair(q Question, a, b arm, seeds seedVariances) (*Pair, error) {
	p := &Pair{Where: a.where, Open: a.open + b.open}
	if q.At == nil {
		made, err := c.contrast("", nil, q.Dataset, a.side, b.side, seeds)
		switch {
		case err != nil:
			return nil, err
		case made == nil:
			p.Contrast = c.blankContrast(q.Dataset, a.side, b.side)
			p.Why = fmt.Sprintf("no %s on %s", q.Measure, q.Dataset)
		default:
			p.Contrast = *made
			if p.Queries == 0 {
				p.Why = "no difference: " + p.missingReason(q)
			}
		}
		return p, nil
	}
	p.Contrast = c.blankContrast(q.Dataset, a.side, b.side)
	waysA, waysB := c.ways(q.Dataset, c.overCosts(a), q.At.By), c.ways(q.Dataset, c.overCosts(b), q.At.By)
	if !reaches(waysA, q.At.Amount) || !reaches(waysB, q.At.Amount) {
		p.Why = fmt.Sprintf("not comparable at %s: %s", q.At, p.missingReason(q))
		if len(waysA) > 0 && len(waysB) > 0 {
			p.Why = fmt.Sprintf("not comparable at %s: %s at %s, %s at %s", q.At, a.name, costs(waysA), b.name, costs(waysB))
		}
		return p, nil
	}
	var err error
	p.WayA, p.WayB, p.Why, err = p.setAt(q.At.Amount, q.At.By, waysA, waysB, seeds.pooledWithout(slices.Concat(a.runs, b.runs)...))
	return p, err
}

// missingReason names the arm that has nothing to compare.
func (p *Pair) missingReason(q Question) string {
	var parts []string
	for _, arm := range []struct {
		name string
		Collapses
	}{{p.A, p.CollapsedA}, {p.B, p.CollapsedB}} {
		switch {
		case arm.Of == 0:
			parts = append(parts, "no run of "+arm.name+" has finished")
		case arm.N == arm.Of:
			parts = append(parts, fmt.Sprintf("%s collapsed in %d of %s", arm.name, arm.N, nouns.Count(arm.Of, "run")))
		}
	}
	if len(parts) == 0 {
		return "not every arm has values per query on " + q.Dataset
	}
	return strings.Join(parts, ", ")
}

// blankContrast is a contrast without figures.
func (c *Comparison) blankContrast(dataset string, a, b side) Contrast {
	nan := math.NaN()
	return Contrast{Dataset: dataset, Measure: c.Measure, A: a.name, B: b.name, MeanA: nan, MeanB: nan, Adjusted: nan,
		Difference: stats.Difference{Mean: nan, P: nan, OwnP: nan, Interval: stats.Interval{Low: nan, High: nan, Level: Level}},
		CollapsedA: a.collapses(), CollapsedB: b.collapses(),
		EvaluationsA: a.ids(dataset, c.Measure), EvaluationsB: b.ids(dataset, c.Measure)}
}

// overCosts groups an arm's runs by λ.
func (c *Comparison) overCosts(a arm) setting {
	var s setting
	for _, line := range group(a.runs, c.titles) {
		s.points = append(s.points, line.Points...)
	}
	return s
}

// reaches reports whether a way has all its seeds at a cost.
func reaches(ways []way, amount float64) bool {
	return slices.ContainsFunc(ways, func(w way) bool { low, high := w.span(); return amount >= low && amount <= high })
}

// costs is the range of a setting's measured costs.
func costs(ways []way) string {
	low, high := measured(ways)
	if Quantity(low) == Quantity(high) {
		return Quantity(low)
	}
	return Quantity(low) + " to " + Quantity(high)
}

// Scores holds the results of the runs of one setting.
type Scores struct {
	// Where names the values in which the setting differs from others of the question; "" for the only one.
	Where     string
	Values    []float64 // per seed that did not collapse
	Queries   int
	Collapsed Collapses
	Way       string // to the cost; "" as trained
	Open      int
	Why       string // there are no values; "" if there are
}

// Scores answers a question without Against.
func (c *Comparison) Scores(q Question) []Scores {
	view := c.withMeasure(q.Measure)
	arms, _ := view.arms(Question{Points: q.Points, At: q.At})
	var out []Scores
	for _, a := range arms {
		s := Scores{Where: a.where, Collapsed: a.collapses(), Open: a.open}
		found := a.evaluations(q.Dataset, q.Measure)
		if q.At != nil {
			ways := view.ways(q.Dataset, view.overCosts(a), q.At.By)
			var w way
			w, found = best(ways, q.At.Amount, q.Measure)
			s.Way = w.name
			if len(found) == 0 && len(ways) > 0 {
				s.Why = fmt.Sprintf("measured at %s %s, not at %s", costs(ways), q.At.By, Quantity(q.At.Amount))
			}
		}
		for _, e := range found {
			s.Values = append(s.Values, e.value(q.Measure))
			s.Queries = max(s.Queries, e.Queries, len(e.PerQuery[q.Measure]))
		}
		if len(found) == 0 && s.Why == "" {
			s.Why = fmt.Sprintf("no %s on %s", q.Measure, q.Dataset)
			if s.Collapsed.N > 0 && s.Collapsed.N == s.Collapsed.Of {
				s.Why = fmt.Sprintf("collapsed in %d of %s", s.Collapsed.N, nouns.Count(s.Collapsed.Of, "run"))
			}
		}
		out = append(out, s)
	}
	if len(out) == 1 {
		out[0].Where = ""
	}
	return out
}
