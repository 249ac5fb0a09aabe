package claims_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/data/groups"
	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/sweeps"
)

func TestBetter(t *testing.T) {
	for _, test := range []struct {
		name     string
		w        *world
		keys     string
		want     claims.Verdict
		observed float64
		why      string
	}{
		{"a clear gain", newWorld(t).pair(3, .1, .05), above, claims.OK, .1, "above: k=4 0.500 against k=1 0.400, difference +0.100"},
		{"one seed", newWorld(t).pair(1, .1, .05), above, claims.OKish, .1, "one seed shows nothing about settings"},
		{"the other way", newWorld(t).pair(3, .1, .05), below, claims.Fail, -.1, "points are not above against"},
		{"no difference at all", newWorld(t).pair(3, 0, .05), above, claims.Fail, 0, "points are not above against"},
		{"less than the noise", newWorld(t).pair(2, .004, .3), above, claims.OKish, .004, "above; the interval holds 0"},
	} {
		j := test.w.one("better", test.keys)
		if j.Verdict != test.want || len(j.Observed) != 1 || !near(j.Observed[0], test.observed) || !strings.Contains(j.Why, test.why) {
			t.Errorf("%s: %+v", test.name, j)
		}
		if j.Queries != 60 || j.Seeds == 0 {
			t.Errorf("%s: %d queries, %d seeds", test.name, j.Queries, j.Seeds)
		}
	}
	j := newWorld(t).pair(3, .1, .05).one("better", above)
	if j.P == nil || *j.P > .05 || j.Interval == nil || !(j.Interval[0] > 0 && j.Interval[0] < .1 && j.Interval[1] > .1) || j.Seeds != 3 {
		t.Errorf("%+v", j)
	}
}

func TestTheTestsOfAllClaimsAreOneFamily(t *testing.T) {
	w := func() *world { return newWorld(t).pair(2, .08, .3) }
	alone := w().one("better", above)
	if alone.Verdict != claims.OK || *alone.P > .05 || *alone.P < .002 {
		t.Fatalf("alone %+v, p %v", alone, *alone.P)
	}
	n := int(.05 / *alone.P) + 2
	var text strings.Builder
	for i := range n {
		text.WriteString(claim(fmt.Sprint(i), "better", above))
	}
	for _, j := range w().judge(text.String()) {
		if j.Verdict != claims.OKish || !near(*j.P, math.Min(1, float64(n)**alone.P)) || !strings.Contains(j.Why, "corrected for the number of claims") || j.Interval[0] <= 0 {
			t.Errorf("of %d: %+v", n, j)
		}
	}
}

func TestSettingsThatAgreeInAllOtherAxesAreCompared(t *testing.T) {
	made := func(gains map[float64]float64) *world {
		w := newWorld(t)
		for _, lr := range []float64{1e-3, 2e-3} {
			for seed := range int64(3) {
				for _, k := range []float64{1, 4} {
					gain, ok := gains[lr]
					if k == 4 && !ok {
						continue
					}
					if k == 1 {
						gain = 0
					}
					config := sweeps.Defaults()
					config.Model.Backbone, config.Model.Rescale, config.Seed, config.Train.LR = "org/model", sweeps.Rescale{K: k}, seed, lr
					w.with(config, on("c", .3+100*lr+gain, .2, .05, seed+int64(10*k)))
				}
			}
		}
		return w
	}
	both := made(map[float64]float64{1e-3: .1, 2e-3: .2}).one("better", above)
	if both.Verdict != claims.OK || !near(both.Observed[0], .1) || !strings.Contains(both.Why, "above (2 of 2 pairs): lr 0.001: k=4 0.500 against k=1 0.400") || !strings.Contains(both.Why, "lr 0.002: k=4 0.700 against k=1 0.500") {
		t.Errorf("both above: %+v", both)
	}
	one := made(map[float64]float64{1e-3: .1, 2e-3: -.1}).one("better", above)
	if one.Verdict != claims.Fail || !near(one.Observed[0], -.1) || !strings.Contains(one.Why, "1 of 2 pairs") {
		t.Errorf("one below: %+v", one)
	}
	w := made(map[float64]float64{1e-3: .1, 2e-3: .2}) // at one rate every run of k = 1 collapsed, at the other two of three
	for i := range w.Input.Runs {
		r := &w.Input.Runs[i]
		if r.Rescale == 1 && (compare.Lookup(r.Config, "train.lr") != "0.001" || r.Seed > 0) {
			r.Verdict = "empty"
		}
	}
	mixed := w.one("better", above)
	if mixed.Verdict != claims.OKish || !strings.Contains(mixed.Why,
		"every run of against collapsed, which leaves no difference to test (1 of 2 pairs); above; one seed shows nothing about settings (1 of 2 pairs): lr 0.001") {
		t.Errorf("two reasons: %+v", mixed)
	}
	alone := made(map[float64]float64{1e-3: .1}).one("better", above)
	if alone.Verdict != claims.OK || !strings.Contains(alone.Why, "compared with nothing: lr 0.002, k=1") {
		t.Errorf("one alone: %+v", alone)
	}
	apart := made(map[float64]float64{1e-3: .1, 2e-3: .1}).one("better", "points = 'model.rescale=4, train.lr=1e-3'\nagainst = 'model.rescale=1, train.lr=2e-3'\non = 'data:c'\nmeasure = 'nDCG@10'")
	if apart.Verdict != claims.Fail || !near(apart.Observed[0], 0) { // the lr differs on purpose
		t.Errorf("named lr: %+v", apart)
	}
}

