package tokenize_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

func TestTrainingDoesNotDependOnTheOrderOfTexts(t *testing.T) {
	forward := trainedTokenizer(t, func(i int) int { return i })
	backward := trainedTokenizer(t, func(i int) int { return 2999 - i })
	if !bytes.Equal(forward.Bytes(), backward.Bytes()) {
		t.Error("the same texts in another order give another vocabulary")
	}
}

func TestTrainingByHand(t *testing.T) {
	texts := []string{"aab aab AAB", "aab b!", "ab"}
	tokenizer, err := tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: 100, Lowercase: true, Special: []string{"[Q]"}})
	if err != nil {
		t.Fatal(err)
	}
	// Five times aab is one a ab; ##a ##b occurs 4 times, a ##a 4 times, a ##b once. Of equal counts the older pieces
	// go first: a is older than ##a. So: aa, then aa ##b → aab, then a ##b → ab.
	want := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q]", "!", "a", "b", "##a", "##b", "aa", "aab", "ab"}
	ids := make([]int32, tokenizer.VocabSize())
	for i := range ids {
		ids[i] = int32(i)
	}
	if got := tokenizer.Tokens(ids); !slices.Equal(got, want) {
		t.Errorf("tokens are\n%q, want\n%q", got, want)
	}
	if got := tokenizer.Encode("AAB b! [Q] c", 0); !slices.Equal(got, []int32{2, 12, 8, 6, 5, 1, 3}) {
		t.Errorf("ids are %v", got)
	}
	// At a frequency of 4 at least, a ##b is not joined.
	tokenizer, err = tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: 100, Lowercase: true, MinFrequency: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tokenizer.ID("ab"); ok || tokenizer.VocabSize() != 12 {
		t.Errorf("a rare pair was joined: %d tokens", tokenizer.VocabSize())
	}
	// Without lower-casing AAB is another word.
	tokenizer, err = tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tokenizer.ID("AAB"); !ok {
		t.Error("AAB is not a token")
	}
	if special := tokenizer.Special(); special != (tokenize.Special{CLS: 2, SEP: 3, PAD: 0, MASK: 4, UNK: 1}) {
		t.Errorf("special tokens are %+v", special)
	}
}

// worldTexts is a small world of repeated words, as the built-in collection is one.
func worldTexts() (texts []string, words map[string]bool) {
	words = make(map[string]bool)
	rng := splitMix(7)
	syllables := strings.Fields("ba ke li mo nu ra se ti vo zu gran pol dech shi worm leth")
	word := func() string {
		w := ""
		for range 2 + rng.below(3) {
			w += syllables[rng.below(len(syllables))]
		}
		words[w] = true
		return w
	}
	list := make([]string, 600)
	for i := range list {
		list[i] = word()
	}
	for range 4000 {
		texts = append(texts, fmt.Sprintf("The %s of %s is %s, and %s.", list[rng.below(600)], list[rng.below(600)], list[rng.below(600)], list[rng.below(600)]))
	}
	return texts, words
}

func TestWordsOfASmallWorldBecomeTokens(t *testing.T) {
	texts, words := worldTexts()
	tokenizer, err := tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: 2048, MinFrequency: 2, Lowercase: true})
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for word := range maps.Keys(words) {
		if len(tokenizer.Encode(word, 0)) == 3 {
			whole++
		}
	}
	if whole*100 < 95*len(words) {
		t.Errorf("%d of %d words are whole tokens, want 95 %%", whole, len(words))
	}
	for _, text := range texts {
		if slices.Contains(tokenizer.Encode(text, 0), tokenizer.Special().UNK) {
			t.Fatalf("%q has an unknown word", text)
		}
	}
}

func TestVocabularyHasTheSizeAskedFor(t *testing.T) {
	texts, _ := worldTexts()
	for _, size := range []int{80, 300, 800} {
		tokenizer, err := tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: size, Lowercase: true})
		if err != nil {
			t.Fatal(err)
		}
		if tokenizer.VocabSize() != size {
			t.Errorf("%d tokens, want %d", tokenizer.VocabSize(), size)
		}
	}
}

func TestTrainingRefusesWhatCannotWork(t *testing.T) {
	for name, test := range map[string]struct {
		texts []string
		opt   tokenize.TrainOptions
		want  string
	}{
		"no words":              {[]string{"", " \n"}, tokenize.TrainOptions{VocabSize: 100}, "the texts have no words"},
		"no size":               {[]string{"abc"}, tokenize.TrainOptions{}, "size 0 is less than the 10 special tokens and characters"},
		"too small":             {[]string{"abc"}, tokenize.TrainOptions{VocabSize: 9}, "size 9 is less than the 10"},
		"a special token twice": {[]string{"abc"}, tokenize.TrainOptions{VocabSize: 99, Special: []string{"[PAD]"}}, `special token "[PAD]" is empty, not UTF-8 or listed twice`},
		"an empty one":          {[]string{"abc"}, tokenize.TrainOptions{VocabSize: 99, Special: []string{""}}, `special token "" is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tokenize.TrainWordPiece(slices.Values(test.texts), test.opt); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %s", err, test.want)
			}
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	texts, _ := worldTexts()
	for b.Loop() {
		if _, err := tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: 4096, Lowercase: true}); err != nil {
			b.Fatal(err)
		}
	}
}
