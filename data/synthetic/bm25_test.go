package synthetic_test

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/synthetic"
	"headroom/data/trec"
)

// bm25 is a plain BM25 (k1 0.9, b 0.4, idf ln(1 + (N-n+.5)/(n+.5))) over whatever words the caller cuts.
type bm25 struct {
	ids     []string
	lengths []float64
	counts  map[string]map[int]float64 // word → document → times
	mean    float64
}

func newBM25(docs []collection.Document, cut func(string) []string) *bm25 {
	x := &bm25{counts: map[string]map[int]float64{}}
	for i, d := range docs {
		words := cut(d.Content())
		for _, word := range words {
			if x.counts[word] == nil {
				x.counts[word] = map[int]float64{}
			}
			x.counts[word][i]++
		}
		x.ids, x.lengths = append(x.ids, d.ID), append(x.lengths, float64(len(words)))
		x.mean += float64(len(words)) / float64(len(docs))
	}
	return x
}

func (x *bm25) search(words []string, k int) []string {
	scores := map[int]float64{}
	for _, word := range words {
		n := float64(len(x.counts[word]))
		idf := math.Log(1 + (float64(len(x.ids))-n+.5)/(n+.5))
		for i, tf := range x.counts[word] {
			scores[i] += idf * tf / (tf + .9*(1-.4+.4*x.lengths[i]/x.mean))
		}
	}
	type hit struct {
		id    string
		score float64
	}
	var hits []hit
	for i, score := range scores {
		hits = append(hits, hit{x.ids[i], score})
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(b.id, a.id))
	})
	var found []string
	for _, h := range hits[:min(k, len(hits))] {
		found = append(found, h.id)
	}
	return found
}

func ndcg10(ranked []string, relevant map[string]int) float64 {
	got, ideal := 0.0, 0.0
	for i, id := range ranked[:min(10, len(ranked))] {
		got += float64(relevant[id]) / math.Log2(float64(i)+2)
	}
	for i := range min(10, len(relevant)) { // all grades are 1
		ideal += 1 / math.Log2(float64(i)+2)
	}
	return got / ideal
}

func meanNDCG(x *bm25, cut func(string) []string, texts map[string]string, qrels trec.Qrels) float64 {
	sum := 0.0
	for _, id := range qrels.Queries() {
		sum += ndcg10(x.search(cut(texts[id]), 10), qrels[id])
	}
	return sum / float64(len(qrels))
}

// TestHowFarWordMatchingGoes: word matching finds about half, nothing if no content word is shared, and
// everything once synonyms are merged. These figures are what makes the demo's curves readable.
func TestHowFarWordMatchingGoes(t *testing.T) {
	w := demo(t)
	token := regexp.MustCompile(`\b\w\w+\b`)
	plain := func(text string) []string { return token.FindAllString(strings.ToLower(text), -1) }
	merged := func(text string) []string {
		words := plain(text)
		for i, word := range words {
			if synonyms := w.Synonyms(word); len(synonyms) > 0 {
				words[i] = synonyms[0]
			}
		}
		return words
	}
	texts := map[string]string{}
	for _, q := range w.Queries {
		texts[q.ID] = q.Text
	}
	byWords, byConcepts := newBM25(w.Documents, plain), newBM25(w.Documents, merged)
	for _, c := range []struct {
		name     string
		got      float64
		min, max float64
	}{
		{"test", meanNDCG(byWords, plain, texts, w.Qrels["test"]), .40, .50},
		{"dev", meanNDCG(byWords, plain, texts, w.Qrels["dev"]), .40, .55},
		{"no overlap", meanNDCG(byWords, plain, texts, w.NoOverlap), 0, .005},
		{"test, synonyms merged", meanNDCG(byConcepts, merged, texts, w.Qrels["test"]), .97, 1},
		{"no overlap, synonyms merged", meanNDCG(byConcepts, merged, texts, w.NoOverlap), .97, 1},
	} {
		t.Logf("BM25 nDCG@10, %s: %.4f", c.name, c.got)
		if c.got < c.min || c.got > c.max {
			t.Errorf("BM25 nDCG@10, %s: %.4f is outside %v to %v", c.name, c.got, c.min, c.max)
		}
	}
}

func demo(t *testing.T) *synthetic.World {
	t.Helper()
	w, err := synthetic.New(synthetic.DemoSeed, synthetic.DemoSize())
	if err != nil {
		t.Fatal(err)
	}
	return w
}
