package stability_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

func TestOnlineIsOfflineAndResumedIsUndisturbed(t *testing.T) {
	for _, c := range scenarios() {
		t.Run(c.name, func(t *testing.T) {
			run := c.curves.run(steps, .1, 3)
			want := stability.Judge(run, stability.Defaults())
			online := stability.NewMonitor(run.Facts, run.Steps, stability.Defaults())
			var told []event.Episode
			for s := range steps {
				told = append(told, online.Observe(s, at(run, s))...)
			}
			if got := online.Result(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("online %v\noffline %v", got, want)
			}
			checkNews(t, told, want.Episodes)

			for cut := 1; cut < steps; cut += 7 {
				before, after := split(run, cut)
				m := stability.NewMonitor(run.Facts, run.Steps, stability.Defaults())
				news := slices.Concat(m.Replay(before), m.Replay(after))
				if got := m.Result(); fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(news) != fmt.Sprint(told) {
					t.Fatalf("resumed at %d: %v\nundisturbed: %v", cut, got, want)
				}
			}
		})
	}
}

// checkNews: what Observe said is each episode's opening and, if it passed, its end.
func checkNews(t *testing.T, told, episodes []event.Episode) {
	t.Helper()
	type name struct {
		detector, series string
		first            int
	}
	state := map[name]event.Episode{}
	for _, e := range told {
		key := name{e.Detector, e.Evidence.Series, e.FirstStep}
		old, seen := state[key]
		if seen == e.Stands || (seen && !old.Stands) {
			t.Errorf("episode %+v told out of order", e)
		}
		state[key] = e
	}
	if len(state) != len(episodes) {
		t.Errorf("%d episodes told, %d found", len(state), len(episodes))
	}
	for _, e := range episodes {
		last, ok := state[name{e.Detector, e.Evidence.Series, e.FirstStep}]
		if !ok || last.Stands != e.Stands || (!e.Stands && !reflect.DeepEqual(last, e)) {
			t.Errorf("episode %+v, last told as %+v", e, last)
		}
	}
}

func split(run stability.Run, cut int) (before, after map[string]stability.Series) {
	before, after = map[string]stability.Series{}, map[string]stability.Series{}
	for name, s := range run.Series {
		i, _ := slices.BinarySearch(s.Steps, cut)
		before[name] = stability.Series{Steps: s.Steps[:i], Values: s.Values[:i]}
		after[name] = stability.Series{Steps: s.Steps[i:], Values: s.Values[i:]}
	}
	return before, after
}

// Short runs: what learns or has only begun is not accused, what is beyond doubt is.
func TestShortRunsAreJudgedSensibly(t *testing.T) {
	untrained := healthy(52).with(curves{stability.SeriesContrastive: decay(52, 40, 50), stability.SeriesAccuracy: flat(1. / candidates),
		stability.SeriesCosineQuery: flat(.96), stability.SeriesCosineDocument: flat(.98)})
	quick := func(tau float64) curves {
		return healthy(7).with(curves{stability.SeriesContrastive: decay(7, .4, tau), stability.SeriesAccuracy: decay(0, .9, tau),
			stability.SeriesCosineQuery: decay(.85, .1, tau), stability.SeriesCosineDocument: decay(.94, .2, tau)})
	}
	empties := healthy(7).with(curves{stability.SeriesEmptyQuery: from(4, 0, 1)})
	bad := healthy(7).with(curves{stability.SeriesGradNorm: from(2, 3, math.NaN())})
	parallel := healthy(7).with(curves{stability.SeriesCosineQuery: from(8, .8, .99), stability.SeriesAccuracy: flat(0), stability.SeriesContrastive: flat(lnB)})
	chance := healthy(7).with(curves{stability.SeriesAccuracy: flat(1. / candidates), stability.SeriesContrastive: flat(lnB)})
	for _, c := range []struct {
		name   string
		total  int
		curves curves
		want   string
	}{
		{"one step", 1, untrained, stability.Healthy},
		{"10 steps, hardly begun", 10, untrained, stability.Healthy},
		{"29 steps, hardly begun", 29, untrained, stability.Healthy},
		{"30 steps, learns", 30, quick(4), stability.Healthy},
		{"60 steps, learns", 60, quick(8), stability.Healthy},
		{"10 steps, empty from 4", 10, empties, stability.Empty},
		{"10 steps, NaN from 2", 10, bad, stability.NonFinite},
		{"30 steps, parallel from 8", 30, parallel, stability.Identical},
		{"60 steps, parallel from 8", 60, parallel, stability.Identical},
		{"30 steps at chance", 30, chance, stability.Stalled},
		{"40 steps at chance", 40, chance, stability.Stalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				got := stability.Judge(c.curves.run(c.total, .05, seed), stability.Defaults())
				if got.Verdict != c.want {
					t.Errorf("seed %d: %s, want %s: %v", seed, got.Verdict, c.want, lines(got))
				}
			}
		})
	}
}