func TestCollapsedRunsAreNeverAveraged(t *testing.T) {
	collapsed := func(k float64, n int) *world {
		w := newWorld(t).pair(3, .1, .05)
		for i := range w.Input.Runs {
			if r := &w.Input.Runs[i]; r.Rescale == k && n > 0 {
				r.Verdict = "empty"
				n--
			}
		}
		return w
	}
	for _, test := range []struct {
		k    float64
		n    int
		want claims.Verdict
		why  string
	}{
		{1, 3, claims.OKish, "every run of against collapsed"}, {4, 3, claims.Fail, "every run of points collapsed"},
		{4, 1, claims.OKish, "more runs of points collapsed"}, {1, 1, claims.OK, "beside 1 run of k=1 that collapsed"},
	} {
		j := collapsed(test.k, test.n).one("better", above)
		if test.want == claims.OK {
			test.why = "beside 1 of 3 runs of k=1 that collapsed"
		}
		if j.Verdict != test.want || !strings.Contains(j.Why, test.why) || (test.n == 3) != (len(j.Observed) == 0) {
			t.Errorf("%d of k = %v: %+v", test.n, test.k, j)
		}
	}
	if j := collapsed(1, 3).one("equal", above+"tolerance = 1"); j.Verdict != claims.Fail {
		t.Errorf("equal to collapsed runs: %+v", j)
	}
}

func TestCollapses(t *testing.T) {
	ended := func(verdicts ...string) *world {
		w := newWorld(t)
		for i, v := range verdicts {
			r := w.run(1, int64(i))
			r.Verdict = v
			if v == "" {
				r.State = "running"
			}
		}
		return w
	}
	for _, test := range []struct {
		w              *world
		share          float64
		want           claims.Verdict
		observed, from float64
	}{
		// Clopper and Pearson: 2 of 4 is .0676 to .9324, 1 of 1 is .025 to 1, 3 of 3 .2924 to 1.
		{ended("empty", "healthy", "identical", "healthy"), .5, claims.OK, .5, .0676},
		{ended("empty", "healthy", "identical", "healthy"), .6, claims.Fail, .5, .0676},
		{ended("empty"), .5, claims.OKish, 1, .025},
		{ended("empty", "stalled", "empty"), 1, claims.OK, 1, .2924},
		{ended("healthy", "healthy", ""), .1, claims.Fail, 0, 0},
	} {
		j := test.w.one("collapses", fmt.Sprintf("points = 'model.rescale=1'\nshare = %v", test.share))
		if j.Verdict != test.want || !near(j.Observed[0], test.observed) || math.Abs(j.Interval[0]-test.from) > 1e-4 || j.P != nil {
			t.Errorf("%+v %v, want %v", j, j.Interval, test)
		}
	}
	if j := ended("healthy", "").one("collapses", "points = 'model.rescale=1'\nshare = 1"); !strings.Contains(j.Why, "0 of 1 run (") || !strings.Contains(j.Why, "1 run not finished") {
		t.Errorf("%+v", j)
	}
	if j := ended("").one("collapses", "points = 'model.rescale=1'\nshare = 1"); j.Verdict != claims.NotRun {
		t.Errorf("%+v", j)
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		w         *world
		tolerance float64
		want      claims.Verdict
	}{
		{newWorld(t).pair(3, .002, .01), .02, claims.OK}, {newWorld(t).pair(3, .002, .01), .0021, claims.OKish},
		{newWorld(t).pair(3, .002, .01), .002, claims.OKish}, {newWorld(t).pair(3, .002, .01), .0019, claims.Fail},
		{newWorld(t).pair(1, .002, .01), .02, claims.OKish}, {newWorld(t).pair(2, 0, 0), 0, claims.OK},
	} {
		j := test.w.one("equal", above+fmt.Sprintf("tolerance = %v", test.tolerance))
		if j.Verdict != test.want || j.P != nil {
			t.Errorf("tolerance %v: %+v, want %s", test.tolerance, j, test.want)
		}
	}
}

