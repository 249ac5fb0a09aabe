package live

import (
	"cmp"
	"maps"
	"slices"

	"headroom/metrics/measure"
	"headroom/metrics/store"
	"headroom/sweeps"
)

// describe sets the keys in which the runs of a sweep differ, and what follows from them.
func (s *Sweep) describe(collections []store.Collection) {
	changes := make([][]sweeps.Change, len(s.Runs))
	first := map[string]string{} // the first run's values of the keys that differ
	for i, r := range s.Runs {
		changes[i] = sweeps.Diff(s.Runs[0].Config, r.Config)
		for _, c := range changes[i] {
			first[c.Key] = c.A
		}
	}
	for _, key := range sweeps.Keys() {
		if _, differs := first[key]; differs {
			s.Keys = append(s.Keys, key)
		}
	}
	groups := map[string]int{}
	for i, r := range s.Runs {
		r.Values, r.Group = maps.Clone(first), ""
		for _, c := range changes[i] {
			r.Values[c.Key] = c.B
		}
		for _, key := range s.Keys {
			if key != "seed" {
				r.Group += key + "=" + r.Values[key] + "\x00"
			}
		}
		groups[r.Group]++
		s.Seeds = s.Seeds || groups[r.Group] > 1
	}
	s.describeFigures(collections)
}

// describeFigures lists the runs' figures in the order in which the sweep asks for
// collections and measures, costs last.
func (s *Sweep) describeFigures(collections []store.Collection) {
	found := map[Figure]bool{}
	var asked []string
	for _, r := range s.Runs {
		for f := range r.Figures {
			found[f] = true
		}
		if len(asked) == 0 {
			asked = r.Config.Evaluate.Measures
		}
	}
	if measures, err := measure.ParseAll(asked); err == nil {
		asked = nil
		if main, ok := measure.Main(measures); ok {
			asked = append(asked, main.String())
		}
		for _, m := range measures {
			asked = append(asked, m.String())
		}
	}
	asked = append(asked, Flops, ActiveDocument, ActiveQuery)
	place := func(at, none int) int {
		if at < 0 {
			return none
		}
		return at
	}
	s.Figures = slices.SortedFunc(maps.Keys(found), func(a, b Figure) int {
		collection := func(f Figure) int {
			return place(slices.IndexFunc(collections, func(c store.Collection) bool { return c.Label == f.Dataset }), len(collections))
		}
		name := func(f Figure) int { return place(slices.Index(asked, f.Measure), len(asked)) }
		return cmp.Or(collection(a)-collection(b), cmp.Compare(a.Dataset, b.Dataset), name(a)-name(b), cmp.Compare(a.Measure, b.Measure))
	})
}
