package search_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headroom/internal/alternate"
	"headroom/runner/search"
)

var (
	fullDocuments = flag.Int("documents", 1_000_000, "BenchmarkFullSize: documents to generate, of 120 terms each")
	fullQueries   = flag.Int("queries", 100, "BenchmarkFullSize: queries to search")
	fullMemory    = flag.Bool("memory", false, "BenchmarkFullSize: the index is built in memory too")
	fullChecked   = flag.Int("checked", 5, "BenchmarkFullSize: queries whose hits are compared with every document's score")
)

// quickZipf draws from the law of zipf out of a table, which is ten times faster and leaves out what is rarer than one
// in a million.
func quickZipf(random *rand.Rand) func(terms int) search.Vector {
	law, table := rand.NewZipf(random, 1.05, 50, benchVocab-1), make([]uint16, 1<<20)
	for i := range table {
		table[i] = uint16(law.Uint64())
	}
	var v search.Vector
	return func(terms int) search.Vector {
		v.Terms, v.Weights = v.Terms[:0], v.Weights[:0]
		var seen [(benchVocab + 63) / 64]uint64
		for len(v.Terms) < terms { // as many different terms
			term := uint32(table[random.Uint32()>>12])
			if seen[term/64]>>(term%64)&1 == 0 {
				seen[term/64] |= 1 << (term % 64)
				v.Terms = append(v.Terms, term)
			}
		}
		slices.Sort(v.Terms)
		for range v.Terms {
			v.Weights = append(v.Weights, 0.01+4*random.Float32()*random.Float32())
		}
		return v
	}
}

// fill gives generated documents to a builder.
func fill(builder *search.Builder, documents int) (*search.Index, error) {
	next := quickZipf(rand.New(rand.NewPCG(1, 2)))
	for i := range documents {
		if err := builder.Add(strconv.Itoa(i), next(120)); err != nil {
			return nil, err
		}
	}
	return builder.Finish()
}

