// Package search finds the documents whose sparse vectors have the largest dot product with a query's,
// exactly.
//
// A score is the float32 sum of the float32 products of the shared terms, added in ascending term order and
// rounded after each product and each sum. So it has the same bits for any number of threads and on any
// machine. Documents are ranked by score descending and, among equal scores, by id descending in byte order,
// which is trec_eval's rule; the cut at k follows the same order. Only scores above 0 are returned.
//
// An Index lives in memory and is saved as a folder. BM25 is a way to make vectors for the same Index.
package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Vector is a sparse vector: ascending term ids and their weights, all finite and above 0. An absent term
// weighs 0. The zero value is the vector without terms.
type Vector struct {
	Terms   []uint32
	Weights []float32
}

// check returns the error of a vector that breaks the rules; vocab 0 allows any terms.
func (v Vector) check(vocab int) error {
	if len(v.Terms) != len(v.Weights) {
		return fmt.Errorf("%d terms but %d weights", len(v.Terms), len(v.Weights))
	}
	for i, term := range v.Terms {
		if i > 0 && term <= v.Terms[i-1] {
			return fmt.Errorf("term %d comes after term %d: terms ascend and none is twice", term, v.Terms[i-1])
		}
		if vocab > 0 && uint64(term) >= uint64(vocab) {
			return fmt.Errorf("term %d is outside of the vocabulary of %d terms", term, vocab)
		}
		if weight := v.Weights[i]; !(weight > 0) || math.IsInf(float64(weight), 1) {
			return fmt.Errorf("term %d has weight %v: a finite number above 0 is allowed", term, weight)
		}
	}
	return nil
}

// Heaviest keeps the m heaviest terms; among equal weights, those with lower ids. A vector of at
// most m terms is returned unchanged; m below 1 keeps nothing.
func (v Vector) Heaviest(m int) Vector {
	if len(v.Terms) <= m {
		return v
	}
	// Weights are above 0, so their bits have the order of their values.
	keys := make([]uint64, len(v.Terms))
	for i, term := range v.Terms {
		keys[i] = uint64(^math.Float32bits(v.Weights[i]))<<32 | uint64(term)
	}
	slices.Sort(keys)
	keys = keys[:max(0, m)]
	slices.SortFunc(keys, func(a, b uint64) int { return cmp.Compare(uint32(a), uint32(b)) })
	kept := Vector{Terms: make([]uint32, len(keys)), Weights: make([]float32, len(keys))}
	for i, key := range keys {
		kept.Terms[i], kept.Weights[i] = uint32(key), math.Float32frombits(^uint32(key>>32))
	}
	return kept
}

// Dot is the score of a document for a query by definition. The Index computes the same with its loops in another order.
func Dot(query, document Vector) float32 {
	var sum float32
	for i, j := 0, 0; i < len(query.Terms) && j < len(document.Terms); {
		switch {
		case query.Terms[i] < document.Terms[j]:
			i++
		case query.Terms[i] > document.Terms[j]:
			j++
		default:
			// The conversion forbids fusing product and sum, which some machines would do and others not.
			sum += float32(query.Weights[i] * document.Weights[j])
			i++
			j++
		}
	}
	return sum
}
