package stability_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// scenarios are the runs of a prototype, by what happened to them.
func scenarios() []scenario {
	chance := curves{stability.SeriesAccuracy: flat(1. / candidates)}
	collapsing := healthy(417).with(chance).with(curves{
		stability.SeriesContrastive:   decay(417, lnB, 5),
		stability.SeriesCosineQuery:   ramp(.85, .999, 0, 20),
		stability.SeriesScoreSD:       decay(100, .01, 7),
		stability.SeriesGradNorm:      decay(6633, .7, 8),
		stability.SeriesEmptyDocument: flat(0),
	})
	return []scenario{
		{name: "healthy, k = 16: the loss starts at chance level", curves: healthy(3.3), verdict: stability.Healthy},
		{name: "healthy, k = 4", curves: healthy(7), verdict: stability.Healthy},
		{name: "degraded, k = 1: starts far above chance and is slow", verdict: stability.Healthy,
			curves: healthy(139).with(curves{stability.SeriesContrastive: decay(139, .8, 12), stability.SeriesAccuracy: decay(.03, .82, 30)})},
		{name: "identical: the head inflated 16 times", warnings: []string{stability.NoProgress}, verdict: stability.Identical,
			chain: []string{stability.Identical, stability.Stalled},
			curves: collapsing.with(curves{stability.SeriesCosineDocument: func(s int) float64 {
				// .97 at the start, apart for a while, then as one.
				return max(decay(.97, .85, 4)(s), ramp(.8, .995, 12, 22)(s))
			}}),
			first: map[string]int{stability.SeriesCosineQuery: 14, stability.SeriesCosineDocument: 20}},
		{name: "identical by scores alone", warnings: []string{stability.NoProgress}, verdict: stability.Identical,
			curves: healthy(7).with(chance).with(curves{stability.SeriesContrastive: decay(7, lnB, 6), stability.SeriesScoreSD: decay(3, .001, 6),
				stability.SeriesCosineQuery: flat(.6), stability.SeriesCosineDocument: flat(.7)}),
			chain: []string{stability.Identical, stability.Stalled}},
		{name: "identical from the start: k = 1e-25", verdict: stability.Identical,
			curves: healthy(7).with(chance).with(curves{stability.SeriesContrastive: decay(27843, 9, 5), stability.SeriesCosineQuery: flat(1),
				stability.SeriesCosineDocument: flat(1)}),
			chain: []string{stability.Identical, stability.Stalled},
			first: map[string]int{stability.SeriesCosineQuery: 0}},
		{name: "empty after identical", warnings: []string{stability.NoProgress}, verdict: stability.Empty,
			curves: collapsing.with(curves{stability.SeriesEmptyQuery: from(92, 0, 1), stability.SeriesEmptyDocument: from(93, 0, 1),
				stability.SeriesCosineQuery: func(s int) float64 {
					if s >= 92 {
						return 0
					}
					return ramp(.85, .999, 0, 20)(s)
				}}),
			chain: []string{stability.Identical, stability.Stalled, stability.Empty},
			first: map[string]int{stability.SeriesEmptyQuery: 92, stability.SeriesEmptyDocument: 93}},
		{name: "empty by λ, never parallel", warnings: []string{stability.NoProgress}, verdict: stability.Empty,
			curves: healthy(3.3).with(chance).with(curves{stability.SeriesContrastive: flat(lnB), stability.SeriesScoreSD: decay(2, 0, 2.3),
				stability.SeriesEmptyQuery: ramp(0, 1, 17, 26), stability.SeriesEmptyDocument: ramp(0, 1, 17, 26)}),
			chain: []string{stability.Empty, stability.Stalled}, first: map[string]int{stability.SeriesEmptyQuery: 18}},
		{name: "stalled: never lower than at the start", warnings: []string{stability.NoProgress}, verdict: stability.Stalled,
			curves: healthy(3.55).with(chance).with(curves{stability.SeriesContrastive: decay(3.55, lnB, 20), stability.SeriesCosineQuery: flat(.53),
				stability.SeriesCosineDocument: flat(.73)}),
			chain: []string{stability.Stalled}},
		{name: "stalled: fell from 692 to chance level and stays", warnings: []string{stability.NoProgress}, verdict: stability.Stalled,
			curves: healthy(692).with(chance).with(curves{stability.SeriesContrastive: decay(692, 3.43, 8), stability.SeriesCosineQuery: decay(.9, .53, 10),
				stability.SeriesCosineDocument: decay(.97, .73, 10)}),
			chain: []string{stability.Stalled}},
		{name: "stalled: a little better than chance", verdict: stability.Stalled,
			curves: healthy(163).with(curves{stability.SeriesContrastive: decay(163, 2.9, 9), stability.SeriesAccuracy: decay(.03, .25, 60),
				stability.SeriesCosineQuery: decay(.9, .27, 20)}),
			chain: []string{stability.Stalled}},
		{name: "non-finite: the gradient norm at step 1, the loss still finite", verdict: stability.NonFinite,
			curves: healthy(52).with(curves{stability.SeriesGradNorm: from(1, 900, math.Inf(1))}),
			chain:  []string{stability.NonFinite}, first: map[string]int{stability.SeriesGradNorm: 1}},
		{name: "non-finite names a run before everything else", warnings: []string{stability.NoProgress}, verdict: stability.NonFinite,
			curves: collapsing.with(curves{stability.SeriesCosineDocument: flat(.5), stability.SeriesLoss: nil, stability.SeriesEmptyQuery: from(100, 0, 1),
				stability.SeriesContrastive: from(140, lnB, math.NaN())}),
			chain: []string{stability.Identical, stability.Stalled, stability.Empty, stability.NonFinite}},
		{name: "recovered: identical from 15 to 60, ended well", warnings: []string{stability.NoProgress}, verdict: stability.Healthy,
			curves: healthy(468).with(curves{stability.SeriesContrastive: func(s int) float64 {
				return max(decay(468, 3.5, 4)(s)*from(60, 1, 0)(s), ramp(3.5, 1.2, 60, 90)(s))
			}, stability.SeriesAccuracy: ramp(1./candidates, .6, 60, 90),
				stability.SeriesCosineQuery: func(s int) float64 {
					return from(61, ramp(.8, .99, 0, 18)(s), ramp(.99, .13, 58, 70)(s))(s)
				}}),
			chain: []string{stability.Identical}, first: map[string]int{stability.SeriesCosineQuery: 15}},
		{name: "recovered: empty for a while", verdict: stability.Healthy,
			curves: healthy(7).with(curves{stability.SeriesEmptyQuery: func(s int) float64 { return from(30, from(20, 0, .8)(s), 0)(s) }}),
			chain:  []string{stability.Empty}, first: map[string]int{stability.SeriesEmptyQuery: 20}},
		{name: "recovered: one infinite gradient", verdict: stability.Healthy,
			curves: healthy(7).with(curves{stability.SeriesGradNorm: func(s int) float64 { return from(41, from(40, 5, math.Inf(1))(s), 5)(s) }}),
			chain:  []string{stability.NonFinite}, first: map[string]int{stability.SeriesGradNorm: 40}},
		{name: "parallel vectors that rank well are told apart", verdict: stability.Healthy,
			curves: healthy(7).with(curves{stability.SeriesCosineQuery: flat(.98), stability.SeriesCosineDocument: flat(.99)})},
		{name: "a few empty texts are not collapse", verdict: stability.Healthy,
			curves: healthy(7).with(curves{stability.SeriesEmptyQuery: flat(.03), stability.SeriesEmptyDocument: flat(.01)})},
		{name: "a spike passes", verdict: stability.Healthy, warnings: []string{stability.Spike}, seldom: true,
			curves: healthy(3.3).with(curves{stability.SeriesGradNorm: func(s int) float64 { return 3 * from(101, from(100, 1, 60)(s), 1)(s) }}),
			first:  map[string]int{stability.SeriesGradNorm: 100}},
	}
}

