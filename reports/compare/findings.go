package compare

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"headroom/internal/nouns"
)

// collapses lists the number of collapsed seeds at each k, and the kinds; it is empty if none collapsed.
func (l *Line) collapses() []string {
	var all, some []string
	for _, p := range l.Points {
		bad := p.Collapsed()
		if len(bad) == 0 {
			continue
		}
		name := "k = " + p.Text
		if p.K == 1 {
			name += ", the natural head"
		}
		if len(bad) == len(p.Runs) {
			all = append(all, fmt.Sprintf("%s (%s)", name, kinds(bad)))
		} else {
			some = append(some, fmt.Sprintf("%s (%d of %s collapsed: %s)", name, len(bad), nouns.Count(len(p.Runs), "seed"), kinds(bad)))
		}
	}
	var out []string
	if len(all) > 0 {
		out = append(out, fmt.Sprintf("%s: every seed collapsed at %s.", l.conditions(), list(all)))
	}
	if len(some) > 0 {
		out = append(out, fmt.Sprintf("%s: seeds disagree at %s.", l.conditions(), list(some)))
	}
	return out
}

// kinds lists verdicts with their numbers: identical × 2, empty × 1.
func kinds(runs []*Run) string {
	n := map[string]int{}
	for _, r := range runs {
		n[r.Verdict]++
	}
	var words []string
	for kind := range n {
		words = append(words, kind)
	}
	sort.Strings(words)
	for i, kind := range words {
		words[i] = fmt.Sprintf("%s × %d", kind, n[kind])
	}
	return strings.Join(words, ", ")
}

// natural describes the outcome of the unscaled head, k = 1.
func (c *Comparison) natural(line *Line) []string {
	p := line.At(1)
	if p == nil || len(p.Runs) == 0 || line.Best == nil {
		return nil // not in the sweep, or without a finding
	}
	if len(p.Collapsed()) > 0 || slices.ContainsFunc(p.Runs, func(r *Run) bool { return r.Verdict == "" }) {
		return nil // among the collapses, or not judged
	}
	text := line.Name() + ": no seed collapsed at k = 1"
	if !line.overCost() { // else the name has it
		text += p.lambdas()
	}
	if line.Best == p {
		if len(line.Points) == 1 {
			return []string{text + "; the sweep has no other k to compare with."}
		}
		return []string{text + ", and no other k of the sweep has a greater mean."}
	}
	switch gain := c.Contrast(BestNatural, line, c.Datasets[0]); {
	case gain != nil && gain.Verdict() == Above:
		return []string{text + ": the natural head is worse than k = " + line.Best.Text + " there without collapsing."}
	default:
		return []string{text + fmt.Sprintf(", and there is no evidence (~) that k = %s does better.", line.Best.Text)}
	}
}

// lambdas names a point's regularization, on which collapse depends, in brackets: " (λ = 0.01)".
func (p *Point) lambdas() string {
	if words := regularization(p.Runs, "λ = %s", "λ_q = %s, λ_d = %s"); words != "" {
		return " (" + words + ")"
	}
	return ""
}

// regularization writes the λ of runs by one of two layouts; "" if the runs differ in it.
func regularization(runs []*Run, one, two string) string {
	query, document := values(runs, lambdaQuery), values(runs, lambdaDocument)
	switch {
	case len(query) != 1 || len(document) != 1 || query[0] == "":
		return ""
	case query[0] == document[0]:
		return fmt.Sprintf(one, query[0])
	}
	return fmt.Sprintf(two, query[0], document[0])
}

// rise describes the gain of the best k over k = 1, and which of them collapsed.
func (c *Comparison) rise(line *Line, dataset string) []string {
	gain := c.Contrast(BestNatural, line, dataset)
	if gain == nil {
		return nil
	}
	start := fmt.Sprintf("%s on %s: from k = 1 to k = %s", line.Name(), dataset, line.Best.Text)
	if gone := gain.collapses(); gone != "" {
		start = fmt.Sprintf("%s on %s: %s", line.Name(), dataset, gone)
		if math.IsNaN(gain.Mean) {
			return []string{start + "."}
		}
		start += fmt.Sprintf("; of those that did not, from k = 1 to k = %s", line.Best.Text)
	}
	if math.IsNaN(gain.Mean) {
		return nil
	}
	start += fmt.Sprintf(" %s goes from %s to %s", c.Measure, Score(gain.MeanB), Score(gain.MeanA))
	switch gain.Verdict() {
	case NoEvidence:
		return []string{fmt.Sprintf("%s, no evidence of a difference (~, %s).", start, gain.evidence())}
	case Below:
		return []string{fmt.Sprintf("%s: here the k chosen on %s is worse than k = 1 (%s).", start, c.Datasets[0], gain.evidence())}
	default:
		return []string{fmt.Sprintf("%s (%s).", start, gain.evidence())}
	}
}

// collapses is "k=1 collapsed in 3 of 3 runs, k=4 in 0 of 3", "" if nothing collapsed.
func (c *Contrast) collapses() string {
	if c.CollapsedA.N+c.CollapsedB.N == 0 {
		return ""
	}
	return fmt.Sprintf("%s collapsed in %d of %s, %s in %d of %d", c.B, c.CollapsedB.N, nouns.Count(c.CollapsedB.Of, "run"), c.A, c.CollapsedA.N, c.CollapsedA.Of)
}

