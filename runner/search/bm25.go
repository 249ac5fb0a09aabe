package search

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// BM25 is BM25 in Lucene's form over Words, without stemming and stop words:
//
//	idf(t) = ln(1 + (N − df + 0.5) / (df + 0.5))
//	weight(t, d) = idf(t) · tf / (tf + k1 · (1 − b + b · |d| / average |d|))
//
// and the weight of a query's term is its number of occurrences in the query. Weights are computed in float64 and
// kept as float32 in an ordinary Index.
type BM25 struct {
	index *Index
}

// BM25Options are the two parameters.
type BM25Options struct {
	K1 float64 // ≥ 0; with a larger one, more repetitions of a term count
	B  float64 // 0 … 1; with a larger one, the length of a document counts more
}

// DefaultBM25 is the baseline of the reports: k1 0.9, b 0.4.
func DefaultBM25() BM25Options { return BM25Options{K1: 0.9, B: 0.4} }

// NewBM25 indexes texts under their ids. A document without words is kept and never found.
func NewBM25(ids, texts []string, options BM25Options) (*BM25, error) {
	if len(ids) != len(texts) {
		return nil, fmt.Errorf("build bm25: %d ids but %d texts", len(ids), len(texts))
	}
	return WalkBM25(func(each func(id, text string) error) error {
		for i, id := range ids {
			if err := each(id, texts[i]); err != nil {
				return err
			}
		}
		return nil
	}, options)
}

// WalkBM25 is NewBM25 of the documents that walk calls each for. No text is kept; of a document its words' numbers and
// counts are, until all have been seen.
func WalkBM25(walk func(each func(id, text string) error) error, options BM25Options) (*BM25, error) {
	if !(options.K1 >= 0) || math.IsInf(options.K1, 1) || !(options.B >= 0 && options.B <= 1) {
		return nil, fmt.Errorf("build bm25: k1 %v and b %v: allowed are k1 from 0 and b from 0 to 1", options.K1, options.B)
	}
	terms := newInterner()
	var ids namesBuilder
	var counts []termCounts
	total := 0
	err := walk(func(id, text string) error {
		ids.add(id)
		counts = append(counts, countTerms(Words(text), terms))
		total += counts[len(counts)-1].length
		return nil
	})
	if err != nil {
		return nil, err
	}
	frequency := make([]int, len(terms.words))
	for _, document := range counts {
		for _, term := range document.terms {
			frequency[term]++
		}
	}
	idf := make([]float64, len(frequency))
	for term, df := range frequency {
		idf[term] = math.Log(1 + (float64(len(counts)-df)+0.5)/(float64(df)+0.5))
	}
	// Words are numbered in byte order, so that the order of summation does not depend on the order of documents.
	words := slices.Clone(terms.words)
	slices.Sort(words)
	dictionary := newDictionary(words)
	average, names := float64(total)/float64(len(counts)), ids.names()
	builder := NewBuilder(Options{Vocab: len(words), Documents: len(counts)})
	for i, document := range counts {
		ranked := make([]uint32, len(document.terms))
		weights := make([]float32, len(document.terms))
		norm := options.K1 * (1 - options.B + options.B*float64(document.length)/average)
		for j, term := range document.terms {
			tf := float64(document.counts[j])
			ranked[j] = dictionary.ids[terms.words[term]]
			weights[j] = float32(idf[term] * tf / (tf + norm))
		}
		counts[i] = termCounts{} // the index has it now
		if err := builder.Add(names.at(i), sortedVector(ranked, weights)); err != nil {
			return nil, err
		}
	}
	index, err := builder.Finish()
	if err != nil {
		return nil, err
	}
	index.terms = dictionary
	return &BM25{index}, nil
}

// Query makes a query's vector.
func (b *BM25) Query(text string) Vector {
	counts := map[uint32]int{}
	for _, word := range Words(text) {
		if term, known := b.index.terms.ids[word]; known {
			counts[term]++
		}
	}
	terms := make([]uint32, 0, len(counts))
	for term := range counts {
		terms = append(terms, term)
	}
	slices.Sort(terms)
	weights := make([]float32, len(terms))
	for i, term := range terms {
		weights[i] = float32(counts[term])
	}
	return Vector{Terms: terms, Weights: weights}
}

// SearchAll searches each query text, as Index.SearchAll does.
func (b *BM25) SearchAll(ctx context.Context, queries []string, k, threads int) ([][]Hit, error) {
	vectors := make([]Vector, len(queries))
	for i, query := range queries {
		vectors[i] = b.Query(query)
	}
	return b.index.SearchAll(ctx, vectors, k, threads)
}

// termCounts holds a text's different terms and the number of times that each occurs.
type termCounts struct {
	terms  []uint32
	counts []uint32
	length int // in words, repetitions included
}

func countTerms(words []string, terms *interner) termCounts {
	counts := make(map[uint32]uint32, len(words))
	found := termCounts{length: len(words)}
	for _, word := range words {
		term := terms.id([]byte(word))
		if counts[term] == 0 {
			found.terms = append(found.terms, term)
		}
		counts[term]++
	}
	found.counts = make([]uint32, len(found.terms))
	for i, term := range found.terms {
		found.counts[i] = counts[term]
	}
	return found
}
