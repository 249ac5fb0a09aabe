package search_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"headroom/runner/search"
)

// zipf makes vectors whose terms follow Zipf's law, as those of a trained encoder roughly do.
func zipf(random *rand.Rand, n, vocab, terms int) []search.Vector {
	law := rand.NewZipf(random, 1.05, 300, uint64(vocab-1))
	vectors := make([]search.Vector, n)
	drawn := make([]bool, vocab)
	for i := range vectors {
		clear(drawn)
		for range terms {
			drawn[law.Uint64()] = true
		}
		var v search.Vector
		for term, is := range drawn {
			if is {
				v.Terms, v.Weights = append(v.Terms, uint32(term)), append(v.Weights, float32(random.ExpFloat64())+0.01)
			}
		}
		vectors[i] = v
	}
	return vectors
}

// BenchmarkSearch reports ns/posting: the whole of a search, top 1000 included, by postings touched.
func BenchmarkSearch(b *testing.B) {
	for _, size := range []struct{ documents, vocab, document, query int }{
		{20_000, 30_522, 200, 40},
		{100_000, 30_522, 200, 40},
		{500_000, 30_522, 130, 40},
	} {
		b.Run(fmt.Sprintf("documents=%d", size.documents), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			ids := make([]string, size.documents)
			for i := range ids {
				ids[i] = fmt.Sprint(i)
			}
			builder := search.NewBuilder(search.Options{Vocab: size.vocab, MaxPostings: math.MaxUint64})
			for start := 0; start < len(ids); start += 1000 { // a few at a time: only the index is kept
				for i, v := range zipf(random, 1000, size.vocab, size.document) {
					if err := builder.Add(ids[start+i], v); err != nil {
						b.Fatal(err)
					}
				}
			}
			index, err := builder.Finish()
			if err != nil {
				b.Fatal(err)
			}
			queries := zipf(random, 64, size.vocab, size.query)
			touched := 0
			for _, query := range queries {
				for _, term := range query.Terms {
					touched += index.Frequency(term)
				}
			}
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
					for b.Loop() {
						if _, err := index.SearchAll(context.Background(), queries, 1000, threads); err != nil {
							b.Fatal(err)
						}
					}
					searches := float64(b.N * len(queries))
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*touched), "ns/posting")
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/searches/1e6, "ms/query")
					b.ReportMetric(float64(touched)/float64(len(queries)*size.documents), "FLOPS")
				})
			}
		})
	}
}
