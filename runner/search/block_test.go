package search_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/runner/search"
)

// Term t is in one of 2^t documents.
func TestListsOfEveryDensityFindTheSameWithEveryKernel(t *testing.T) {
	const documents, vocab = 5003, 12 // no multiple of 16
	random := rand.New(rand.NewPCG(9, 9))
	c := collection{}
	for i := range documents {
		v := search.Vector{}
		for term := range uint32(vocab) {
			if random.IntN(1<<term) == 0 {
				v.Terms, v.Weights = append(v.Terms, term), append(v.Weights, random.Float32()+0.01)
			}
		}
		c.ids, c.documents = append(c.ids, fmt.Sprintf("%x", i*7919%documents)), append(c.documents, v)
	}
	query := search.Vector{}
	for term := range uint32(vocab) {
		query.Terms, query.Weights = append(query.Terms, term), append(query.Weights, random.Float32()+0.01)
	}
	index, want := build(t, c.ids, c.documents, vocab), c.naive(query, vocab, documents)
	search.EachLevel(func() {
		if got := index.Search(query, documents); !sameHits(got, want) {
			t.Error("the hits differ")
		}
	})
}

func TestAnIndexGivesItsVectorsBack(t *testing.T) {
	c := randomCollection(4, 300, 60, 0)
	index, i := build(t, c.ids, c.documents, 60), 0
	for id, v := range index.All() {
		if id != c.ids[i] || !slices.Equal(v.Terms, c.documents[i].Terms) || !slices.Equal(v.Weights, c.documents[i].Weights) {
			t.Fatalf("document %d is %s %v, want %s %v", i, id, v, c.ids[i], c.documents[i])
		}
		i++
	}
	if i != len(c.ids) {
		t.Errorf("%d documents of %d", i, len(c.ids))
	}
}

// The index is built in blocks on the disk, the terms' final numbers are known at the file's end only.
func TestAFileOfSeveralBlocksIsIndexedOnTheDisk(t *testing.T) {
	const documents = 70_000
	path, dir := filepath.Join(t.TempDir(), "v.jsonl"), filepath.Join(t.TempDir(), "index")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	word := func(i int) string { return fmt.Sprint("w", i*i%1009) }
	for i := range documents {
		fmt.Fprintf(out, "{\"id\":\"%d\",\"vector\":{\"%s\":%d,\"all\":1}}\n", i, word(i), 1+i%7)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := search.IndexFile(context.Background(), path, dir); err != nil {
		t.Fatal(err)
	}
	index, err := search.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	queries, err := index.ReadQueries(strings.NewReader(`{"id":"q","vector":{"w4":2,"all":0.5}}`), "queries")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float32{}
	for i := range documents {
		if want[fmt.Sprint(i)] = 0.5; word(i) == "w4" {
			want[fmt.Sprint(i)] = 0.5 + 2*float32(1+i%7)
		}
	}
	hits := index.Search(queries.Vectors[0], documents)
	for i, hit := range hits {
		if fmt.Sprint(hit.Doc) != hit.ID || want[hit.ID] != hit.Score {
			t.Fatalf("document %d is %s with score %v, want %v", hit.Doc, hit.ID, hit.Score, want[hit.ID])
		}
		if i > 0 && (hits[i-1].Score < hit.Score || hits[i-1].Score == hit.Score && hits[i-1].ID <= hit.ID) {
			t.Fatalf("%v comes before %v", hits[i-1], hit)
		}
	}
	if len(hits) != documents || index.Postings() != 2*documents {
		t.Errorf("%d hits, %d postings", len(hits), index.Postings())
	}
}

func TestEveryHalfIsItselfAndOthersAreRounded(t *testing.T) {
	for half := uint16(1); half < 0x7c00; half++ {
		f := search.FromHalf(half)
		exponent, mantissa := int(half>>10), float64(half&0x3ff)
		want := math.Ldexp(1024+mantissa, exponent-25)
		if exponent == 0 {
			want = math.Ldexp(mantissa, -24)
		}
		if float64(f) != want || search.ToHalf(f) != half {
			t.Fatalf("half %#x is %v and again %#x, want %v", half, f, search.ToHalf(f), want)
		}
		if half == 0x7bff {
			break
		}
		next := search.FromHalf(half + 1)
		between := (f + next) / 2 // exact: a float32 has the digits
		even := half + half&1
		for x, want := range map[float32]uint16{between: even, math.Nextafter32(between, 0): half, math.Nextafter32(between, next): half + 1} {
			if got := search.ToHalf(x); got != want {
				t.Fatalf("%v between %v and %v became %#x, want %#x", x, f, next, got, want)
			}
		}
	}
	for _, tiny := range []float32{math.SmallestNonzeroFloat32, 1e-20, 0x1p-25} {
		if got := search.ToHalf(tiny); got != 1 {
			t.Errorf("%v became %#x: a weight above 0 stays above 0", tiny, got)
		}
	}
}

func TestWeightsOfSixteenBitsFindWhatTheirRoundedWeightsWould(t *testing.T) {
	c := randomCollection(12, 400, 50, 0)
	builder := search.NewBuilder(search.Options{Half: true})
	rounded := make([]search.Vector, len(c.documents))
	for i, v := range c.documents {
		if err := builder.Add(c.ids[i], v); err != nil {
			t.Fatal(err)
		}
		rounded[i].Terms = v.Terms
		for _, weight := range v.Weights {
			rounded[i].Weights = append(rounded[i].Weights, search.FromHalf(search.ToHalf(weight)))
		}
	}
	half, err := builder.Finish()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "index")
	if err := half.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := search.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := build(t, c.ids, rounded, 0)
	search.EachLevel(func() {
		for _, query := range c.queries {
			if a, b, c := half.Search(query, 30), loaded.Search(query, 30), want.Search(query, 30); !reflect.DeepEqual(a, c) || !reflect.DeepEqual(b, c) {
				t.Fatalf("found %v and %v, want %v", a, b, c)
			}
		}
	})
	err = search.NewBuilder(search.Options{Half: true}).Add("heavy", search.Vector{Terms: []uint32{3}, Weights: []float32{65505}})
	if err == nil || !strings.Contains(err.Error(), `document "heavy": term 3 has weight 65505`) {
		t.Errorf("got %v", err)
	}
}
