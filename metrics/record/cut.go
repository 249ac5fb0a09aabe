package record

import (
	"fmt"
	"slices"

	"headroom/sweeps"
)

// The sides of an evaluation.
const (
	Documents = "document"
	Queries   = "query"
)

// Cut is an evaluation repeated with the vectors of one side cut to their Terms greatest
// weights; of equal weights the smaller term ids are kept.
type Cut struct {
	// Side is Documents or Queries; the other side's vectors are whole.
	Side  string `json:"side"`
	Terms int    `json:"terms"`

	Measures map[string]float64 `json:"measures"`
	// ActiveQuery, ActiveDocument and Flops are of the vectors as they were searched.
	ActiveQuery    float64 `json:"active_query"`
	ActiveDocument float64 `json:"active_document"`
	Flops          float64 `json:"flops"`
}

// HasCut reports whether the evaluation was repeated with that side cut to so many terms.
func (e Evaluation) HasCut(side string, terms int) bool {
	return slices.ContainsFunc(e.Curve, func(c Cut) bool { return c.Side == side && c.Terms == terms })
}

// LacksCut returns the first cut that a configuration lists and the evaluation lacks, as
// "key = terms"; "" if there is none. Cuts that nobody listed are never missing, and
// neither are those of an evaluation without vectors or without measures.
func (e Evaluation) LacksCut(c sweeps.EvaluateConfig) string {
	if e.Refused != "" || e.ActiveDocument == nil {
		return ""
	}
	for _, asked := range []struct {
		key, side string
		terms     *[]int
	}{{"evaluate.prune_document", Documents, c.PruneDocument}, {"evaluate.prune_query", Queries, c.PruneQuery}} {
		if asked.terms == nil {
			continue
		}
		for _, terms := range *asked.terms {
			if !e.HasCut(asked.side, terms) {
				return fmt.Sprintf("%s = %d", asked.key, terms)
			}
		}
	}
	return ""
}
