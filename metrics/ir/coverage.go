package ir

import (
	"fmt"
	"maps"
	"slices"

	"headroom/data/trec"
	"headroom/internal/nouns"
	"headroom/metrics/measure"
)

// Coverage counts the queries and documents behind a mean, so that a bad mean can be told
// from a mean of nothing.
type Coverage struct {
	// Answered is how many judged queries have a row in the run; the others count as 0.
	Answered int `json:"answered"`
	// NoRelevant is how many judged queries have no document with a grade above 0; they count as 0.
	NoRelevant int `json:"no_relevant"`
	// NoRelevantAt counts the same for each higher least grade of the measures: with (rel=2), the judged queries
	// without a document of grade 2 or more. A grade that every query has is left out.
	NoRelevantAt map[int]int `json:"no_relevant_at,omitempty"`
	// Unjudged is how many queries of the run are not in the qrels; they are left out.
	Unjudged int `json:"unjudged_queries"`
	// Returned is how many documents were returned for judged queries, ReturnedJudged how many of them are judged.
	Returned       int `json:"returned"`
	ReturnedJudged int `json:"returned_judged"`
	// SelfDropped is how many documents were left out because they are the query itself. The caller sets it.
	SelfDropped int `json:"self_dropped"`

	queries         int
	firstUnanswered string
	firstNoRelevant string
	longest         int // documents of the longest ranking
	asLong          int // rankings of that length
}

// cutFrom is the least length at which rankings of equal length count as cut. Shorter ones may contain the
// whole of a small corpus.
const cutFrom = 100

// CutNotice returns a sentence if the run's rankings were cut before the deepest cut-off of the measures, else "".
func (c Coverage) CutNotice(measures []measure.Measure) string {
	var deepest measure.Measure
	for _, m := range measures {
		if m.Depth() > deepest.Depth() {
			deepest = m
		}
	}
	if c.longest < cutFrom || c.longest >= deepest.Depth() || 2*c.asLong <= c.Answered {
		return ""
	}
	return fmt.Sprintf("%d of %d rankings end after %d documents, none has more: %s cannot see deeper", c.asLong, c.Answered, c.longest, deepest)
}

// compare counts the run's queries and returns an error if none of them is judged.
func (c *Coverage) compare(qrels trec.Qrels, run trec.Run) error {
	c.queries = len(qrels)
	judged := 0
	first := ""
	for query, found := range run {
		if _, known := qrels[query]; known {
			judged += len(found)
		} else if len(found) > 0 {
			if c.Unjudged++; first == "" || query < first {
				first = query
			}
		}
	}
	if judged == 0 && c.Unjudged > 0 {
		return fmt.Errorf("evaluate run: %w: the %d of the qrels (the first is %q) are not among the %d of the run (the first is %q)",
			ErrNothingInCommon, len(qrels), qrels.Queries()[0], c.Unjudged, first)
	}
	return nil
}

// levelsOf returns the least grades above 1 that measures count as relevant, each once.
func levelsOf(measures []measure.Measure) []int {
	var levels []int
	for _, m := range measures {
		if m.Rel > 1 && !slices.Contains(levels, m.Rel) {
			levels = append(levels, m.Rel)
		}
	}
	return levels
}

// covered is what one query adds to Coverage.
type covered struct {
	returned, judged int
	best             int // the greatest grade, 0 if none is above 0
}

func (r ranking) coverage() covered {
	c := covered{returned: r.returned}
	if len(r.ideal) > 0 {
		c.best = r.ideal[0]
	}
	for _, grade := range r.places {
		if grade != unjudged && grade != empty {
			c.judged++
		}
	}
	return c
}

// add counts one query; levels are the least grades above 1 that the measures count as relevant.
func (c *Coverage) add(query string, r covered, levels []int) {
	switch {
	case r.returned > 0:
		c.Answered++
	case c.firstUnanswered == "":
		c.firstUnanswered = query
	}
	if r.best == 0 {
		if c.NoRelevant++; c.NoRelevant == 1 {
			c.firstNoRelevant = query
		}
	}
	for _, level := range levels {
		if r.best < level {
			if c.NoRelevantAt == nil {
				c.NoRelevantAt = map[int]int{}
			}
			c.NoRelevantAt[level]++
		}
	}
	c.Returned += r.returned
	if r.returned > c.longest {
		c.longest, c.asLong = r.returned, 0
	}
	if r.returned == c.longest {
		c.asLong++
	}
	c.ReturnedJudged += r.judged
}

// Notices returns sentences about queries that count as 0 or not at all, and documents that are left
// out.
func (c Coverage) Notices() []string {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case c.Returned == 0:
		say("the ranking is empty: no document for %s; each counts as 0", nouns.CountOf(c.queries, "judged query", "judged queries"))
	case c.Answered < c.queries:
		say("%d of %s answered, the rest count as 0; the first without an answer is %q", c.Answered, nouns.CountOf(c.queries, "judged query is", "judged queries are"), c.firstUnanswered)
	}
	if c.Returned > 0 && c.ReturnedJudged == 0 {
		say("none of the %s judged: are the ids of the documents those of the qrels?", nouns.CountOf(c.Returned, "returned document is", "returned documents are"))
	}
	if c.NoRelevant > 0 {
		say("%s no document with a grade above 0; the first is %q, and a query without one counts as 0", nouns.CountOf(c.NoRelevant, "judged query has", "judged queries have"), c.firstNoRelevant)
	}
	for _, level := range slices.Sorted(maps.Keys(c.NoRelevantAt)) {
		say("%s no document with a grade of %d or more; measures with (rel=%d) count each as 0", nouns.CountOf(c.NoRelevantAt[level], "judged query has", "judged queries have"), level, level)
	}
	if c.Unjudged > 0 {
		say("%s not judged and left out", nouns.CountOf(c.Unjudged, "query of the run is", "queries of the run are"))
	}
	if c.SelfDropped > 0 {
		say("%s left out as the query itself", nouns.CountOf(c.SelfDropped, "ranked document is", "ranked documents are"))
	}
	return list
}
