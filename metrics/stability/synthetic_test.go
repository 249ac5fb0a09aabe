package stability_test

import (
	"math"
	"math/rand/v2"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// curves are the series of an imagined run as functions of the step. Their shapes
// and numbers are those that a prototype measured on real runs: 150 steps, 32
// candidates (ln 32 = 3.47), 1,275 terms, λ ramp over 50 steps.
type curves map[string]func(step int) float64

const (
	steps      = 150
	candidates = 32
	rampEnd    = 50
	vocab      = 1275
)

var lnB = math.Log(candidates)

func facts() event.Facts {
	return event.Facts{Batch: candidates, Candidates: candidates, Vocab: vocab, RampEnd: rampEnd, Loss: "infonce"}
}

// decay runs from a to b with the given time constant.
func decay(a, b, tau float64) func(int) float64 {
	return func(s int) float64 { return b + (a-b)*math.Exp(-float64(s)/tau) }
}

// ramp is a up to step lo, b from step hi, straight between them.
func ramp(a, b float64, lo, hi int) func(int) float64 {
	return func(s int) float64 {
		x := min(1, max(0, float64(s-lo)/float64(hi-lo)))
		return a + (b-a)*x
	}
}

// from is a before the step and b from it on.
func from(step int, a, b float64) func(int) float64 {
	return func(s int) float64 {
		if s < step {
			return a
		}
		return b
	}
}

func flat(v float64) func(int) float64 { return func(int) float64 { return v } }

// healthy is a run that learns, with the first InfoNCE that its k gives it.
func healthy(infonce float64) curves {
	return curves{
		stability.SeriesContrastive:    decay(infonce, .35, 15),
		stability.SeriesGradNorm:       decay(30*infonce, 3, 12),
		stability.SeriesAccuracy:       decay(.05, .94, 15),
		stability.SeriesScoreSD:        decay(2+infonce/4, 4, 20),
		stability.SeriesCosineQuery:    decay(.85, .14, 10),
		stability.SeriesCosineDocument: decay(.94, .27, 15),
		stability.SeriesEmptyQuery:     flat(0),
		stability.SeriesEmptyDocument:  flat(0),
	}
}

// with replaces some curves.
func (c curves) with(other curves) curves {
	all := curves{}
	for name, f := range c {
		all[name] = f
	}
	for name, f := range other {
		all[name] = f
	}
	return all
}

// run samples the curves with noise of the given relative size.
func (c curves) run(total int, noise float64, seed uint64) stability.Run {
	random := rand.New(rand.NewPCG(seed, 1))
	run := stability.Run{Facts: facts(), Steps: total, Series: map[string]stability.Series{}}
	run.Facts.RampEnd = min(rampEnd, max(1, total/3))
	for s := range total {
		for _, name := range []string{stability.SeriesContrastive, stability.SeriesGradNorm, stability.SeriesAccuracy,
			stability.SeriesScoreSD, stability.SeriesCosineQuery, stability.SeriesCosineDocument,
			stability.SeriesEmptyQuery, stability.SeriesEmptyDocument} {
			f := c[name]
			if f == nil {
				continue
			}
			v := f(s) * math.Exp(noise*random.NormFloat64())
			switch name {
			case stability.SeriesCosineQuery, stability.SeriesCosineDocument:
				// Noise of the angle: vectors that are nearly one keep being so.
				v = 1 - (1-f(s))*math.Exp(noise*random.NormFloat64())
			case stability.SeriesAccuracy:
				v = min(1, math.Round(v*candidates)/candidates)
			}
			put(run, name, s, v)
			if name == stability.SeriesContrastive {
				put(run, stability.SeriesLoss, s, v+.1*min(1, float64(s*s)/2500))
			}
		}
	}
	return run
}

func put(run stability.Run, name string, step int, v float64) {
	series := run.Series[name]
	series.Steps = append(series.Steps, step)
	series.Values = append(series.Values, v)
	run.Series[name] = series
}

// at is what a run's series hold at a step.
func at(run stability.Run, step int) map[string]float64 {
	values := map[string]float64{}
	for name, s := range run.Series {
		for i := range s.Steps {
			if s.Steps[i] == step {
				values[name] = s.Values[i]
			}
		}
	}
	return values
}
