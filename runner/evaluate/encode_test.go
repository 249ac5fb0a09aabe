package evaluate_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/evaluate"
	"headroom/runner/search"
)

// rare stands in no text of small's but where a test puts it.
const rare = "z"

// small is a tiny model, a tokenizer for it, and texts enough for many batches.
func small(t *testing.T, threads int) (*engine.Model, *tokenize.Tokenizer, []string) {
	t.Helper()
	e, err := engine.Open("go", threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ck, err := hf.Load("../../internal/reference/testdata/modernbert-untied", hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.NewModel(e, ck, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	for v := range m.DecoderBias().Values {
		m.DecoderBias().Values[v] -= float32(v%5) / 4
	}
	r := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, 700)
	for i := range texts {
		words := make([]string, 1+r.IntN(30))
		for j := range words {
			words[j] = string(rune('a' + r.IntN(18)))
		}
		texts[i] = strings.Join(words, " ")
	}
	tokenizer, err := tokenize.TrainWordPiece(slices.Values(append(texts, rare)), tokenize.TrainOptions{VocabSize: ck.Config.Vocab})
	if err != nil {
		t.Fatal(err)
	}
	return m, tokenizer, texts
}

func TestBatchesAtTheSameTimeGiveTheSameVectors(t *testing.T) {
	var want []search.Vector
	for _, threads := range []int{1, 2, 7} {
		m, tokenizer, texts := small(t, threads)
		last := 0
		got, err := evaluate.FromModel(m, tokenizer, splade.Form{}, evaluate.EncoderOptions{}).Encode(t.Context(), texts, 40, func(done, total int) {
			if done <= last || total != len(texts) {
				t.Errorf("progress says %d of %d after %d", done, total, last)
			}
			last = done
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != len(texts) {
			t.Errorf("progress ended at %d of %d", last, len(texts))
		}
		if threads == 1 {
			want = got
			checkAgainstPool(t, m, tokenizer, texts, got)
			continue
		}
		for i := range want {
			if !slices.Equal(got[i].Terms, want[i].Terms) || !slices.Equal(got[i].Weights, want[i].Weights) {
				t.Fatalf("%d threads, text %d: %v, want %v", threads, i, got[i], want[i])
			}
		}
	}
}

// checkAgainstPool compares vectors with plainly pooled logits of each text alone.
// Alone it has other padding, so that float32 sums may be taken in another order.
func checkAgainstPool(t *testing.T, m *engine.Model, tokenizer *tokenize.Tokenizer, texts []string, got []search.Vector) {
	t.Helper()
	active := 0
	for i := 0; i < len(texts); i += 9 {
		pooled, err := m.Pool([][]int32{tokenizer.Encode(texts[i], 40)})
		if err != nil {
			t.Fatal(err)
		}
		dense := make([]float64, len(pooled))
		for k, term := range got[i].Terms {
			dense[term] = float64(got[i].Weights[k])
		}
		for v, z := range pooled {
			if want := math.Log1p(math.Max(0, float64(z))); math.Abs(dense[v]-want) > 1e-5 {
				t.Fatalf("text %d term %d: %g, want %g", i, v, dense[v], want)
			}
		}
		active += len(got[i].Terms)
	}
	if all := (len(texts) + 8) / 9 * m.Config.Vocab; active == 0 || active == all {
		t.Fatalf("%d of %d weights are positive: nothing to compare", active, all)
	}
}

// Of several texts at fault the one in the first batch is named, whoever is faster.
func TestTheFirstFaultIsTold(t *testing.T) {
	m, tokenizer, texts := small(t, 4)
	id, ok := tokenizer.ID(rare)
	if !ok {
		t.Fatalf("%q is no token", rare)
	}
	m.Param(m.Config.EmbeddingName()).Values[int(id)*m.Config.Embedding] = float32(math.NaN())
	for i, text := range texts {
		texts[i] = strings.Repeat("a ", len(strings.Fields(text)))
	}
	texts[300] = strings.TrimSpace(strings.Repeat("a ", 35)) + " " + rare
	texts[20], texts[500] = rare, "a "+rare
	enc := evaluate.FromModel(m, tokenizer, splade.Form{}, evaluate.EncoderOptions{})
	for range 5 {
		vectors, err := enc.Encode(t.Context(), texts, 40, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "encode text 300: ") || vectors != nil {
			t.Fatalf("error is %v, want one of text 300, and no vectors", err)
		}
	}
}

func TestEncodingStopsWhenItIsCancelled(t *testing.T) {
	m, tokenizer, texts := small(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls := 0
	_, err := evaluate.FromModel(m, tokenizer, splade.Form{}, evaluate.EncoderOptions{}).Encode(ctx, texts, 40, func(int, int) {
		calls++
		cancel()
	})
	if !errors.Is(err, context.Canceled) || calls > 2 {
		t.Errorf("error is %v after %d batches, want %v after one or two", err, calls, context.Canceled)
	}
}
