package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"headroom/internal/names"
	"headroom/internal/nouns"
)

// Comparison is everything a report says about a sweep.
type Comparison struct {
	Sweep, Question, Revision string
	// Part and Former are those of Input.
	Part   string
	Former int
	// Datasets in the order of the sweep's evaluate.final; the first is where the
	// best k is chosen.
	Datasets []string
	// Aside counts the runs on collections that the sweep does not list and on which only some
	// runs were measured.
	Aside map[string]int
	// Measures in the order of the sweep's evaluate.measures; Measure is the one
	// that findings are about: nDCG@10, or the first.
	Measures []string
	Measure  string
	Lines    []*Line
	// Runs are all runs, by line, k and seed; Open those that did not finish.
	Runs, Open []*Run
	Baselines  []Baseline
	Contrasts  []*Contrast
	// Matched are the differences at equal cost.
	Matched []*Matched
	// Answer is the result at equal cost, CollapseFindings are the collapses, Groups are the
	// other findings; Findings are the collapses and the groups, one after the other.
	Answer           []string
	CollapseFindings []string
	Groups           []Group
	Findings         []string
	Limits           []string

	titles map[string]string // of backbones by their references
}

// BackboneName is the name of a backbone of the sweep: the last element of its reference, or
// more elements if two would have the same name.
func (c *Comparison) BackboneName(reference string) string { return c.titles[reference] }

// nameBackbones names the backbones of the runs and of the baselines.
func (c *Comparison) nameBackbones() {
	var references []string
	for _, r := range c.Runs {
		references = append(references, r.Backbone)
	}
	for _, b := range c.Baselines {
		references = append(references, b.Backbone)
	}
	c.titles = names.DistinctNames(references, names.Last)
}

// Evaluation returns a run's evaluation on a collection, nil if there is none.
// A split of "" means the reported one: any but dev.
func (r *Run) Evaluation(dataset, split string) *Evaluation {
	for i := range r.Evaluations {
		e := &r.Evaluations[i]
		if e.Dataset == dataset && (e.Split == split || split == "" && e.Split != "dev") {
			return e
		}
	}
	return nil
}

// Score is a measure of a run, NaN if it was not measured.
func (r *Run) Score(dataset, measure string) float64 {
	return r.Evaluation(dataset, "").value(measure)
}

func (e *Evaluation) value(measure string) float64 {
	if e == nil {
		return math.NaN()
	}
	if v, ok := e.Measures[measure]; ok {
		return v
	}
	return math.NaN()
}

// group sorts the runs into lines and points.
func group(runs []*Run, titles map[string]string) []*Line {
	// A key that differs between runs of one backbone and one k (other than the
	// seed) is a further axis of the sweep: it makes lines, not spread.
	cells := map[string][]*Run{}
	for _, r := range runs {
		key := r.Backbone + "\x00" + kKey(r)
		cells[key] = append(cells[key], r)
	}
	axes := map[string]bool{}
	for _, cell := range cells {
		for _, key := range varying(cell) {
			if !isShown(key) && matters(key, cell) {
				axes[key] = true
			}
		}
	}
	keys := make([]string, 0, len(axes))
	for key := range axes {
		keys = append(keys, key)
	}
	sort.Strings(keys)

	lines := map[string]*Line{}
	points := map[string]*Point{}
	var out []*Line
	for _, r := range runs {
		id := r.Backbone
		var variant []Setting
		for _, key := range keys {
			variant = append(variant, Setting{Key: key, Value: r.Setting(key)})
			id += "\x00" + r.Setting(key)
		}
		line := lines[id]
		if line == nil {
			line = &Line{Backbone: r.Backbone, Title: titles[r.Backbone], Variant: variant}
			lines[id] = line
			out = append(out, line)
		}
		id += "\x00" + kKey(r)
		point := points[id]
		if point == nil {
			point = &Point{Line: line, K: r.Rescale, Text: kKey(r), Auto: automatic(r)}
			points[id] = point
			line.Points = append(line.Points, point)
		}
		point.include(r)
		if r.Finished() {
			point.Runs = append(point.Runs, r)
		} else {
			point.Open = append(point.Open, r)
		}
	}
	orderLines(out)
	nameAxes(out)
	for _, line := range out {
		sort.SliceStable(line.Points, func(a, b int) bool { return before(line.Points[a], line.Points[b]) })
		for _, p := range line.Points {
			for _, key := range varying(p.Runs) {
				if !isShown(key) {
					p.Varies = append(p.Varies, key)
				}
			}
		}
	}
	return out
}

// kKey identifies a point of a line: the factor, or the automatic choice's name.
func kKey(r *Run) string {
	if auto := automatic(r); auto != "" {
		return auto
	}
	return KText(r.Rescale)
}

// automatic is the name of a run's automatic choice of k, "" if it has a number.
func automatic(r *Run) string {
	if k := r.Setting("model.rescale"); strings.HasPrefix(k, "auto") {
		return k
	}
	return ""
}

func before(a, b *Point) bool {
	if math.IsNaN(a.K) != math.IsNaN(b.K) {
		return math.IsNaN(b.K)
	}
	if a.K != b.K && !math.IsNaN(a.K) {
		return a.K < b.K
	}
	return a.Text < b.Text
}

// Varying lists the keys other than backbone, k and seed in which runs differ.
func (c *Comparison) Varying() []string {
	var out []string
	for _, key := range varying(c.Runs) {
		if !isShown(key) {
			out = append(out, key)
		}
	}
	return out
}

// Differences lists, as "key: value for line, …", the keys in which whole lines differ
// and which the rows do not show, such as a learning rate that varies with the backbone.
func (c *Comparison) Differences() []string {
	finished := make([]*Run, 0, len(c.Runs))
	for _, r := range c.Runs {
		if r.Finished() {
			finished = append(finished, r)
		}
	}
	var out []string
	for _, key := range varying(finished) {
		if isShown(key) || slices.ContainsFunc(c.Lines, func(l *Line) bool {
			return slices.ContainsFunc(l.Variant, func(s Setting) bool { return s.Key == key })
		}) {
			continue
		}
		values := map[string][]string{}
		var order []string
		for _, r := range finished {
			v := r.Setting(key)
			v = cmp.Or(v, "(not set)")
			if _, ok := values[v]; !ok {
				order = append(order, v)
			}
			values[v] = append(values[v], r.Label)
		}
		var parts []string
		for _, v := range order {
			parts = append(parts, fmt.Sprintf("%s in %s", v, nouns.Count(len(values[v]), "run")))
		}
		out = append(out, fmt.Sprintf("varies in %s: %s", key, list(parts)))
	}
	return out
}
