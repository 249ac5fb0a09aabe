package tokenize_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

// scifact returns the documents of the real collection, title and text.
func scifact(tb testing.TB) (texts []string, size int64) {
	tb.Helper()
	file, err := os.Open(dataFile(tb, "beir", "scifact", "corpus.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var document struct{ Title, Text string }
		if err := json.Unmarshal(lines.Bytes(), &document); err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, document.Title+" "+document.Text)
		size += int64(len(texts[len(texts)-1]))
	}
	return texts, size
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"bert-base-uncased", "modernbert"} {
		tokenizer := load(b, dataFile(b, "tokenizers", name, "tokenizer.json"))
		texts, size := scifact(b)
		for _, threads := range []struct {
			name string
			n    int
		}{{"one-thread", 1}, {"all-cores", 0}} {
			b.Run(name+"/"+threads.name, func(b *testing.B) {
				b.SetBytes(size)
				b.ReportAllocs()
				tokens := 0
				for b.Loop() {
					tokens = 0
					for _, ids := range tokenizer.EncodeBatch(texts, 0, threads.n) {
						tokens += len(ids)
					}
				}
				b.ReportMetric(float64(tokens)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
				b.ReportMetric(float64(len(texts)), "texts/op")
			})
		}
	}
}

func BenchmarkLongWord(b *testing.B) {
	for _, name := range []string{"bert-base-uncased", "modernbert"} {
		b.Run(name, func(b *testing.B) {
			tokenizer := load(b, dataFile(b, "tokenizers", name, "tokenizer.json"))
			text := strings.Repeat("abcdefghij", 100_000)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tokenizer.Encode(text, 0)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"bert-base-uncased", "modernbert"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile(dataFile(b, "tokenizers", name, "tokenizer.json"))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokenize.Parse(name, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
