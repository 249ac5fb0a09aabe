package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/nouns"
	"headroom/metrics/stats"
)

// limits lists what the sweep cannot show, as far as its own data tell.
func (c *Comparison) limits() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	var finished []*Run
	for _, r := range c.Runs {
		if r.Finished() {
			finished = append(finished, r)
		}
	}
	if len(finished) == 0 {
		return []string{"No run has finished: nothing is shown yet."}
	}
	if steps := values(finished, "train.steps"); len(steps) == 1 {
		add("One training budget of %s steps: whether longer training narrows or widens the differences was not measured.", steps[0])
	}
	c.warnSelection(add)
	tested := 0
	for _, r := range finished {
		tested = max(tested, r.DevTested)
	}
	if tested > 0 {
		add("%d of the dev queries that runs were watched on during training are test queries: steps and k that were chosen by them were chosen on test data.", tested)
	}
	if low, high := c.seeds(); high > 0 && low < 5 {
		n := strconv.Itoa(low)
		if low != high {
			n += " to " + strconv.Itoa(high)
		}
		noun := "seeds"
		if low == 1 && high == 1 {
			noun = "seed"
		}
		add("%s %s per point: their spread is hardly known, and intervals are wide for that.", n, noun)
	}
	if power, ok := c.Power(); ok {
		out = append(out, power.Sentence())
	}
	c.warnInflatedHeads(add)
	c.warnEdges(add)
	if fixed := fixedKeys(finished); fixed != "" {
		add("Only one setting of %s: whether another would serve k = 1 as well was not measured.", fixed)
	}
	if targets := values(finished, "model.target"); len(targets) == 1 && targets[0] != "" {
		others := map[string]string{
			"decoder":      `the decoder's weights are divided; dividing bias or logits ("decoder+bias", "logits") was not measured`,
			"decoder+bias": `the decoder's weights and bias are divided; "decoder" and "logits" were not measured`,
			"logits":       `the logits are divided in the graph; dividing the weights ("decoder", "decoder+bias") was not measured`,
		}
		if text := others[targets[0]]; text != "" {
			add("One place of division: %s.", text)
		}
	}
	c.warnEqualNorms(add)
	for _, dataset := range c.Datasets {
		digests := map[string]bool{}
		for _, r := range finished {
			if e := r.Evaluation(dataset, ""); e != nil {
				digests[e.QrelsDigest] = true
			}
		}
		if len(digests) > 1 {
			add("On %s the runs were judged by %d different qrels: differences between them may come from that.", dataset, len(digests))
		}
	}
	c.unmeasured(finished, add)
	for _, dataset := range slices.Sorted(maps.Keys(c.Aside)) {
		add("Not compared: %s, which the sweep does not ask for and on which only %d of %d finished runs were measured.", dataset, c.Aside[dataset], len(finished))
	}
	c.warnOneLambda(add)
	c.warnDense(add)
	var generated []string
	for _, dataset := range c.Datasets {
		if strings.HasPrefix(dataset, "builtin:") {
			generated = append(generated, dataset)
		}
	}
	if len(generated) > 0 {
		add("%s: a generated world of templated texts, built so that queries and documents often use different words; it is no sample of real text.", list(generated))
	}
	if n := len(c.Open); n > 0 {
		add("%s did not finish and %s not counted.", nouns.Count(n, "run"), isOrAre(n))
	}
	return out
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func (c *Comparison) warnSelection(add func(string, ...any)) {
	for _, line := range c.Lines {
		if line.Best != nil && line.SelectedOn != "dev" {
			add("The best k was chosen on the %s queries that it is then reported on (no dev evaluation is stored for every run), which favours it; differences of neighbouring k mean little.", line.SelectedOn)
			return
		}
	}
}

// seeds is the least and the greatest number of finished seeds of a point.
func (c *Comparison) seeds() (low, high int) {
	low = math.MaxInt
	for _, line := range c.Lines {
		for _, p := range line.Points {
			if n := len(p.Runs); n > 0 {
				low, high = min(low, n), max(high, n)
			}
		}
	}
	return low, high
}

// warnInflatedHeads warns if collapse was only seen at heads inflated on purpose.
func (c *Comparison) warnInflatedHeads(add func(string, ...any)) {
	inflated, other := 0, 0
	greatest := 0.0
	for _, line := range c.Lines {
		for _, p := range line.Points {
			if n := len(p.Collapsed()); n > 0 && p.K < 1 {
				inflated += n
				greatest = max(greatest, p.K)
			} else {
				other += n
			}
		}
	}
	if inflated > 0 && other == 0 {
		add("Every collapse stands at k ≤ %s, a head inflated on purpose: a natural head that collapses was not seen.", KText(greatest))
	}
}

func (c *Comparison) warnEdges(add func(string, ...any)) {
	var names []string
	for _, line := range c.Lines {
		if n := len(line.Points); n > 1 && line.Best == line.Points[n-1] {
			names = append(names, fmt.Sprintf("%s (k = %s)", line.Name(), line.Best.Text))
		}
	}
	if len(names) > 0 {
		add("The best k is the largest of the grid for %s: the optimum may lie beyond.", list(names))
	}
}

