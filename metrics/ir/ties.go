package ir

import (
	"slices"

	"headroom/data/trec"
)

// TieShare returns the share of the judged queries in whose top k some document has the same score as
// another retrieved document, in the top k or just below. If scores are equal, document ids decide the rank,
// which says nothing about the model: a constant model has a share of 1. A query without hits has no tie.
func TieShare(qrels trec.Qrels, run trec.Run, k int) float64 {
	if len(qrels) == 0 {
		return 0
	}
	tied := 0
	for query := range qrels {
		ranked := slices.Clone(run[query])
		trec.Rank(ranked)
		for i := 0; i < k && i+1 < len(ranked); i++ {
			if ranked[i].Score == ranked[i+1].Score {
				tied++
				break
			}
		}
	}
	return float64(tied) / float64(len(qrels))
}
