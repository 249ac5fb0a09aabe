package stability_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// A batch of 16 queries with one negative each, as MarginMSE and KL often have it. Constant queries rank
// their positive first in some 60 % of cases, since documents alone differ; by chance three steps
// in a row come above 75 %.
func TestAccuracyExcusesOnlyWhatItProves(t *testing.T) {
	const queries, total = 16, 60
	for _, c := range []struct {
		name            string
		query, document float64 // cosines
		right           float64 // chance of a query to rank its positive first
		infonce         string  // verdict, of 16 shared candidates; "" is what no model can do
		own             string  // verdict, of 2 candidates of each query
	}{
		{"different vectors that rank well", .45, .65, .9, stability.Healthy, stability.Healthy},
		{"different vectors that rank by chance", .45, .65, .6, "", stability.Healthy},
		{"constant queries", 1, .65, .6, "", stability.Identical},
		{"constant queries of documents that differ much", 1, .65, .97, "", stability.Identical},
		{"parallel queries that rank well", .98, .65, .97, stability.Healthy, stability.Identical},
		{"parallel documents that rank well", .45, .98, .97, stability.Healthy, stability.Healthy},
		{"parallel documents that rank by chance", .45, .98, .6, "", stability.Identical},
	} {
		for _, loss := range []string{"infonce", "kl", "margin_mse"} {
			for seed := range uint64(20) {
				facts, want := event.Facts{Batch: queries, Candidates: 2, RampEnd: 20, Loss: loss}, c.own
				if loss == "infonce" {
					facts.Candidates, want = queries, c.infonce
				}
				if want == "" {
					continue
				}
				t.Run(fmt.Sprint(c.name, loss, seed), func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 7))
					run := stability.Run{Facts: facts, Steps: total, Series: map[string]stability.Series{}}
					for s := range total {
						right := 0
						for range queries {
							if random.Float64() < c.right {
								right++
							}
						}
						for name, v := range map[string]float64{
							stability.SeriesAccuracy: float64(right) / queries, stability.SeriesCosineQuery: c.query,
							stability.SeriesCosineDocument: c.document, stability.SeriesScoreSD: 3,
						} {
							old := run.Series[name]
							run.Series[name] = stability.Series{Steps: append(old.Steps, s), Values: append(old.Values, v)}
						}
					}
					thresholds := stability.Defaults()
					thresholds.Stalled.Losses = nil // that rule speaks of chance level too
					if got := stability.Judge(run, thresholds); got.Verdict != want {
						t.Errorf("%s under %s: verdict %s, chain %v; want %s", c.name, loss, got.Verdict, got.Chain, want)
					}
				})
			}
		}
	}
}
