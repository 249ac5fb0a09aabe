package compare

import (
	"math"
	"slices"

	"headroom/metrics/stats"
)

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