type scenario struct {
	name    string
	curves  curves
	verdict string
	// chain is the kinds of collapse in their order, warnings those that must come.
	chain, warnings []string
	// first are first steps by series, exact without noise.
	first map[string]int
	// seldom marks the scenario in which a spike is wanted.
	seldom bool
}

func TestScenariosGetTheirVerdicts(t *testing.T) {
	for _, c := range scenarios() {
		t.Run(c.name, func(t *testing.T) {
			got := stability.Judge(c.curves.run(steps, 0, 1), stability.Defaults())
			if got.Verdict != c.verdict || !slices.Equal(got.Chain, c.chain) {
				t.Errorf("verdict %s, chain %v; want %s, %v", got.Verdict, got.Chain, c.verdict, c.chain)
			}
			if w := warned(got); !slices.Equal(w, c.warnings) {
				t.Errorf("warnings %v, want %v", w, c.warnings)
			}
			for series, want := range c.first {
				i := slices.IndexFunc(got.Episodes, func(e event.Episode) bool { return e.Evidence.Series == series })
				if i < 0 || got.Episodes[i].FirstStep != want {
					t.Errorf("%s: no episode from step %d: %v", series, want, lines(got))
				}
			}
			if t.Failed() {
				t.Log(lines(got))
			}
		})
	}
}

// Fires on collapse, quiet on noise: every scenario keeps its verdict under ten
// seeds of 15 % noise on every value.
func TestNoiseChangesNoVerdict(t *testing.T) {
	for _, c := range scenarios() {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(10) {
				got := stability.Judge(c.curves.run(steps, .15, seed), stability.Defaults())
				if got.Verdict != c.verdict {
					t.Errorf("seed %d: verdict %s, want %s: %v", seed, got.Verdict, c.verdict, lines(got))
				}
				if c.verdict == stability.Healthy && !c.seldom && slices.Contains(warned(got), stability.Spike) {
					t.Errorf("seed %d: a spike in plain noise: %v", seed, lines(got))
				}
			}
		})
	}
}

