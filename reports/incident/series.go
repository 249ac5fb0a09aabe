package incident

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"headroom/metrics/event"
)

// records holds the records of a run's steps in its logs.
type records struct {
	steps  []event.Step
	at     map[int]map[string]event.Value
	probed map[int]event.Probed
}

func read(folder string) (records, error) {
	r := records{at: map[int]map[string]event.Value{}, probed: map[int]event.Probed{}}
	var err error
	if r.steps, err = event.History(folder, math.MaxInt); err != nil {
		return r, err
	}
	for _, s := range r.steps {
		r.at[s.Step] = s.Values
	}
	attempts, err := event.Attempts(folder)
	if err != nil {
		return r, err
	}
	for _, n := range attempts {
		list, err := event.Read(event.Path(folder, n))
		if err != nil {
			return r, err
		}
		for _, record := range list {
			switch e := record.Event.(type) {
			case event.Started: // a later attempt replaces every step from there on
				maps.DeleteFunc(r.probed, func(step int, _ event.Probed) bool { return step >= e.FromStep })
			case event.Probed:
				r.probed[e.Step] = e
			}
		}
	}
	return r, nil
}

// curve is a series at some steps; false if it has no point there.
func (r records) curve(name string, steps []int) (Curve, bool) {
	c, found := Curve{Name: name}, false
	for _, step := range steps {
		var value *event.Value
		if v, ok := r.at[step][name]; ok {
			value, found = &v, true
		}
		c.Values = append(c.Values, value)
	}
	return c, found
}

// shownDistances returns the distances from the onset of the steps that are shown.
func shownDistances() []int { return []int{-20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20} }

// shownSeries returns the series that are shown for each step, in their order.
func shownSeries() []string {
	return []string{
		"loss", "loss/contrastive", "accuracy", "score/sd", "cosine/query", "cosine/document", "empty/query", "empty/document",
		"active/query", "active/document", "lr", "lambda/query", "lambda/document", "loss/reg_query", "loss/reg_document",
		"grad_norm", "grad_norm/embeddings", "grad_norm/encoder", "grad_norm/head",
		"update_ratio/embeddings", "update_ratio/encoder", "update_ratio/head",
	}
}

// steps sets the steps around the onset.
func (p *Page) steps(r records) {
	for _, distance := range shownDistances() {
		if step := p.Onset.FirstStep + distance; r.at[step] != nil {
			p.Steps = append(p.Steps, step)
		}
	}
	for _, name := range shownSeries() {
		if c, ok := r.curve(name, p.Steps); ok {
			p.Curves = append(p.Curves, c)
		}
	}
	if _, ok := r.curve("grad_norm/encoder", p.Steps); !ok {
		p.Notes = append(p.Notes, "no gradient norms by group: an older program trained this run")
	}
}

// Moved holds a series' means over up to ten steps before the onset and from the onset on, and
// their difference in standard deviations of the steps before: infinite if these do not vary.
type Moved struct {
	Name   string      `json:"name"`
	Before event.Value `json:"before"`
	After  event.Value `json:"after"`
	Times  event.Value `json:"times"`
}

const (
	movedSteps  = 10
	movedSeries = 8
	// slack is a spread that rounding alone causes, relative to a mean.
	slack = 1e-9
)

// moved sets the series that changed most, without schedules, which always change.
func (p *Page) moved(r records) {
	names := map[string]bool{}
	var before, after []event.Step
	for _, s := range r.steps {
		switch first := p.Onset.FirstStep; {
		case s.Step >= first-movedSteps && s.Step < first:
			before = append(before, s)
		case s.Step >= first && s.Step < first+movedSteps:
			after = append(after, s)
			for name := range s.Values {
				names[name] = true
			}
		}
	}
	if len(before) < 3 {
		p.Notes = append(p.Notes, "fewer than three steps before the onset: nothing to compare with")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name == "lr" || event.DependsOnMachine(name) || strings.HasPrefix(name, "lambda/") || strings.HasPrefix(name, event.ProbePrefix) || strings.HasPrefix(name, "dev/") {
			continue
		}
		old, spread, n := describe(before, name)
		now, _, _ := describe(after, name)
		if n < 3 {
			continue
		}
		m := Moved{Name: name, Before: event.Value(old), After: event.Value(now)}
		switch d := math.Abs(now - old); {
		case d <= slack*math.Abs(old):
			continue
		case spread <= slack*math.Abs(old), d-d != 0:
			m.Times = event.Value(math.Inf(1))
		default:
			m.Times = event.Value(d / spread)
		}
		p.Moved = append(p.Moved, m)
	}
	slices.SortStableFunc(p.Moved, func(a, b Moved) int { return cmp.Compare(b.Times, a.Times) })
	p.Moved = p.Moved[:min(movedSeries, len(p.Moved))]
}

// describe returns a series' mean and standard deviation over steps, and the number of steps that have it.
func describe(steps []event.Step, name string) (mean, sd float64, n int) {
	for _, s := range steps {
		if v, ok := s.Values[name]; ok {
			mean += float64(v)
			n++
		}
	}
	mean /= float64(n)
	for _, s := range steps {
		if v, ok := s.Values[name]; ok {
			sd += (float64(v) - mean) * (float64(v) - mean)
		}
	}
	return mean, math.Sqrt(sd / float64(n)), n
}

// addLooks sets the probe set's figures at the two looks before the onset and the three from it on.
func (p *Page) addLooks(r records) {
	var before, after []int
	for _, s := range r.steps {
		if _, ok := s.Values[event.ProbePrefix+"seconds"]; !ok {
			continue
		}
		if s.Step < p.Onset.FirstStep {
			before = append(before, s.Step)
		} else {
			after = append(after, s.Step)
		}
	}
	p.Looks = append(before[max(0, len(before)-2):], after[:min(3, len(after))]...)
	if len(p.Looks) == 0 {
		p.Notes = append(p.Notes, "no probe set: it was switched off, or an older program trained this run")
		return
	}
	names := []string{"accuracy", "margin", "score_sd", "infonce"}
	for _, figure := range []string{"active_p50", "empty", "cosine_mean", "rank", "overlap", "sink", "sink_position", "logit_max", "norm", "dead", "df_gini"} {
		names = append(names, figure+"/query", figure+"/document")
	}
	for _, name := range names {
		if c, ok := r.curve(event.ProbePrefix+name, p.Looks); ok {
			p.Figures = append(p.Figures, c)
		}
	}
	for _, step := range p.Looks {
		if probed, ok := r.probed[step]; ok {
			p.Terms = append(p.Terms, probed)
		}
	}
}
