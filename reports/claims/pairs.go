package claims

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/internal/nouns"
	"headroom/reports/compare"
)

// outcome is the result of a claim for one pair of settings.
type outcome struct {
	pair *compare.Pair
	// verdict is OK before the correction for the number of claims.
	verdict Verdict
	why     string
}

// rank orders verdicts. The first of several verdicts in this order decides.
func rank(v Verdict) int { return slices.Index([]Verdict{Fail, OKish, OK, NotRun}, v) }

// differs judges a difference: better or equal. The claim holds if it holds in every
// pair of settings; the pair that holds least gives the figures.
func (j *judge) differs(c Claim, q compare.Question) (draft, error) {
	pairs, alone, err := j.comparison.Pairs(q)
	if err != nil {
		return draft{}, err
	}
	if len(pairs) == 0 {
		d := draft{Judgement: c.Judgement(NotRun, "no two settings of points and against agree in all other keys"), p: math.NaN()}
		d.why = strings.Join(alone, "; ")
		return d, nil
	}
	var outcomes []outcome
	var texts []string
	for _, p := range pairs {
		o := c.outcome(p)
		outcomes = append(outcomes, o)
		texts = append(texts, pairText(p))
	}
	slices.SortStableFunc(outcomes, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(rank(a.verdict), rank(b.verdict)), -cmp.Compare(c.doubt(a.pair), c.doubt(b.pair)))
	})
	first := outcomes[0]
	last := outcomes[len(outcomes)-1]
	if first.verdict == OK && last.verdict == NotRun {
		first.verdict, first.why = OKish, "it holds where it was measured, and not every pair of settings was"
	} else if len(pairs) > 1 && first.verdict != NotRun {
		first.why = reasons(outcomes)
	}
	d := draft{Judgement: c.Judgement(first.verdict, "%s", first.why), p: math.NaN(), why: strings.Join(texts, "; ")}
	if len(alone) > 0 {
		d.why += "; compared with nothing: " + strings.Join(alone, "; ")
	}
	p := first.pair
	if math.IsNaN(p.Mean) {
		return d, nil
	}
	d.Observed, d.Queries, d.Seeds = Figures{p.Mean}, p.Queries, min(p.SeedsA, p.SeedsB)
	if !math.IsNaN(p.Interval.Low) {
		d.Interval = &[2]float64{p.Interval.Low, p.Interval.High}
	}
	if c.Kind == Better && p.Claims() {
		d.p = p.P
	}
	return d, nil
}

// reasons returns why outcomes have the verdict of the first one, each reason with the number of its pairs.
func reasons(outcomes []outcome) string {
	var whys []string
	pairs := map[string]int{}
	for _, o := range outcomes {
		if o.verdict != outcomes[0].verdict {
			continue
		}
		if pairs[o.why]++; pairs[o.why] == 1 {
			whys = append(whys, o.why)
		}
	}
	for i, why := range whys {
		whys[i] = fmt.Sprintf("%s (%d of %d pairs)", why, pairs[why], len(outcomes))
	}
	return strings.Join(whys, "; ")
}

// doubt is a number that is greater for a pair that supports the claim less.
func (c Claim) doubt(p *compare.Pair) float64 {
	switch {
	case math.IsNaN(p.Mean):
		return math.Inf(1)
	case c.Kind == Equal:
		return max(math.Abs(p.Mean), math.Abs(p.Interval.Low), math.Abs(p.Interval.High))
	}
	return p.P
}

// outcome judges one pair.
func (c Claim) outcome(p *compare.Pair) outcome {
	o := func(v Verdict, format string, args ...any) outcome {
		return outcome{pair: p, verdict: v, why: fmt.Sprintf(format, args...)}
	}
	gone := func(a compare.Collapses) bool { return a.N > 0 && a.N == a.Of }
	switch {
	case !math.IsNaN(p.Mean):
	case gone(p.CollapsedA):
		return o(Fail, "every run of points collapsed")
	case gone(p.CollapsedB) && c.Kind == Better && p.CollapsedA.Of > 0:
		return o(OKish, "every run of against collapsed, which leaves no difference to test")
	case gone(p.CollapsedB):
		return o(Fail, "every run of against collapsed")
	default:
		return o(NotRun, "nothing to compare")
	}
	if c.Kind == Equal {
		return c.equal(p, o)
	}
	switch {
	case !(p.Mean > 0):
		return o(Fail, "points are not above against")
	case share(p.CollapsedA) > share(p.CollapsedB):
		return o(OKish, "above, and more runs of points collapsed than of against")
	case !p.Testable():
		return o(OKish, "above; too few queries differ for a test")
	case !p.Claims():
		return o(OKish, "above; one seed shows nothing about settings")
	case !(p.Interval.Low > 0):
		return o(OKish, "above; the interval holds 0")
	}
	return o(OK, "above")
}

func (c Claim) equal(p *compare.Pair, o func(Verdict, string, ...any) outcome) outcome {
	switch {
	case c.beyond(p.Mean):
		return o(Fail, "further apart than %g", c.Tolerance)
	case share(p.CollapsedA) != share(p.CollapsedB):
		return o(OKish, "within %g, and not as many runs of both collapsed", c.Tolerance)
	case p.Differ == 0 && p.Queries > 0 && min(p.SeedsA, p.SeedsB) > 1:
		return o(OK, "no query differs")
	case !p.Testable():
		return o(OKish, "within %g; too few queries differ for an interval", c.Tolerance)
	case !p.Claims():
		return o(OKish, "within %g; one seed shows nothing about settings", c.Tolerance)
	case c.beyond(p.Interval.Low) || c.beyond(p.Interval.High):
		return o(OKish, "within %g; the interval reaches further", c.Tolerance)
	}
	return o(OK, "the interval lies within %g", c.Tolerance)
}

// beyond reports whether a figure is further from 0 than the tolerance. Published numbers have
// few decimals, so a difference that equals the tolerance up to rounding is within it.
func (c Claim) beyond(x float64) bool { return math.Abs(x) > c.Tolerance+1e-9 }

func share(c compare.Collapses) float64 {
	if c.Of == 0 {
		return 0
	}
	return float64(c.N) / float64(c.Of)
}

// pairText is a pair's evidence.
func pairText(p *compare.Pair) string {
	text := p.Why
	if !math.IsNaN(p.Mean) {
		text = fmt.Sprintf("%s %s against %s %s, difference %s", p.A, compare.Score(p.MeanA), p.B, compare.Score(p.MeanB), compare.Signed(p.Mean))
		facts := []string{fmt.Sprintf("%d and %s", p.SeedsA, nouns.Count(p.SeedsB, "seed")), fmt.Sprintf("%d queries", p.Queries)}
		if p.Testable() {
			facts = append([]string{fmt.Sprintf("95 %% interval %s to %s, p %s", compare.Signed(p.Interval.Low), compare.Signed(p.Interval.High), compare.PText(p.P))}, facts...)
		}
		text += " (" + strings.Join(facts, ", ") + ")"
		for _, arm := range []struct {
			name string
			compare.Collapses
		}{{p.A, p.CollapsedA}, {p.B, p.CollapsedB}} {
			if arm.N > 0 {
				text += fmt.Sprintf(", beside %d of %s of %s that collapsed", arm.N, nouns.Count(arm.Of, "run"), arm.name)
			}
		}
		if p.WayA != "" {
			text += fmt.Sprintf(", at this cost by %s and %s", p.WayA, p.WayB)
		}
	}
	if p.Where != "" {
		text = p.Where + ": " + text
	}
	return text + unfinishedRuns(p.Open)
}
