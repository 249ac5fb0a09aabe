package loader_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/loader"
	"headroom/data/tokenize"
)

// BenchmarkLoader is what one core loads of real text: MedQuAD's training pairs, each with another's document as
// its negative, ten times over, so that no token is kept; cut at 64 and 256 tokens.
func BenchmarkLoader(b *testing.B) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		b.Skip("HEADROOM_DATA is not set: no real text to load")
	}
	tok, err := tokenize.Load(filepath.Join(root, "tokenizers", "bert-base-uncased", "tokenizer.json"))
	if err != nil {
		b.Fatal(err)
	}
	c, err := collection.Open(filepath.Join(root, "beir", "medquad"))
	if err != nil {
		b.Fatal(err)
	}
	pairs, err := examples.FromCollection(c, collection.Train)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	set := triples(b, filepath.Join(dir, "train.tsv"), pairs)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, negatives := range []int{0, 1} {
		b.Run(fmt.Sprintf("negatives=%d", negatives), func(b *testing.B) {
			l, err := loader.Open(context.Background(), set, tok, loader.Options{
				Batch: 32, Seed: 1, Order: batch.Shuffle, Negatives: negatives, MaxQuery: 64, MaxDocument: 256, Threads: 1, CacheDir: dir,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			step, tokens := 0, 0
			for b.Loop() {
				loaded, err := l.At(step)
				if err != nil {
					b.Fatal(err)
				}
				for _, ids := range append(loaded.Queries, loaded.Documents...) {
					tokens += len(ids)
				}
				step++
			}
			b.ReportMetric(float64(32*b.N)/b.Elapsed().Seconds(), "examples/s")
			b.ReportMetric(float64(tokens)/float64(32*b.N), "tokens/example")
		})
	}
}

// triples writes pairs ten times over, each with the document of a pair far away.
func triples(b *testing.B, path string, pairs []examples.Pair) examples.Set {
	b.Helper()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(file)
	plain := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	for i := range 10 * len(pairs) {
		p, other := pairs[i%len(pairs)], pairs[(i*31+977)%len(pairs)]
		fmt.Fprintf(w, "%s\t%s\t%s\n", plain.Replace(p.Query), plain.Replace(p.Positive), plain.Replace(other.Positive))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	set, err := examples.FindFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return set
}
