package search_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"headroom/internal/alternate"
	"headroom/runner/search"
)

// large adds a million documents to the benchmarks: minutes, and 1 GB.
var large = flag.Bool("million", false, "benchmarks: a million documents too")

// zipf makes vectors whose terms follow Zipf's law, as those of a trained encoder roughly do.
func zipf(random *rand.Rand, n, vocab, terms int) []search.Vector {
	law := rand.NewZipf(random, 1.05, 50, uint64(vocab-1))
	vectors := make([]search.Vector, n)
	drawn := make([]uint32, terms)
	for i := range vectors {
		for j := range drawn {
			drawn[j] = uint32(law.Uint64())
		}
		slices.Sort(drawn)
		v := search.Vector{Terms: slices.Compact(slices.Clone(drawn))}
		for range v.Terms {
			v.Weights = append(v.Weights, float32(random.ExpFloat64())+0.01)
		}
		vectors[i] = v
	}
	return vectors
}

const benchVocab = 30_522

// generated is an index of Zipf documents and queries for it: about 110 terms per document, 38 per query, 2.5
// postings per query and document, nine tenths of them of terms that more than 1/16 of the documents have.
func generated(b *testing.B, documents int) (*search.Index, []search.Vector) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	builder := search.NewBuilder(search.Options{Vocab: benchVocab, MaxPostings: math.MaxUint64})
	for start := 0; start < documents; start += 1000 { // a few at a time: only the index is kept
		for i, v := range zipf(random, min(1000, documents-start), benchVocab, 120) {
			if err := builder.Add(fmt.Sprint(start+i), v); err != nil {
				b.Fatal(err)
			}
		}
	}
	index, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	return index, zipf(random, 64, benchVocab, 40)
}

// touched is the number of postings that the queries' terms have.
func touched(index *search.Index, queries []search.Vector) int {
	n := 0
	for _, query := range queries {
		for _, term := range query.Terms {
			n += index.Frequency(term)
		}
	}
	return n
}

func sizes() []int {
	if *large {
		return []int{20_000, 100_000, 1_000_000}
	}
	return []int{20_000, 100_000}
}

// BenchmarkSearch reports CPU-ns/posting: the processor time of a whole search, top 1000 included, by
// postings touched. A scorer that is used again (one thread) and a fresh one for each query (alone) must
// agree. It also reports the same of the fastest turn, which says most if the machine is shared.
func BenchmarkSearch(b *testing.B) {
	for _, documents := range sizes() {
		b.Run(fmt.Sprintf("documents=%d", documents), func(b *testing.B) {
			index, queries := generated(b, documents)
			postings := touched(index, queries)
			all := func(threads int) func() error {
				return func() error {
					_, err := index.SearchAll(context.Background(), queries, 1000, threads)
					return err
				}
			}
			for _, way := range []struct {
				name   string
				search func() error
			}{
				{"alone", func() error {
					for _, query := range queries {
						index.Search(query, 1000)
					}
					return nil
				}},
				{"threads=1", all(1)},
				{"threads=2", all(2)},
			} {
				b.Run(way.name, func(b *testing.B) {
					least, start := time.Duration(math.MaxInt64), alternate.ProcessorTime()
					for b.Loop() {
						before := alternate.ProcessorTime()
						if err := way.search(); err != nil {
							b.Fatal(err)
						}
						least = min(least, alternate.ProcessorTime()-before)
					}
					used := alternate.ProcessorTime() - start
					b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*postings), "CPU-ns/posting")
					b.ReportMetric(float64(least.Nanoseconds())/float64(postings), "least-CPU-ns/posting")
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*postings), "ns/posting")
				})
			}
			b.Logf("%d documents, %.1f postings each; %.2f postings per query and document",
				documents, float64(index.Postings())/float64(documents), float64(postings)/float64(len(queries)*documents))
		})
	}
}