func TestARampAsLongAsTheRunLeavesSomethingToJudge(t *testing.T) {
	run := healthy(7).with(curves{stability.SeriesCosineQuery: flat(.99), stability.SeriesAccuracy: flat(0)}).run(steps, 0, 1)
	run.Facts.RampEnd = 10 * steps
	if got := stability.Judge(run, stability.Defaults()); got.Verdict != stability.Identical {
		t.Error(got.Verdict)
	}
}

func TestThresholdsAreUsed(t *testing.T) {
	run := healthy(7).with(curves{stability.SeriesEmptyQuery: flat(.2)}).run(steps, 0, 1)
	th := stability.Defaults()
	if got := stability.Judge(run, th).Verdict; got != stability.Empty {
		t.Fatal(got)
	}
	th.Empty.Share = .3
	if got := stability.Judge(run, th).Verdict; got != stability.Healthy {
		t.Error(got)
	}
}

// Whatever the values, episodes are well-formed and tell the same story on and off line.
func TestAnyValuesGiveWellFormedEpisodes(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	odd := []float64{0, 1, -1, 1e-300, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), .5, lnB}
	for range 300 {
		total := 1 + random.IntN(80)
		m := stability.NewMonitor(event.Facts{Batch: 4, Candidates: random.IntN(5), Vocab: random.IntN(50), RampEnd: random.IntN(90), Loss: "infonce"},
			total*random.IntN(2), stability.Defaults())
		var told []event.Episode
		for s := range total {
			values := map[string]float64{}
			for name := range healthy(1) {
				if random.IntN(4) > 0 {
					values[name] = odd[random.IntN(len(odd))]
				}
			}
			told = append(told, m.Observe(s, values)...)
		}
		result := m.Result()
		checkNews(t, withoutNaN(told), withoutNaN(result.Episodes))
		for _, e := range result.Episodes {
			if e.FirstStep > e.LastStep || e.FirstStep < 0 || e.LastStep >= total || len(e.Evidence.Observed) == 0 {
				t.Fatalf("episode %+v of %d steps", e, total)
			}
		}
		if !slices.Contains(append(stability.Collapses(), stability.Healthy), result.Verdict) {
			t.Fatalf("verdict %q", result.Verdict)
		}
	}
}

// withoutNaN makes episodes comparable.
func withoutNaN(list []event.Episode) []event.Episode {
	list = slices.Clone(list)
	for i := range list {
		list[i].Evidence.Observed = nil
	}
	return list
}

func BenchmarkObserve(b *testing.B) {
	run := healthy(7).run(steps, .1, 1)
	values := make([]map[string]float64, steps)
	for s := range values {
		values[s] = at(run, s)
	}
	m := stability.NewMonitor(run.Facts, 1<<30, stability.Defaults())
	i := 0
	for b.Loop() {
		m.Observe(i, values[i%steps])
		i++
	}
}
