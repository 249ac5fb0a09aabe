package ir

import (
	"fmt"
	"math"
	"slices"

	"headroom/data/trec"
)

// Places of a ranking that have no grade.
const (
	unjudged = math.MinInt     // a document that the qrels do not hold
	empty    = math.MinInt + 1 // no document: the run's rank column leaves the place out
)

// ranking is one query as the measures see it.
type ranking struct {
	places   []int          // grade, unjudged or empty
	returned int            // places that hold a document
	grades   map[string]int // of all judged documents
	ideal    []int          // every positive grade, the greatest first
}

// scratch is the memory that one thread uses again for every query.
type scratch struct {
	repeats trec.Repeats
	places  []int
}

// judge ranks the documents by data/trec's rule. The ranking's places are in the scratch, and valid until
// the next call.
func judge(grades map[string]int, found []trec.Scored, d *scratch) (ranking, error) {
	ranked := found
	if !trec.Ranked(found) {
		ranked = slices.Clone(found)
		trec.Rank(ranked)
	}
	d.places = slices.Grow(d.places[:0], len(ranked))[:len(ranked)]
	r := ranking{places: d.places, returned: len(ranked), grades: grades, ideal: positiveGrades(grades)}
	twice, _ := d.repeats.First(len(ranked), func(i int) string { return ranked[i].Doc })
	for i, hit := range ranked {
		if i == twice {
			return r, fmt.Errorf("document %q is twice in the run", hit.Doc)
		}
		if math.IsNaN(hit.Score) {
			return r, fmt.Errorf("document %q has the score NaN, which has no rank", hit.Doc)
		}
		grade, known := grades[hit.Doc]
		if !known {
			grade = unjudged
		}
		r.places[i] = grade
	}
	return r, nil
}

// judgeByRank puts each document at its rank, which is its score with the opposite sign.
func judgeByRank(grades map[string]int, found []trec.Scored, d *scratch) (ranking, error) {
	r, err := judge(grades, found, d)
	if err != nil || len(found) == 0 {
		return r, err
	}
	ranks := make([]int, len(found))
	for i, hit := range found {
		ranks[i] = int(-hit.Score)
	}
	slices.Sort(ranks)
	if ranks[0] < 1 {
		return r, fmt.Errorf("rank %d: ranks start at 1", ranks[0])
	}
	places := make([]int, 0, ranks[len(ranks)-1])
	for i, rank := range ranks {
		if rank <= len(places) {
			return r, fmt.Errorf("two documents have rank %d; each rank once is allowed", rank)
		}
		for len(places) < rank-1 {
			places = append(places, empty)
		}
		places = append(places, r.places[i])
	}
	r.places = places
	return r, nil
}

// positiveGrades returns the positive grades, the greatest first.
func positiveGrades(grades map[string]int) []int {
	var positive []int
	for _, grade := range grades {
		if grade > 0 {
			positive = append(positive, grade)
		}
	}
	slices.Sort(positive)
	slices.Reverse(positive)
	return positive
}

// judgedOnly returns the ranking without unjudged documents. A document with a negative grade was pooled
// and not judged.
func (r ranking) judgedOnly() ranking {
	places := make([]int, 0, len(r.places))
	for _, grade := range r.places {
		if grade >= 0 {
			places = append(places, grade)
		}
	}
	r.places, r.returned = places, len(places)
	return r
}

// cut returns the first k places; all of them if k is 0.
func (r ranking) cut(k int) []int {
	if k > 0 && k < len(r.places) {
		return r.places[:k]
	}
	return r.places
}

// relevant counts the judged documents with a grade of at least rel.
func (r ranking) relevant(rel int) int { return relevant(r.ideal, rel) }

// nonRelevant counts the judged documents with a grade from 0 to below rel.
func (r ranking) nonRelevant(rel int) int {
	n := 0
	for _, grade := range r.grades {
		if grade >= 0 && grade < rel {
			n++
		}
	}
	return n
}

// relevant counts grades of at least rel, which is 1 or more.
func relevant(grades []int, rel int) int {
	n := 0
	for _, grade := range grades {
		if grade >= rel {
			n++
		}
	}
	return n
}