// BenchmarkFullSize builds an index of generated documents on the disk, in a process of its own, and then loads and
// searches it on one thread and on all: with SPLADE-v3's vectors of real queries if HEADROOM_DATA has them, their
// words numbered by how many queries have them, else with generated ones. Of several loads and searches the least
// processor time counts. Sizes and peaks are in MB.
func BenchmarkFullSize(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		folder, file := filepath.Join(dir, "index"), filepath.Join(dir, "queries.json")
		queries, real := fullSizeQueries(b)
		text, err := json.Marshal(queries)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			b.Fatal(err)
		}
		turn := func(name string, warm int) alternate.Reply {
			command := exec.Command(os.Args[0], folder, file)
			command.Env = append(os.Environ(), fmt.Sprintf("%s=%s", peerVariable, name), fmt.Sprintf("%s=%d", documentsVariable, *fullDocuments))
			p, err := alternate.Start(name, command)
			if err != nil {
				b.Fatal(err)
			}
			best, err := p.Turn()
			for range warm {
				var again alternate.Reply
				if again, err = p.Turn(); err != nil {
					break
				}
				if again.CPU < best.CPU {
					best = again
				}
			}
			if err := cmp.Or(err, p.Close()); err != nil {
				b.Fatal(err)
			}
			return best
		}
		report := func(name string, r alternate.Reply) {
			b.ReportMetric(r.Seconds, name+"-s")
			b.ReportMetric(r.CPU, name+"-CPU-s")
			b.ReportMetric(float64(r.Peak)/1e6, name+"-peak-MB")
		}
		report("generate-100k", turn("generate", 0)) // a share of every time to build
		report("build", turn("build", 0))
		size := int64(0)
		entries, err := os.ReadDir(folder)
		if err != nil {
			b.Fatal(err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil {
				b.Fatal(err)
			}
			size += info.Size()
		}
		b.ReportMetric(float64(size)/1e6, "index-MB")
		if *fullMemory {
			report("build-in-memory", turn("build-memory", 0))
		}
		report("load", turn("load", 2))
		one, all := turn("search-1", 4), turn("search-all", 4)
		report("search-1", one)
		report("search-all", all)
		if one.Loss != all.Loss {
			b.Error("the hits depend on the number of threads")
		}
		index, err := search.Load(folder)
		if err != nil {
			b.Fatal(err)
		}
		checkFullSize(b, index, queries[:min(*fullChecked, len(queries))])
		postings := touched(index, queries)
		b.ReportMetric(one.CPU*1e9/float64(postings), "CPU-ns/posting")
		b.ReportMetric(one.Seconds*1e3/float64(len(queries)), "ms/query")
		b.ReportMetric(0, "ns/op")
		b.Logf("%d documents, %d postings; %d queries (real: %v), %.2f postings per query and document; %.1f bytes per posting",
			index.Documents(), index.Postings(), len(queries), real, float64(postings)/float64(len(queries)*index.Documents()), float64(size)/float64(index.Postings()))
		if err := index.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// checkFullSize generates the documents again and holds the hits of some queries to the score of each by definition.
func checkFullSize(b *testing.B, index *search.Index, queries []search.Vector) {
	b.Helper()
	hits, err := index.SearchAll(context.Background(), queries, cutoff, 0)
	if err != nil {
		b.Fatal(err)
	}
	found := make([]map[string]float32, len(queries))
	for q := range queries {
		found[q] = map[string]float32{}
		for i, hit := range hits[q] {
			if i > 0 && (hit.Score > hits[q][i-1].Score || hit.Score == hits[q][i-1].Score && hit.ID > hits[q][i-1].ID) {
				b.Errorf("query %d: hit %d is better than the one before it", q, i)
			}
			found[q][hit.ID] = hit.Score
		}
	}
	next := quickZipf(rand.New(rand.NewPCG(1, 2)))
	seen := make([]int, len(queries))
	for i := range index.Documents() {
		document, id := next(120), strconv.Itoa(i)
		for q, query := range queries {
			score := search.Dot(query, document)
			got, hit := found[q][id]
			if hit {
				seen[q]++
			}
			last := search.Hit{Score: 0}
			if len(hits[q]) == cutoff {
				last = hits[q][cutoff-1]
			}
			switch {
			case hit && got != score:
				b.Errorf("query %d, document %s: score %v, by definition %v", q, id, got, score)
			case !hit && (score > last.Score || score == last.Score && score > 0 && id > last.ID):
				b.Errorf("query %d lacks document %s with score %v", q, id, score)
			}
		}
	}
	for q := range queries {
		if seen[q] != len(hits[q]) {
			b.Errorf("query %d: %d hits, of which %d are documents", q, len(hits[q]), seen[q])
		}
	}
	b.Logf("%d queries: their first %d are those of every document's score", len(queries), cutoff)
}

const documentsVariable = "HEADROOM_SEARCH_DOCUMENTS"

// serveFullSize is what the processes of BenchmarkFullSize do in their turn.
func serveFullSize(name, folder, file string) error {
	documents, err := strconv.Atoi(os.Getenv(documentsVariable))
	if err != nil {
		return err
	}
	var work func() (float64, error)
	switch name {
	case "generate":
		work = func() (float64, error) {
			next, sum := quickZipf(rand.New(rand.NewPCG(1, 2))), 0
			for range 100_000 {
				sum += len(next(120).Terms)
			}
			return float64(sum), nil
		}
	case "build":
		work = func() (float64, error) {
			_, err := search.Create(folder, search.Options{Vocab: benchVocab}, func(builder *search.Builder) (*search.Index, error) {
				return fill(builder, documents)
			})
			return 0, err
		}
	case "build-memory":
		work = func() (float64, error) {
			index, err := fill(search.NewBuilder(search.Options{Vocab: benchVocab, MaxPostings: math.MaxInt64}), documents)
			if err != nil {
				return 0, err
			}
			return float64(index.Postings()), nil
		}
	case "load":
		work = func() (float64, error) {
			index, err := search.Load(folder)
			if err != nil {
				return 0, err
			}
			return float64(index.Postings()), index.Close()
		}
	default:
		queries, err := readVectors(file)
		if err != nil {
			return err
		}
		index, err := search.Load(folder)
		if err != nil {
			return err
		}
		threads := 0
		if name == "search-1" {
			threads = 1
		}
		work = func() (float64, error) {
			hits, err := index.SearchAll(context.Background(), queries, cutoff, threads)
			return weighed(hits), err
		}
	}
	return alternate.Serve(os.Stdin, os.Stdout, work)
}

// fullSizeQueries are the first real queries, or generated ones.
func fullSizeQueries(b *testing.B) (queries []search.Vector, real bool) {
	b.Helper()
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		return zipf(rand.New(rand.NewPCG(3, 4)), *fullQueries, benchVocab, 40), false
	}
	file, err := os.Open(filepath.Join(root, "trec", "msmarco-dev", "topics.msmarco-passage.dev-subset.splade-v3.tsv.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		b.Fatal(err)
	}
	// A line is an id and words, each repeated 100 times its weight.
	var counts []map[string]int
	frequency := map[string]int{}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		_, words, _ := strings.Cut(lines.Text(), "\t")
		query := map[string]int{}
		for _, word := range strings.Fields(words) {
			query[word]++
		}
		for word := range query {
			frequency[word]++
		}
		counts = append(counts, query)
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	words := make([]string, 0, len(frequency))
	for word := range frequency {
		words = append(words, word)
	}
	slices.SortFunc(words, func(x, y string) int { return cmp.Or(frequency[y]-frequency[x], strings.Compare(x, y)) })
	number := map[string]uint32{}
	for i, word := range words {
		number[word] = uint32(i)
	}
	for _, query := range counts[:min(*fullQueries, len(counts))] {
		var v search.Vector
		weights := map[uint32]float32{}
		for word, n := range query {
			v.Terms = append(v.Terms, number[word])
			weights[number[word]] = float32(n) / 100
		}
		slices.Sort(v.Terms)
		for _, term := range v.Terms {
			v.Weights = append(v.Weights, weights[term])
		}
		queries = append(queries, v)
	}
	return queries, true
}

func readVectors(file string) (vectors []search.Vector, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return vectors, json.Unmarshal(text, &vectors)
}
