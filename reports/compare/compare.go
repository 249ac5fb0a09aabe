package compare

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"sort"
)

// Compare computes everything that a report shows. It does not change in.
func Compare(in *Input) (*Comparison, error) {
	c := &Comparison{Sweep: in.Sweep, Question: in.Question, Revision: in.Revision, Part: in.Part, Former: in.Former}
	for i := range in.Runs {
		c.Runs = append(c.Runs, &in.Runs[i])
	}
	slices.SortStableFunc(c.Runs, func(a, b *Run) int {
		return cmp.Or(cmp.Compare(a.Backbone, b.Backbone), compareK(a.Rescale, b.Rescale),
			cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID))
	})
	c.Baselines = slices.Clone(in.Baselines)
	slices.SortStableFunc(c.Baselines, func(a, b Baseline) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Backbone, b.Backbone),
			cmp.Compare(a.Evaluation.Dataset, b.Evaluation.Dataset), cmp.Compare(a.Evaluation.ID, b.Evaluation.ID))
	})
	var found map[string]bool
	found, c.Aside = c.datasets(in.Superseded)
	c.Datasets = c.order("evaluate.final", found)
	c.Measures = c.order("evaluate.measures", c.measures())
	if slices.Contains(c.Measures, "nDCG@10") {
		c.Measure = "nDCG@10"
	} else if len(c.Measures) > 0 {
		c.Measure = c.Measures[0]
	}
	c.nameBackbones()
	c.Lines = group(c.Runs, c.titles)
	c.orderRuns()
	for _, run := range c.Runs {
		if !run.Finished() {
			c.Open = append(c.Open, run)
		}
	}
	for _, line := range c.Lines {
		c.choose(line)
	}
	if err := c.contrasts(); err != nil {
		return nil, err
	}
	if err := c.atEqualCost(); err != nil {
		return nil, err
	}
	c.Answer, c.CollapseFindings, c.Groups = c.answer(), c.collapsed(), c.groups()
	c.Findings = slices.Clone(c.CollapseFindings)
	for _, g := range c.Groups {
		c.Findings = append(c.Findings, g.Sentences...)
	}
	c.Limits = append(c.limits(), in.Notes...)
	return c, nil
}

// orderRuns sorts the runs by line; within a line they are already sorted by k and seed.
func (c *Comparison) orderRuns() {
	rank := map[*Run]int{}
	for i, line := range c.Lines {
		for _, p := range line.Points {
			for _, r := range slices.Concat(p.Runs, p.Open) {
				rank[r] = i
			}
		}
	}
	slices.SortStableFunc(c.Runs, func(a, b *Run) int { return cmp.Compare(rank[a], rank[b]) })
}

// compareK orders factors, unknown ones last.
func compareK(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return cmp.Compare(oneIf(math.IsNaN(a)), oneIf(math.IsNaN(b)))
	}
	return cmp.Compare(a, b)
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// datasets returns the collections of the sweep, and others on which every finished run was
// measured. A collection on which only some runs were measured, by hand, would be a column of
// gaps. It is in aside, with the number of these runs, unless all is true.
func (c *Comparison) datasets(all bool) (found map[string]bool, aside map[string]int) {
	found, aside = map[string]bool{}, map[string]int{}
	asked, finished := map[string]bool{}, 0
	for _, run := range c.Runs {
		for _, name := range listed(run.Setting("evaluate.final")) {
			asked[name] = true
		}
		if run.Finished() {
			finished++
		}
		for _, e := range run.Evaluations {
			if e.Split != "dev" {
				found[e.Dataset] = true
			}
		}
	}
	if len(asked) == 0 || all {
		return found, nil
	}
	for name := range found {
		n := 0
		for _, run := range c.Runs {
			if run.Finished() && run.Evaluation(name, "") != nil {
				n++
			}
		}
		if !asked[name] && n < finished {
			delete(found, name)
			aside[name] = n
		}
	}
	return found, aside
}

// listed returns the elements of a setting that is a list.
func listed(value string) []string {
	var names []string
	if json.Unmarshal([]byte(value), &names) != nil {
		return nil
	}
	return names
}

func (c *Comparison) measures() map[string]bool {
	found := map[string]bool{}
	for _, run := range c.Runs {
		for _, e := range run.Evaluations {
			if !slices.Contains(c.Datasets, e.Dataset) {
				continue
			}
			for m := range e.Measures {
				found[m] = true
			}
		}
	}
	return found
}

// order sorts names in the order of the first run's list under key; other names follow,
// sorted.
func (c *Comparison) order(key string, found map[string]bool) []string {
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	rank := map[string]int{}
	if len(c.Runs) > 0 {
		for i, name := range listed(c.Runs[0].Setting(key)) {
			rank[name] = i + 1
		}
	}
	sort.Slice(names, func(a, b int) bool {
		ra, rb := rank[names[a]], rank[names[b]]
		if (ra == 0) != (rb == 0) {
			return ra != 0
		}
		if ra != rb {
			return ra < rb
		}
		return names[a] < names[b]
	})
	return names
}

// choose finds the line's best point: the greatest mean of Measure over all
// seeds, collapsed ones included, so that one lucky seed does not choose a k at
// which the others collapse. Dev queries choose if every point has them.
func (c *Comparison) choose(line *Line) {
	if len(c.Datasets) == 0 {
		return
	}
	dataset := c.Datasets[0]
	split := "dev"
	measured := false
	for _, p := range line.Points {
		for _, r := range p.Runs {
			measured = true
			if math.IsNaN(r.Evaluation(dataset, "dev").value(c.Measure)) {
				split = ""
			}
		}
	}
	if !measured {
		return
	}
	best := math.Inf(-1)
	for _, p := range line.Points {
		a := p.Over(func(r *Run) float64 { return r.Evaluation(dataset, split).value(c.Measure) })
		if a.All.N > 0 && a.All.Mean > best {
			best, line.Best = a.All.Mean, p
		}
	}
	if line.Best == nil {
		return
	}
	if !slices.ContainsFunc(line.Points, func(p *Point) bool { return len(p.Healthy()) > 0 }) {
		line.Best = nil // the best of collapsed points is not chosen
		return
	}
	line.SelectedOn = "dev"
	if split == "" {
		line.SelectedOn = "test"
		if e := line.Best.Runs[0].Evaluation(dataset, ""); e != nil && e.Split != "" {
			line.SelectedOn = e.Split
		}
	}
}
