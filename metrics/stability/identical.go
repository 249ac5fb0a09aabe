package stability

import (
	"fmt"

	"headroom/metrics/event"
)

// identical watches whether texts still get different vectors.
type identical struct {
	holds    // cosine of queries, of documents, deviation of scores
	th       IdenticalRule
	on       bool
	accuracy *window
	// apart is the in-batch accuracy above which the model distinguishes its inputs; above
	// 1 if there is no chance level.
	apart float64
	// shared reports whether a query's candidates are also other queries' documents. If not, a
	// constant query may rank its own candidates well, and accuracy proves nothing of queries.
	shared bool
}

// Version 1 let a high accuracy excuse parallel queries under every loss, and called an accuracy high that
// chance alone can give.
const versionIdentical = 2

func newIdentical(th IdenticalRule, facts event.Facts, steps, grace int) *identical {
	n := scaledSteps(th.Steps, 3, steps)
	d := &identical{th: th, on: steps <= 0 || steps >= th.MinSteps, accuracy: newWindow(n), apart: 2,
		shared: facts.Loss == "infonce" && facts.Batch > 1}
	if facts.Candidates > 1 {
		d.apart = max(aboveChance(facts.Candidates, th.Accuracy), 1/float64(facts.Candidates)+sure*accuracyNoise(facts, n))
	}
	cosine := func(series, texts string) *hold {
		return &hold{rule: rule{kind: Identical, severity: event.SeverityCollapse, series: series, version: versionIdentical,
			words:     fmt.Sprintf("mean cosine between %s above %v for %d steps after step %d", texts, th.Cosine, n, grace),
			threshold: th.Cosine, window: n}, open: n, close: n, grace: grace}
	}
	d.holds = holds{cosine(SeriesCosineQuery, "queries"), cosine(SeriesCosineDocument, "documents"),
		{rule: rule{kind: Identical, severity: event.SeverityCollapse, series: SeriesScoreSD, version: versionIdentical,
			words:     fmt.Sprintf("standard deviation of in-batch scores below %v for %d steps after step %d", th.ScoreSD, n, grace),
			threshold: th.ScoreSD, window: n}, open: n, close: n, grace: grace}}
	return d
}

func (d *identical) observe(s sample) []event.Episode {
	if !d.on {
		return nil
	}
	if v, ok := s.get(SeriesAccuracy); ok {
		d.accuracy.add(v)
	}
	distinct := d.accuracy.len() > 0 && d.accuracy.mean() > d.apart
	emptyQuery, _ := s.get(SeriesEmptyQuery)
	emptyDocument, _ := s.get(SeriesEmptyDocument)
	var changed []event.Episode
	judge := func(h *hold, excused bool, blank float64, holds func(v float64) bool) {
		v, ok := s.get(h.series)
		if !ok {
			return
		}
		a := answerOf(!excused && holds(v))
		if blank > d.th.Blank {
			a = unknown
		}
		changed = add(changed, h.observe(s.step, s.step, a, v))
	}
	parallel := func(series string) func(float64) bool {
		limit := max(d.th.Cosine, s.first[series]-d.th.Slack)
		return func(v float64) bool { return v > limit }
	}
	judge(d.holds[0], distinct && d.shared, emptyQuery, parallel(SeriesCosineQuery))
	judge(d.holds[1], distinct, emptyDocument, parallel(SeriesCosineDocument))
	judge(d.holds[2], distinct, max(emptyQuery, emptyDocument), func(v float64) bool {
		return v < d.th.ScoreSD && v <= d.th.Growth*s.first[SeriesScoreSD]
	})
	return changed
}

// aboveChance returns the accuracy at a share of the way from chance level to 1.
func aboveChance(candidates int, share float64) float64 {
	chance := 1 / float64(candidates)
	return chance + share*(1-chance)
}