func TestValue(t *testing.T) {
	two := func(values ...float64) *world {
		w := newWorld(t)
		for i, v := range values {
			w.run(4, int64(i), on("c", v, .2, 0, 0))
		}
		return w
	}
	for _, test := range []struct {
		w     *world
		value string
		want  claims.Verdict
		why   string
	}{
		{two(.49, .51), "value = 0.51", claims.OK, "0.500 (sd 0.014 over 2 seeds, 60 queries)"}, {two(.49, .51), "value = 0.511", claims.Fail, "not within 0.01 of 0.511"},
		{two(.5), "value = 0.5", claims.OKish, "1 seed"}, {two(.49, .51), "", claims.Unknown, "nobody has entered the published number: 0.500"},
	} {
		j := test.w.one("value", four+"tolerance = 0.01\n"+test.value)
		if j.Verdict != test.want || !near(j.Observed[0], .5) || !strings.Contains(j.Why, test.why) {
			t.Errorf("%s: %+v", test.value, j)
		}
	}
	if j := newWorld(t).one("value", four+"tolerance = 0.01"); j.Verdict != claims.Unknown || len(j.Observed) != 0 {
		t.Errorf("without runs: %+v", j)
	}
}

// cuts has a run's vectors as trained at cost 16 and cut at 4, by FLOPS; of documents'
// active dims at 160 and 40. Halfway on the logarithm, at 8 and 80, the value is the mean.
func cuts(k, low, high float64, seed int64) compare.Evaluation {
	e := on("c", high, .2, .05, seed+int64(k))
	cut := on("c", low, .2, .05, seed+int64(k))
	e.Flops, e.ActiveDocument = 16, 160
	e.Curve = []compare.CurvePoint{{Side: "document", Terms: 40, Measures: cut.Measures, PerQuery: cut.PerQuery, Flops: 4, ActiveQuery: 5, ActiveDocument: 40}}
	return e
}

func TestAtEqualCost(t *testing.T) {
	w := func() *world {
		w := newWorld(t)
		for seed := range int64(3) {
			w.run(1, seed, cuts(1, .3, .4, seed)) // .35 at the middle
			w.run(4, seed, cuts(4, .2, .8, seed)) // .5 there, .2 at the low end
		}
		return w
	}
	for at, want := range map[string]float64{"flops = 8": .15, "active_document = 80": .15, "flops = 4": -.1, "active_document = 160": .4} {
		j := w().one("better", above+"at = { "+at+" }")
		verdict := claims.OK
		if want < 0 {
			verdict = claims.Fail
		}
		if j.Verdict != verdict || !near(j.Observed[0], want) || !strings.Contains(j.Why, "at this cost by cut documents") {
			t.Errorf("at %s: %+v, want %v", at, j, want)
		}
		value := w().one("value", four+"tolerance = 0\nvalue = 0.5\nat = { "+at+" }")
		if (value.Verdict == claims.OK) != (want == .15) {
			t.Errorf("the value at %s: %+v", at, value)
		}
	}
	for at, why := range map[string]string{
		"flops = 100":         "not comparable at 100 FLOPS: k=4 at 4.00 to 16.0, k=1 at 4.00 to 16.0",
		"active_document = 8": "not comparable at 8.00 active dims of documents: k=4 at 40.0 to 160",
	} {
		if j := w().one("better", above+"at = { "+at+" }"); j.Verdict != claims.NotRun || !strings.Contains(j.Why, why) {
			t.Errorf("at %s: %+v", at, j)
		}
	}
}