func warned(r stability.Result) []string {
	var kinds []string
	for _, e := range r.Episodes {
		if e.Severity == event.SeverityWarning && !slices.Contains(kinds, e.Verdict) {
			kinds = append(kinds, e.Verdict)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func lines(r stability.Result) []string {
	var all []string
	for _, e := range r.Episodes {
		all = append(all, fmt.Sprintf("\n%s %s %d-%d stands=%v", e.Verdict, e.Evidence.Series, e.FirstStep, e.LastStep, e.Stands))
	}
	return all
}

func TestAnEpisodeCarriesItsEvidence(t *testing.T) {
	run := healthy(7).with(curves{stability.SeriesEmptyQuery: func(s int) float64 { return from(30, from(20, 0, .8)(s), .02)(s) }}).run(steps, 0, 1)
	got := stability.Judge(run, stability.Defaults())
	if len(got.Episodes) != 1 {
		t.Fatal(lines(got))
	}
	e := got.Episodes[0]
	want := event.Episode{Detector: "empty", Version: 1, Verdict: "empty", Severity: "collapse", FirstStep: 20, LastStep: 29, LastHealthy: event.Some(19),
		Evidence: event.Evidence{Series: "empty/query", Rule: "share of queries without an active term above 0.1 for 5 steps",
			Threshold: .1, Window: 5, Observed: []event.Point{{Step: 20, Value: .8}, {Step: 21, Value: .8}, {Step: 22, Value: .8}, {Step: 23, Value: .8}, {Step: 24, Value: .8}}}}
	if fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", want) {
		t.Errorf("\n got %+v\nwant %+v", e, want)
	}
}

// TestLossesWithoutAChanceLevelAreJudgedByAccuracy: however large the loss is, and only if
// so many examples cannot be at chance level by chance.
func TestLossesWithoutAChanceLevelAreJudgedByAccuracy(t *testing.T) {
	for _, c := range []struct {
		loss       string
		accuracy   float64
		batch      int
		verdict    string
		candidates int
	}{
		{"margin_mse", .52, 16, stability.Stalled, 2}, // chance level is .5, and .55 still counts as it
		{"margin_mse", .60, 16, stability.Healthy, 2},
		{"kl", .28, 16, stability.Stalled, 4}, // .25 and .325
		{"kl", .37, 16, stability.Healthy, 4},
		{"margin_mse", .52, 4, stability.Healthy, 2}, // 80 examples: a standard deviation of .056
		{"mlm", 0, 16, stability.Healthy, 2},
	} {
		run := healthy(7).with(curves{stability.SeriesContrastive: decay(8e5, 75, 10), stability.SeriesAccuracy: flat(c.accuracy)}).run(steps, .1, 1)
		run.Facts.Loss, run.Facts.Batch, run.Facts.Candidates = c.loss, c.batch, c.candidates
		if got := stability.Judge(run, stability.Defaults()); got.Verdict != c.verdict || len(warned(got)) != 0 {
			t.Errorf("%+v: %s %v", c, got.Verdict, lines(got))
		}
	}
}

// What each rule excuses, one excuse at a time: without it the run would be accused.
func TestWhatIsExcused(t *testing.T) {
	middling := healthy(7).with(curves{stability.SeriesContrastive: flat(2), stability.SeriesAccuracy: flat(.3)})
	accused := func(c curves, kind string) bool {
		got := stability.Judge(c.run(steps, 0, 1), stability.Defaults())
		return slices.ContainsFunc(got.Episodes, func(e event.Episode) bool { return e.Verdict == kind })
	}
	for _, c := range []struct {
		name, kind       string
		excused, accused curves
	}{
		{"a loss that still falls fast", stability.Stalled,
			curves{stability.SeriesContrastive: decay(9000, 0, 20)}, curves{stability.SeriesContrastive: decay(9000, 10, 5)}},
		{"cosines that have come down from nearly 1", stability.Identical,
			curves{stability.SeriesCosineQuery: decay(.99, .96, 5)}, curves{stability.SeriesCosineQuery: decay(.99, .98, 5)}},
		{"scores that grow from nearly nothing", stability.Identical,
			curves{stability.SeriesScoreSD: ramp(.001, .03, 0, 40)}, curves{stability.SeriesScoreSD: ramp(.02, .03, 0, 40)}},
		{"a bump in a very even curve", stability.Spike,
			curves{stability.SeriesGradNorm: func(s int) float64 { return 1 + .001*float64(s%7) + from(101, from(100, 0, .5)(s), 0)(s) }},
			curves{stability.SeriesGradNorm: func(s int) float64 { return 1 + .001*float64(s%7) + from(101, from(100, 0, 1.5)(s), 0)(s) }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if accused(middling.with(c.excused), c.kind) {
				t.Error("accused")
			}
			if !accused(middling.with(c.accused), c.kind) {
				t.Error("its counterpart is not accused")
			}
		})
	}
}
