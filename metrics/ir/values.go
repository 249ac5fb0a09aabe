package ir

import (
	"fmt"
	"math"

	"headroom/metrics/measure"
)

// valueOf returns the function that computes a measure for one query. The value is 0 if the query
// has no relevant document.
func valueOf(m measure.Measure) func(ranking) (float64, error) {
	compute := formula(m)
	if !m.JudgedOnly {
		return compute
	}
	return func(r ranking) (float64, error) { return compute(r.judgedOnly()) }
}

func formula(m measure.Measure) func(ranking) (float64, error) {
	switch m.Kind {
	case measure.NDCG:
		return ndcg(m)
	case measure.ERR:
		return func(r ranking) (float64, error) { return expectedReciprocalRank(r, m.Cutoff) }
	}
	var compute func(r ranking, m measure.Measure) float64
	switch m.Kind {
	case measure.AP:
		compute = averagePrecision
	case measure.RR:
		compute = reciprocalRank
	case measure.Precision:
		compute = precision
	case measure.Recall:
		compute = recall
	case measure.CappedRecall:
		compute = cappedRecall
	case measure.Success:
		compute = success
	case measure.Rprec:
		compute = rPrecision
	case measure.Bpref:
		compute = bpref
	case measure.InfAP:
		compute = inferredAP
	case measure.IPrec:
		compute = interpolatedPrecision
	case measure.RBP:
		compute = rankBiasedPrecision
	case measure.Judged:
		compute = judgedShare
	case measure.SetP, measure.SetRelP, measure.SetR, measure.SetF, measure.SetAP:
		compute = setMeasure
	case measure.NumRet, measure.NumRel, measure.NumQ:
		compute = count
	default:
		return func(ranking) (float64, error) { return 0, fmt.Errorf("kind %d is not computed", m.Kind) }
	}
	return func(r ranking) (float64, error) { return compute(r, m), nil }
}

// ratio is 0 if nothing is divided by nothing.
func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func averagePrecision(r ranking, m measure.Measure) float64 {
	all := r.relevant(m.Rel)
	if all == 0 {
		return 0
	}
	sum, found := 0.0, 0
	for i, grade := range r.cut(m.Cutoff) {
		if grade >= m.Rel {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(all)
}

func reciprocalRank(r ranking, m measure.Measure) float64 {
	for i, grade := range r.cut(m.Cutoff) {
		if grade >= m.Rel {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// precision counts places that the run left empty as not relevant: the divisor is the cut-off.
func precision(r ranking, m measure.Measure) float64 {
	return ratio(relevant(r.cut(m.Cutoff), m.Rel), m.Cutoff)
}

func recall(r ranking, m measure.Measure) float64 {
	return ratio(relevant(r.cut(m.Cutoff), m.Rel), r.relevant(m.Rel))
}

// cappedRecall divides by the greatest number of relevant documents that the first k can
// have.
func cappedRecall(r ranking, m measure.Measure) float64 {
	return ratio(relevant(r.cut(m.Cutoff), m.Rel), min(r.relevant(m.Rel), m.Cutoff))
}

func success(r ranking, m measure.Measure) float64 {
	return float64(min(1, relevant(r.cut(m.Cutoff), m.Rel)))
}

func rPrecision(r ranking, m measure.Measure) float64 {
	all := r.relevant(m.Rel)
	if all == 0 {
		return 0
	}
	return ratio(relevant(r.cut(all), m.Rel), all)
}

// bpref takes, for each relevant document that was found, the share of the judged non-relevant ones (at most as
// many as there are relevant ones) that are not ranked above it.
func bpref(r ranking, m measure.Measure) float64 {
	all := r.relevant(m.Rel)
	if all == 0 {
		return 0
	}
	bound := min(r.nonRelevant(m.Rel), all)
	sum, above := 0.0, 0
	for _, grade := range r.places {
		switch {
		case grade < 0: // unjudged, or pooled and not judged
		case grade < m.Rel:
			above++
		case above > 0:
			sum += 1 - float64(min(above, all))/float64(bound)
		default:
			sum++
		}
	}
	return sum / float64(all)
}

// inferredAP estimates the precision above each relevant document from the judged part of the pool, smoothed
// with trec_eval's epsilon. A negative grade means that the document was pooled and not judged.
func inferredAP(r ranking, m measure.Measure) float64 {
	const epsilon = 0.00001
	all := r.relevant(m.Rel)
	if all == 0 {
		return 0
	}
	sum := 0.0
	found, not, pooled := 0, 0, 0
	for i, grade := range r.places {
		switch {
		case grade == unjudged || grade == empty:
		case grade < 0:
			pooled++
		case grade < m.Rel:
			not++
		case i == 0:
			found++
			sum++
		default:
			above := float64(i)
			sum += 1/(above+1) + above/(above+1)*
				(float64(found+not+pooled)/above)*
				((float64(found)+epsilon)/(float64(found+not)+2*epsilon))
			found++
		}
	}
	return sum / float64(all)
}

// interpolatedPrecision returns the greatest precision at that recall or a higher one. As in trec_eval,
// recall times the number of relevant documents is rounded up if its fraction is at least 0.1, else down.
func interpolatedPrecision(r ranking, m measure.Measure) float64 {
	all := r.relevant(m.Rel)
	if all == 0 {
		return 0
	}
	wanted := int(m.Level*float64(all) + 0.9)
	best, found := 0.0, relevant(r.places, m.Rel)
	if found < wanted {
		return 0
	}
	for i := len(r.places) - 1; i >= 0 && found >= wanted; i-- {
		best = max(best, float64(found)/float64(i+1))
		if r.places[i] >= m.Rel {
			found--
		}
	}
	return best
}

func rankBiasedPrecision(r ranking, m measure.Measure) float64 {
	sum := 0.0
	for i, grade := range r.cut(m.Cutoff) {
		if grade >= m.Rel {
			sum += math.Pow(m.Persistence, float64(i))
		}
	}
	return (1 - m.Persistence) * sum
}

// judgedShare divides by the number of returned documents, not by the cut-off. A negative grade is a
// judgement.
func judgedShare(r ranking, m measure.Measure) float64 {
	judged, all := 0, 0
	for _, grade := range r.cut(m.Cutoff) {
		if grade != empty {
			all++
		}
		if grade != empty && grade != unjudged {
			judged++
		}
	}
	return ratio(judged, all)
}

func setMeasure(r ranking, m measure.Measure) float64 {
	found, all := relevant(r.places, m.Rel), r.relevant(m.Rel)
	p, q := ratio(found, r.returned), ratio(found, all)
	switch m.Kind {
	case measure.SetP:
		return p
	case measure.SetRelP:
		return ratio(found, min(r.returned, all))
	case measure.SetR:
		return q
	case measure.SetAP:
		return p * q
	}
	if found == 0 {
		return 0
	}
	return (m.Beta + 1) * p * q / (q + m.Beta*p)
}

func count(r ranking, m measure.Measure) float64 {
	switch {
	case m.Kind == measure.NumQ:
		return 1
	case m.Kind == measure.NumRel:
		return float64(r.relevant(m.Rel))
	case m.Rel == 0:
		return float64(r.returned)
	}
	return float64(relevant(r.places, m.Rel))
}
