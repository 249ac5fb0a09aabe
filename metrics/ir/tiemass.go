package ir

import (
	"slices"

	"headroom/data/trec"
)

// TieMass returns the share of the first k places whose document has the same score as another retrieved
// document, among the first k or below. At these places the order of document ids decides, and not the
// model. The share is a mean over the judged queries; a query with fewer than k documents counts with those
// that it has, a query without documents as 0. A constant model has 1.
func TieMass(qrels trec.Qrels, run trec.Run, k int) float64 {
	if len(qrels) == 0 {
		return 0
	}
	sum := 0.0
	for _, query := range qrels.Queries() { // in order, so that the sum has the same bits each time
		ranked := slices.Clone(run[query])
		trec.Rank(ranked)
		places, tied := min(k, len(ranked)), 0
		for i := range places {
			above := i > 0 && ranked[i-1].Score == ranked[i].Score
			below := i+1 < len(ranked) && ranked[i+1].Score == ranked[i].Score
			if above || below {
				tied++
			}
		}
		if places > 0 {
			sum += float64(tied) / float64(places)
		}
	}
	return sum / float64(len(qrels))
}
