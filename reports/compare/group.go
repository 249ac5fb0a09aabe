package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"headroom/internal/names"
	"headroom/metrics/stats"
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

// Line is one backbone (in one variant, if the sweep varies more than
// backbone, k and seed) across k.
type Line struct {
	Backbone string
	// Title is the name of the backbone, unique in the sweep.
	Title string
	// Variant holds the other keys in which this line differs from others of its backbone;
	// Axes is the same with names for people.
	Variant []Setting
	Axes    []Axis
	Points  []*Point // k ascending
	// Best is the point with the best mean over all its seeds, nil if nothing was measured
	// and if every run collapsed.
	Best *Point
	// SelectedOn names the queries by which Best was chosen: "dev", or "test", for which a report has a warning.
	SelectedOn string
}

// Name is the name of the backbone, with the variant if there is one.
func (l *Line) Name() string {
	if axes := l.AxesText(); axes != "" {
		return l.Title + ", " + axes
	}
	return l.Title
}

// nameAt is the name of the line's point with a k, by the text of that.
func (l *Line) nameAt(k string) string { return l.Name() + " " + KName(k) }

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

// At returns the point of a factor, nil if the line has none. A factor of the sweep's file
// comes before an equal one of an automatic choice.
func (l *Line) At(k float64) *Point {
	var chosen *Point
	for _, p := range l.Points {
		if p.K == k && p.Auto == "" {
			return p
		}
		if p.K == k && chosen == nil {
			chosen = p
		}
	}
	return chosen
}

// Point is one k of a line: the runs that differ only in their seed.
type Point struct {
	Line *Line
	K    float64 // NaN if it is chosen automatically and differs or is not known
	Text string  // of k, as shown
	Auto string  // the name of k's automatic choice; "" for a number
	Runs []*Run  // finished, by seed
	Open []*Run  // not finished
	// Varies are the keys in which the runs of this point differ all the same.
	Varies []string

	cameTo []float64 // the factors that Auto has chosen, ascending
}

// Collapsed returns the runs that are collapsed at their end.
func (p *Point) Collapsed() []*Run {
	var out []*Run
	for _, r := range p.Runs {
		if r.Collapsed() {
			out = append(out, r)
		}
	}
	return out
}

// Healthy returns the finished runs whose verdict is no collapse.
func (p *Point) Healthy() []*Run {
	var out []*Run
	for _, r := range p.Runs {
		if !r.Collapsed() {
			out = append(out, r)
		}
	}
	return out
}

// Aggregate is one number of a point over its seeds.
type Aggregate struct {
	Healthy stats.Sample // over the seeds that did not collapse
	All     stats.Sample // over every finished seed that has the value
	Missing int          // finished seeds without the value
}

// Shown is the sample a table prints: the healthy seeds, or all if none is healthy.
func (a Aggregate) Shown() stats.Sample {
	if a.Healthy.N == 0 {
		return a.All
	}
	return a.Healthy
}

// Over aggregates a value of a run; NaN and infinities are counted as missing.
func (p *Point) Over(value func(*Run) float64) Aggregate {
	var healthy, all []float64
	missing := 0
	for _, r := range p.Runs {
		v := value(r)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			missing++
			continue
		}
		all = append(all, v)
		if !r.Collapsed() {
			healthy = append(healthy, v)
		}
	}
	return Aggregate{Healthy: stats.Summarize(healthy), All: stats.Summarize(all), Missing: missing}
}

// Score aggregates a measure on a collection's test split.
func (p *Point) Score(dataset, measure string) Aggregate {
	return p.Over(func(r *Run) float64 { return r.Score(dataset, measure) })
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

// include adds a run's k to the point: an automatic choice may give another k for each
// seed, and the point's text has all of them.
func (p *Point) include(r *Run) {
	if r.Rescale != p.K {
		p.K = math.NaN()
	}
	if p.Auto == "" || math.IsNaN(r.Rescale) || r.Rescale <= 0 {
		return
	}
	if !slices.Contains(p.cameTo, r.Rescale) {
		p.cameTo = append(p.cameTo, r.Rescale)
		slices.Sort(p.cameTo)
	}
	low, high := KText(p.cameTo[0]), KText(p.cameTo[len(p.cameTo)-1])
	if low != high {
		low += " to " + high
	}
	p.Text = low + " (" + p.Auto + ")"
}

// SameAs is the point of the line with the k of this automatic choice, nil if there is none
// or if the choice gave several k.
func (p *Point) SameAs() *Point {
	if p.Auto == "" || len(p.cameTo) != 1 {
		return nil
	}
	for _, other := range p.Line.Points {
		if other.Auto == "" && other.K == p.cameTo[0] {
			return other
		}
	}
	return nil
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
			parts = append(parts, fmt.Sprintf("%s in %s", v, count(len(values[v]), "run")))
		}
		out = append(out, fmt.Sprintf("varies in %s: %s", key, list(parts)))
	}
	return out
}