func TestAGroupIsTheMeanOverItsCollections(t *testing.T) {
	members := groups.Members("beir:13")
	w := newWorld(t)
	for i, name := range members {
		w.Labels[name] = fmt.Sprint("c", i)
	}
	for seed := range int64(3) {
		for _, k := range []float64{1, 4} {
			var all []compare.Evaluation
			for i := range members {
				// The k-th gain is .1 in every collection, of 10 to 34 queries: over queries
				// the mean would be another.
				all = append(all, of(fmt.Sprint("c", i), 10+2*i, func(q int) float64 {
					return .02*float64(i) + .1*(k-1)/3 + .01*math.Cos(float64(i*q)+k+float64(seed))
				}))
			}
			w.run(k, seed, all...)
		}
	}
	keys := strings.ReplaceAll(above, "data:c", "beir:13")
	want := 0.0
	for _, e := range w.Input.Runs[1].Evaluations {
		want += e.Measures["nDCG@10"] / 13
	}
	j := w.one("better", keys)
	if j.Verdict != claims.OK || math.Abs(j.Observed[0]-.1) > .01 || j.Queries != 13*10+2*78 {
		t.Errorf("%+v", j)
	}
	if r := w.Input.Runs[1]; !near(r.Evaluation("beir:13", "").Measures["nDCG@10"], want) || len(r.Evaluations) != 14 {
		t.Errorf("mean %v, want %v", r.Evaluation("beir:13", "").Measures, want)
	}
	delete(w.Labels, "beir:nq")
	if j := w.one("better", keys); j.Verdict != claims.NotRun || !strings.Contains(j.Why, "not measured on 1 of its 13 collections: beir:nq") {
		t.Errorf("%+v", j)
	}
}

func TestWhatIsNotThereIsNotRun(t *testing.T) {
	for keys, why := range map[string]string{
		strings.ReplaceAll(above, "rescale=4", "rescale=8"):                          `no run of "model.rescale=8"`,
		strings.ReplaceAll(above, "rescale=1", "rescale=8"):                          `no run of "model.rescale=8"`,
		strings.ReplaceAll(above, "data:c", "data:other"):                            "not measured on data:other",
		strings.ReplaceAll(above, "data:c", "beir:13"):                               "13 of its 13 collections",
		strings.ReplaceAll(above, "nDCG@10", "R@50"):                                 "no R@50 on c",
		strings.ReplaceAll(above, "model.rescale=1", "seed=[0,1]"):                   "points and against both choose 2 runs",
		strings.ReplaceAll(above, "data:c", "c") + "at = { active_document = 5000 }": "not comparable at 5000 active dims",
	} {
		if j := newWorld(t).pair(2, .1, .05).one("better", keys); j.Verdict != claims.NotRun || !strings.Contains(j.Why, why) || j.P != nil || j.Interval != nil {
			t.Errorf("%s\n%+v", keys, j)
		}
	}
	w := newWorld(t).pair(2, .1, .05)
	if j := w.one("vectors", "points = 'model.backbone=x'\non = 'data:published'\ntolerance = 1"); j.Verdict != claims.NotRun || !strings.Contains(j.Why, "--model") {
		t.Errorf("%+v", j)
	}
	for i := range w.Input.Runs {
		if w.Input.Runs[i].Rescale == 4 {
			w.Input.Runs[i].State, w.Input.Runs[i].Evaluations = "running", nil
		}
	}
	if j := w.one("better", above); j.Verdict != claims.NotRun || !strings.Contains(j.Why, "2 runs not finished") {
		t.Errorf("unfinished: %+v", j)
	}
}
