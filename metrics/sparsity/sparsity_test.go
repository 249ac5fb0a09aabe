package sparsity_test

import (
	"bufio"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"headroom/metrics/sparsity"
)

func TestCountsWorkedByHand(t *testing.T) {
	var queries, documents sparsity.Counter
	queries.Add([]uint32{0, 2})
	queries.Add([]uint32{2, 5})
	for _, document := range [][]uint32{{2, 3}, {0, 2, 3}, {}, {3}} {
		documents.Add(document)
	}
	if queries.N() != 2 || queries.Mean() != 2 || documents.N() != 4 || documents.Mean() != 1.5 {
		t.Errorf("queries %d × %v, documents %d × %v", queries.N(), queries.Mean(), documents.N(), documents.Mean())
	}
	// Term 0: 1/2 · 1/4; term 2: 2/2 · 2/4; terms 3 and 5 are on one side only.
	if got := sparsity.FLOPS(&queries, &documents); got != 0.625 {
		t.Errorf("FLOPS %v, want 0.625", got)
	}
	if got := sparsity.FLOPS(&documents, &queries); got != 0.625 {
		t.Errorf("FLOPS the other way round %v", got)
	}
	if documents.Frequency(3) != 3 || documents.Frequency(1) != 0 || documents.Frequency(1<<31) != 0 || documents.Used() != 3 {
		t.Errorf("frequencies %d, %d, used %d", documents.Frequency(3), documents.Frequency(1), documents.Used())
	}
}

func TestNothingCountedIsZero(t *testing.T) {
	var none, empty, one sparsity.Counter
	empty.Add(nil)
	one.Add([]uint32{1})
	for _, pair := range [][2]*sparsity.Counter{{&none, &one}, {&one, &none}, {&none, &none}, {&empty, &one}} {
		if got := sparsity.FLOPS(pair[0], pair[1]); got != 0 {
			t.Errorf("FLOPS %v", got)
		}
	}
	if none.Mean() != 0 || none.N() != 0 || empty.Mean() != 0 || empty.N() != 1 {
		t.Error("an empty counter counts something")
	}
}

func TestMergingIsCountingTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var whole sparsity.Counter
	parts := make([]sparsity.Counter, 3)
	for i := range 100 {
		var terms []uint32
		for term := range uint32(10 + 40*(i%3)) {
			if random.IntN(4) == 0 {
				terms = append(terms, term)
			}
		}
		whole.Add(terms)
		parts[i%3].Add(terms)
	}
	var merged sparsity.Counter
	for i := range parts {
		merged.Merge(&parts[i])
	}
	if merged.N() != whole.N() || merged.Mean() != whole.Mean() || sparsity.FLOPS(&merged, &whole) != sparsity.FLOPS(&whole, &whole) {
		t.Error("the merged counter differs")
	}
}

// FLOPS is by definition the mean number of terms that a query and a document share, over all pairs.
func TestFLOPSOfRealVectorsIsTheMeanOverAllPairs(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: real vectors are not there")
	}
	documents := readTerms(t, filepath.Join(root, "vectors/seismic_toy/documents.jsonl"))
	queries := readTerms(t, filepath.Join(root, "vectors/seismic_toy/queries.jsonl"))
	if len(documents) != 20 || len(queries) != 5 {
		t.Fatalf("%d documents, %d queries", len(documents), len(queries))
	}
	numbers := map[string]uint32{}
	count := func(vectors []map[string]float32) (counter sparsity.Counter, active int) {
		for _, vector := range vectors {
			var terms []uint32
			for word := range vector {
				if _, known := numbers[word]; !known {
					numbers[word] = uint32(len(numbers))
				}
				terms = append(terms, numbers[word])
			}
			counter.Add(terms)
			active += len(vector)
		}
		return counter, active
	}
	d, activeDocuments := count(documents)
	q, activeQueries := count(queries)
	if d.Mean() != float64(activeDocuments)/20 || q.Mean() != float64(activeQueries)/5 {
		t.Errorf("active dims %v and %v", d.Mean(), q.Mean())
	}
	if math.Round(d.Mean()) != 145 || math.Round(q.Mean()) != 43 {
		t.Errorf("active dims %v and %v, known are 145 and 43", d.Mean(), q.Mean())
	}
	shared := 0
	for _, query := range queries {
		for _, document := range documents {
			for word := range query {
				if _, both := document[word]; both {
					shared++
				}
			}
		}
	}
	if got, want := sparsity.FLOPS(&q, &d), float64(shared)/100; math.Abs(got-want) > 1e-12 || shared == 0 {
		t.Errorf("FLOPS %v, mean over pairs %v", got, want)
	}
}

func readTerms(t *testing.T, path string) (vectors []map[string]float32) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row struct{ Vector map[string]float32 }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, row.Vector)
	}
	return vectors
}
