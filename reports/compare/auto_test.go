package compare_test

import (
	"math"
	"slices"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

// withAuto adds, to a sample's runs of one k, runs whose automatic choice gave the k in cameTo, one per seed; NaN is
// a choice that is not made yet.
func withAuto(in *compare.Input, k float64, cameTo ...float64) {
	for _, r := range slices.Clone(in.Runs) {
		if r.Rescale != k || r.Backbone != in.Runs[0].Backbone {
			continue
		}
		r.ID, r.Label = "auto"+r.ID, "auto"+r.Label
		r.Rescale, cameTo = cameTo[0], cameTo[1:]
		r.Config = slices.Clone(r.Config)
		for i := range r.Config {
			if r.Config[i].Key == "model.rescale" {
				r.Config[i].Value = "auto-score"
			}
		}
		in.Runs = append(in.Runs, r)
	}
}

func TestWhatAnAutomaticChoiceCameToIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		cameTo []float64
		text   string
		same   bool
	}{
		"a k of the grid":         {[]float64{4, 4}, "4 (auto-score)", true},
		"another":                 {[]float64{5, 5}, "5 (auto-score)", false},
		"one for each seed":       {[]float64{5, 4}, "4 to 5 (auto-score)", false},
		"not known yet of either": {[]float64{math.NaN(), math.NaN()}, "auto-score", false},
	} {
		in := sample.Demo()
		withAuto(in, 4, c.cameTo...)
		l := line(t, compared(t, in), "demo-bert")
		i := slices.IndexFunc(l.Points, func(p *compare.Point) bool { return p.Auto != "" })
		if i < 0 {
			t.Fatalf("%s: no point of the automatic choice", name)
		}
		p := l.Points[i]
		if p.Text != c.text || len(p.Runs) != 2 {
			t.Errorf("%s: %q with %d runs", name, p.Text, len(p.Runs))
		}
		if other := p.SameAs(); (other != nil) != c.same || c.same && other.Text != "4" {
			t.Errorf("%s: same as %+v", name, other)
		}
		if fixed := l.At(4); fixed == nil || fixed.Auto != "" {
			t.Errorf("%s: k = 4 is %+v", name, fixed)
		}
	}
}
