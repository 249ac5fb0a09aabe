package ir

import (
	"fmt"
	"math"
	"slices"

	"headroom/metrics/measure"
)

// ndcg divides by the best order of all judged documents, not of the returned ones.
func ndcg(m measure.Measure) func(ranking) (float64, error) {
	gain := m.GainOf()
	return func(r ranking) (float64, error) {
		ideal := r.ideal
		if m.Gains != "" {
			gains := make(map[string]int, len(r.grades))
			for document, grade := range r.grades {
				gains[document] = gain(grade)
			}
			ideal = positiveGrades(gains)
		}
		if m.Cutoff > 0 && m.Cutoff < len(ideal) {
			ideal = ideal[:m.Cutoff]
		}
		best := discountedGain(ideal, m.Exponential)
		if best == 0 {
			return 0, nil
		}
		places := r.cut(m.Cutoff)
		if m.Gains != "" {
			places = slices.Clone(places)
			for i, grade := range places {
				if grade != unjudged && grade != empty {
					places[i] = gain(grade)
				}
			}
		}
		return discountedGain(places, m.Exponential) / best, nil
	}
}

// discountedGain is the discounted cumulative gain of grades; those below 1 gain nothing.
func discountedGain(grades []int, exponential bool) float64 {
	sum := 0.0
	for i, grade := range grades {
		if grade > 0 {
			gain := float64(grade)
			if exponential {
				gain = math.Exp2(gain) - 1
			}
			sum += gain / math.Log2(float64(i+2))
		}
	}
	return sum
}

// greatestGrade is the greatest grade that gdeval accepts: the probability to stop at a document is
// (2^grade - 1)/2^4.
const greatestGrade = 4

// expectedReciprocalRank returns ERR as gdeval computes it.
func expectedReciprocalRank(r ranking, cutoff int) (float64, error) {
	if len(r.ideal) > 0 && r.ideal[0] > greatestGrade {
		return 0, fmt.Errorf("a grade is %d; ERR takes grades up to %d, as TREC's gdeval", r.ideal[0], greatestGrade)
	}
	sum, going := 0.0, 1.0
	for i, grade := range r.cut(cutoff) {
		if grade > 0 {
			stops := (math.Exp2(float64(grade)) - 1) / math.Exp2(greatestGrade)
			sum += stops * going / float64(i+1)
			going *= 1 - stops
		}
	}
	return sum, nil
}