// evidence is "+0.195, 95 % interval +0.150 to +0.240, Holm p .001, 3 and 3 seeds, 700
// queries", or the reason why there is none.
func (c *Contrast) evidence() string {
	text := c.interval()
	if c.Claims() {
		text += ", Holm p " + PText(c.Adjusted)
	}
	seeds := strconv.Itoa(c.SeedsA)
	if c.SeedsB > 0 {
		seeds += " and " + strconv.Itoa(c.SeedsB)
	}
	text += fmt.Sprintf(", %s seeds, %s", seeds, nouns.CountOf(c.Queries, "query", "queries"))
	switch {
	case !c.Testable():
		text += ": too few queries differ"
	case !c.Claims():
		text += ": one seed speaks of these models only"
	}
	return text
}

// interval is "+0.195, 95 % interval +0.150 to +0.240".
func (c *Contrast) interval() string {
	if math.IsNaN(c.Interval.Low) {
		return Signed(c.Mean) + ", no interval"
	}
	return fmt.Sprintf("%s, %.3g %% interval %s to %s", Signed(c.Mean), 100*c.Interval.Level, Signed(c.Interval.Low), Signed(c.Interval.High))
}

// compareBaselines compares with BM25 and with the untrained model, at the best k and at k = 1.
func (c *Comparison) compareBaselines(line *Line, dataset string) []string {
	var out []string
	for _, kind := range []Kind{BestBM25, BestUntrained, NaturalBM25} {
		d := c.Contrast(kind, line, dataset)
		if d == nil {
			continue
		}
		point := line.Best
		if kind == NaturalBM25 {
			point = line.At(1)
		}
		if math.IsNaN(d.Mean) {
			continue // collapsed, which another finding says
		}
		other := d.B
		if kind == BestUntrained {
			other = "its own untrained model"
		}
		what := map[Verdict]string{Above: "is above", Below: "is below", NoEvidence: "shows no evidence of a difference (~) from"}[d.Verdict()]
		out = append(out, fmt.Sprintf("%s on %s: k = %s at %s %s %s at %s (%s).",
			line.Name(), dataset, point.Text, Score(d.MeanA), what, other, Score(d.MeanB), d.evidence()))
	}
	return out
}

// degradedRuns names the healthy points that are below BM25. "degraded" is not a verdict but
// the result of this comparison.
func (c *Comparison) degradedRuns() []string {
	var out []string
	for _, d := range c.Contrasts {
		if d.Kind == HealthyBM25 && d.Verdict() == Below {
			out = append(out, fmt.Sprintf("%s on %s: healthy by verdict (%s) and yet below BM25 (%s).", d.A, d.Dataset, nouns.Count(d.SeedsA, "seed"), d.interval()))
		}
	}
	return out
}

// compareLines compares the lines with each other, each at its own best k.
func (c *Comparison) compareLines(dataset string) []string {
	var out, equal []string
	for _, d := range c.Contrasts {
		if d.Kind != BetweenLines || d.Dataset != dataset {
			continue
		}
		if math.IsNaN(d.Mean) {
			continue
		}
		if d.Verdict() == NoEvidence {
			equal = append(equal, fmt.Sprintf("%s and %s (%s)", d.A, d.B, d.interval()))
			continue
		}
		what := map[Verdict]string{Above: "is above", Below: "is below"}[d.Verdict()]
		text := fmt.Sprintf("On %s %s %s %s (%s)", dataset, d.A, what, d.B, d.evidence())
		out = append(out, text+".")
	}
	if n := len(equal); n > 3 {
		out = append(out, fmt.Sprintf("On %s there is no evidence of a difference (~) in %d pairs of backbones, each at its best k; the table has them.", dataset, n))
	} else if n > 0 {
		out = append(out, fmt.Sprintf("On %s there is no evidence of a difference (~) between %s.", dataset, list(equal)))
	}
	return out
}

// density reports whether the better point has more terms.
func (c *Comparison) density(line *Line) []string {
	natural := line.At(1)
	if natural == nil || line.Best == nil || natural == line.Best || len(natural.Healthy()) == 0 {
		return nil // nothing to compare with
	}
	dataset := c.Datasets[0]
	q0, q1 := natural.Active(dataset, true).All.Mean, line.Best.Active(dataset, true).All.Mean
	d0, d1 := natural.Active(dataset, false).All.Mean, line.Best.Active(dataset, false).All.Mean
	if math.IsNaN(q0+q1+d0+d1) || q0 == 0 || d0 == 0 {
		return nil
	}
	text := fmt.Sprintf("%s on %s: active dims go from %s (query) and %s (document) at k = 1 to %s and %s at k = %s",
		line.Name(), dataset, Quantity(q0), Quantity(d0), Quantity(q1), Quantity(d1), line.Best.Text)
	switch {
	case q1 > q0 && d1 > d0:
		text += ": the point with the greater mean is the denser one"
	case q1 < q0 && d1 < d0:
		text += ": the point with the greater mean is the sparser one"
	}
	return []string{text + "."}
}

// Active aggregates the active dims of queries or documents in evaluations.
func (p *Point) Active(dataset string, query bool) Aggregate {
	return p.Over(func(r *Run) float64 {
		e := r.Evaluation(dataset, "")
		switch {
		case e == nil:
			return math.NaN()
		case query:
			return e.ActiveQuery
		}
		return e.ActiveDocument
	})
}

// recoveredRuns lists the healthy runs that were collapsed for a while.
func (c *Comparison) recoveredRuns() []string {
	var labels []string
	for _, r := range c.Runs {
		if r.Recovered != "" && r.Finished() {
			labels = append(labels, fmt.Sprintf("%s (%s)", r.Label, r.Recovered))
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s showed a collapse that passed and ended healthy: %s.", nouns.Count(len(labels), "run"), list(labels))}
}