// fixedKeys names the hyperparameters that all runs share.
func fixedKeys(runs []*Run) string {
	var words []string
	for _, key := range []struct{ key, name string }{
		{"train.lr", "learning rate"}, {"train.batch", "batch"},
		{"regularizer.lambda_query", "λ_q"}, {"regularizer.lambda_document", "λ_d"},
	} {
		if v := values(runs, key.key); len(v) == 1 && v[0] != "" {
			words = append(words, fmt.Sprintf("%s (%s)", key.name, v[0]))
		}
	}
	return list(words)
}

// values lists the different values of a key, in order.
func values(runs []*Run, key string) []string {
	seen := map[string]bool{}
	for _, r := range runs {
		seen[r.Setting(key)] = true
	}
	out := make([]string, 0, len(seen))
	for v := range seen {
		out = append(out, v)
	}
	slices.SortFunc(out, CompareValues)
	return out
}

// warnEqualNorms warns if the backbones' heads have about the same size: then the sweep
// shows nothing about backbones with larger heads.
func (c *Comparison) warnEqualNorms(add func(string, ...any)) {
	if words, differ := c.heads(); len(words) > 1 && !differ {
		add("The backbones' heads are of nearly one size as loaded (mean row norm: %s): the sweep says nothing about backbones that differ in it.", list(words))
	}
}

// HeadsDiffer reports whether the backbones' heads as loaded are of different sizes.
func (c *Comparison) HeadsDiffer() bool {
	_, differ := c.heads()
	return differ
}

// heads lists each backbone with the mean row norm of its head as loaded.
func (c *Comparison) heads() (words []string, differ bool) {
	low, high := math.Inf(1), 0.0
	seen := map[string]bool{}
	for _, line := range c.Lines {
		mean := line.LoadedNorm().Mean
		if seen[line.Backbone] || math.IsNaN(mean) {
			continue
		}
		seen[line.Backbone] = true
		low, high = min(low, mean), max(high, mean)
		words = append(words, fmt.Sprintf("%s %.3f", line.Title, mean))
	}
	return words, len(words) > 1 && high >= 1.2*low
}

// warnOneLambda warns if costs were reached only by cutting documents.
func (c *Comparison) warnOneLambda(add func(string, ...any)) {
	compared := slices.ContainsFunc(c.Matched, func(m *Matched) bool { return m.Why == "" })
	if compared && !slices.ContainsFunc(c.Lines, func(l *Line) bool {
		return slices.ContainsFunc(l.Variant, func(s Setting) bool { return isCost(s.Key) })
	}) {
		add("One λ per backbone: equal cost was reached by cutting documents to their greatest weights, queries as they are. Models trained with a larger λ may do better at the same cost.")
	}
}

// warnDense warns if the best vectors are not sparse.
func (c *Comparison) warnDense(add func(string, ...any)) {
	var words []string
	for _, line := range c.Lines {
		if line.Best == nil {
			continue
		}
		q, d := line.Best.Active(c.Datasets[0], true).All.Mean, line.Best.Active(c.Datasets[0], false).All.Mean
		if d > 250 || q > 100 {
			words = append(words, fmt.Sprintf("%s %s/%s", line.Name(), Quantity(q), Quantity(d)))
		}
	}
	if len(words) > 0 {
		add("The best points as trained are not sparse (active dims query/document: %s): what they gain may be their greater cost.", list(words))
	}
}

// LoadedNorm is the head as it was loaded, before the division by k, NaN if
// no run of the line recorded norms. A recorded state before step 0 counts
// first. Otherwise it is step 0 times k, which is exact if weights are
// divided; logits divided in the graph leave the weights as they are.
func (l *Line) LoadedNorm() HeadNorm {
	for _, p := range l.Points {
		for _, r := range p.Runs {
			for _, n := range r.HeadNorms {
				if n.Step < 0 {
					return n
				}
			}
		}
	}
	for _, p := range l.Points {
		for _, r := range p.Runs {
			n, ok := r.InitialNorm()
			if !ok {
				continue
			}
			factor := r.Rescale
			if r.Setting("model.target") == "logits" {
				factor = 1
			}
			if !(factor > 0) {
				continue
			}
			return HeadNorm{Step: -1, Mean: n.Mean * factor, P05: n.P05 * factor, P50: n.P50 * factor, P95: n.P95 * factor, Max: n.Max * factor}
		}
	}
	nan := math.NaN()
	return HeadNorm{Mean: nan, P05: nan, P50: nan, P95: nan, Max: nan}
}

// InitialNorm is the head after the division by k, before the first update.
func (r *Run) InitialNorm() (HeadNorm, bool) {
	for _, n := range r.HeadNorms {
		if n.Step == 0 {
			return n, true
		}
	}
	return HeadNorm{}, false
}

// Norm aggregates the head's mean row norm after the division by k.
func (p *Point) Norm() stats.Sample {
	return p.Over(func(r *Run) float64 {
		if n, ok := r.InitialNorm(); ok {
			return n.Mean
		}
		return math.NaN()
	}).All
}
