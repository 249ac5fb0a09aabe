package compare

import (
	"fmt"
	"math"

	"headroom/internal/nouns"
)

// Chance is the power at which a difference counts as one that a sweep can show.
const Chance = 0.8

// Power describes what a sweep can show: the smallest true difference that its test finds with
// the probability Chance, given the noise in its own comparisons.
type Power struct {
	Measure, Dataset string
	Seeds            int // per point, the least that was compared
	Queries          int
	// Tests is the number of tests in Holm's correction.
	Tests int
	// Shown is with Seeds, More with more.
	Shown Shown
	More  []Shown
}

// Shown is a number of seeds per point, with the least difference that it would show, in the
// least noisy comparison and in the noisiest.
type Shown struct {
	Seeds    int     `json:"seeds"`
	Quietest float64 `json:"quietest"`
	Noisiest float64 `json:"noisiest"`
}

func (s Shown) String() string {
	if Score(s.Quietest) == Score(s.Noisiest) {
		return Score(s.Noisiest)
	}
	return Score(s.Quietest) + " to " + Score(s.Noisiest)
}

// Power is computed from the contrasts that answer the sweep's question: those at equal cost or,
// if there are none, the best k against k = 1. ok is false if none was tested with two
// seeds or more, because then the noise is not known.
func (c *Comparison) Power() (power Power, ok bool) {
	var asked []*Contrast
	for _, m := range c.Matched {
		if m.Answers && m.Claims() {
			asked = append(asked, &m.Contrast)
		}
	}
	if len(asked) == 0 {
		for _, made := range c.Contrasts {
			if made.Kind.family() == factors && made.Dataset == c.Datasets[0] && made.Claims() {
				asked = append(asked, made)
			}
		}
	}
	if len(asked) == 0 {
		return Power{}, false
	}
	power = Power{Measure: c.Measure, Dataset: asked[0].Dataset, Seeds: math.MaxInt, Queries: math.MaxInt, Tests: len(asked)}
	for _, a := range asked {
		power.Seeds = min(power.Seeds, a.SeedsA, a.SeedsB)
		power.Queries = min(power.Queries, a.Queries)
	}
	with := func(seeds int) Shown {
		s := Shown{Seeds: seeds, Quietest: math.Inf(1)}
		for _, a := range asked {
			// The first step of Holm's correction, which the most significant test must pass.
			v := a.Noise.Least(power.Queries, seeds, 1-(1-Level)/float64(power.Tests), Chance)
			s.Quietest, s.Noisiest = math.Min(s.Quietest, v), math.Max(s.Noisiest, v)
		}
		return s
	}
	power.Shown = with(power.Seeds)
	for _, n := range []int{2, 3, 5, 10} {
		if n > power.Seeds {
			power.More = append(power.More, with(n))
		}
	}
	return power, !math.IsNaN(power.Shown.Noisiest)
}

// Sentence describes the differences that the sweep can show, now and with more seeds.
func (p Power) Sentence() string {
	text := fmt.Sprintf("With %s per point and %s on %s a true difference in %s of %s%s is shown in %.0f of 100 such sweeps, a smaller one more rarely (%s, by the noise that was seen).",
		nouns.Count(p.Seeds, "seed"), nouns.CountOf(p.Queries, "query", "queries"), p.Dataset, p.Measure, p.Shown, p.whyTwoFigures(), 100*Chance, holmOver(p.Tests))
	var more []string
	for _, s := range p.More {
		more = append(more, fmt.Sprintf("%s with %d", s, s.Seeds))
	}
	if len(more) > 0 {
		text += " With more seeds it would be " + list(more) + "."
	}
	return text
}

// whyTwoFigures explains why there are two figures; "" if there is one.
func (p Power) whyTwoFigures() string {
	if Score(p.Shown.Quietest) == Score(p.Shown.Noisiest) {
		return ""
	}
	return ", the quietest and the noisiest comparison,"
}

func holmOver(tests int) string {
	if tests == 1 {
		return "one test"
	}
	return fmt.Sprintf("after Holm over %d tests", tests)
}
