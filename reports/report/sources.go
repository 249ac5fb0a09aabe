package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"headroom/reports/compare"
	"headroom/reports/html"
	"headroom/reports/table"
)

// withSources adds the sources of a cell's value. A cell without a value has none.
func withSources(cell table.Cell, keys ...string) table.Cell {
	if cell.N > 0 {
		cell.From = keys
	}
	return cell
}

// evaluationsOf returns the ids of a point's evaluations on a collection, by seed.
func evaluationsOf(p *compare.Point, dataset string) []string {
	var out []string
	for _, r := range p.Runs {
		if e := r.Evaluation(dataset, ""); e != nil {
			out = append(out, e.ID)
		}
	}
	return out
}

// runsOf returns the ids of a point's finished runs, by seed.
func runsOf(p *compare.Point) []string {
	var out []string
	for _, r := range p.Runs {
		out = append(out, r.ID)
	}
	return out
}

// anchor is the anchor of a run in a page.
func anchor(r *compare.Run) string { return "run-" + r.ID }

// sources returns the runs and evaluations of a comparison by their ids.
func sources(c *compare.Comparison) []html.Source {
	var out []html.Source
	varying := c.Varying()
	for _, r := range c.Runs {
		facts := append([]html.Fact{{Name: "run", Value: r.ID}}, runFacts(r, varying)...)
		out = append(out, html.Source{Key: r.ID, Name: r.Label, Href: "#" + anchor(r), Facts: facts})
		for i := range r.Evaluations {
			e := &r.Evaluations[i]
			out = append(out, html.Source{Key: e.ID, Name: r.Label, Href: "#" + anchor(r), Facts: append(evaluationFacts(e), facts...)})
		}
	}
	for _, b := range c.Baselines {
		facts := evaluationFacts(&b.Evaluation)
		if b.Backbone != "" {
			facts = append(facts, html.Fact{Name: "backbone", Value: b.Backbone})
		}
		if form := c.Form(b); form != "" {
			facts = append(facts, html.Fact{Name: "encoded", Value: form})
		}
		out = append(out, html.Source{Key: b.Evaluation.ID, Name: "baseline " + b.Name, Facts: facts})
	}
	return out
}

// runFacts returns a run's settings besides its seed, of the keys varying, in which runs
// differ, and its results.
func runFacts(r *compare.Run, varying []string) []html.Fact {
	facts := []html.Fact{{Name: "backbone", Value: r.Backbone}, {Name: "k", Value: kOf(r)}, {Name: "seed", Value: strconv.FormatInt(r.Seed, 10)}}
	for _, key := range varying {
		facts = append(facts, html.Fact{Name: key, Value: r.Setting(key)})
	}
	return append(facts, html.Fact{Name: "verdict", Value: verdictOf(r)})
}

// kOf is a run's k, with the rule by which it was chosen.
func kOf(r *compare.Run) string {
	if rule := r.Setting("model.rescale"); strings.HasPrefix(rule, "auto") {
		return rule + ", which came to " + compare.KText(r.Rescale)
	}
	return compare.KText(r.Rescale)
}

func verdictOf(r *compare.Run) string {
	switch {
	case r.Verdict == "":
		return "not judged"
	case r.Recovered != "":
		return r.Verdict + ", recovered from " + r.Recovered
	}
	return r.Verdict
}

func evaluationFacts(e *compare.Evaluation) []html.Fact {
	var measures []string
	for _, m := range slices.Sorted(maps.Keys(e.Measures)) {
		measures = append(measures, m+" "+compare.Score(e.Measures[m]))
	}
	return []html.Fact{
		{Name: "measures", Value: strings.Join(measures, ", ")},
		{Name: "evaluation", Value: e.ID},
		{Name: "collection", Value: e.Dataset + ", " + e.Split},
		{Name: "collection digest", Value: e.QrelsDigest},
		{Name: "queries, documents", Value: strconv.Itoa(e.Queries) + ", " + strconv.Itoa(e.Documents)},
	}
}
