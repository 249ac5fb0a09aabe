package tokenize

import (
	"cmp"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// TrainOptions describes the vocabulary that TrainWordPiece makes.
type TrainOptions struct {
	VocabSize    int      // upper bound on the number of tokens, special ones and single characters included; must be set
	MinFrequency int      // two pieces are joined only if they are neighbours this often in the texts; 0 counts as 1
	Lowercase    bool     // lower-case texts and strip accents, in training and in encoding
	Alphabet     int      // number of characters to keep, the most frequent first; 0 = 1000. A word with another character is [UNK]
	Special      []string // further special tokens, after the five; found in a text as written
}

const (
	trainedPrefix   = "##"
	trainedMaxChars = 100
	trainedUnknown  = "[UNK]"
	defaultAlphabet = 1000
)

// trainedSpecial returns the first tokens of a trained vocabulary. Their positions are their ids.
func trainedSpecial() []string { return []string{"[PAD]", trainedUnknown, "[CLS]", "[SEP]", "[MASK]"} }

// TrainWordPiece makes a WordPiece vocabulary from texts. It begins with single characters and joins the most frequent
// pair of neighbouring pieces until the vocabulary is full. The same texts in any order give the same bytes. The result
// is a BERT tokenizer (BertNormalizer, BertPreTokenizer, [CLS] text [SEP]) whose Bytes the reference library loads.
func TrainWordPiece(texts iter.Seq[string], opt TrainOptions) (*Tokenizer, error) {
	special := append(trainedSpecial(), opt.Special...)
	for i, token := range special {
		if token == "" || !utf8.ValidString(token) || slices.Contains(special[:i], token) {
			return nil, fmt.Errorf("train vocabulary: special token %q is empty, not UTF-8 or listed twice", token)
		}
	}
	counts := countWords(texts, opt)
	if len(counts) == 0 {
		return nil, errors.New("train vocabulary: the texts have no words")
	}
	letters := alphabet(counts, cmp.Or(opt.Alphabet, defaultAlphabet))
	trainer := newTrainer(special, letters, counts)
	if len(trainer.tokens) > opt.VocabSize {
		return nil, fmt.Errorf("train vocabulary: size %d is less than the %d special tokens and characters of the texts",
			opt.VocabSize, len(trainer.tokens))
	}
	trainer.run(opt.VocabSize, int64(max(1, opt.MinFrequency)))
	return Parse("trained vocabulary", trainedFile(trainer.tokens, special, opt.Lowercase))
}

// countWords normalizes and splits texts as the trained tokenizer will.
func countWords(texts iter.Seq[string], opt TrainOptions) map[string]int64 {
	c := newClasses()
	rules := bertRules{clean: true, chinese: true, accents: opt.Lowercase, lower: opt.Lowercase}
	normalize := rules.step(c, &forms{classes: c})
	split := preTokenizers{splitters: []splitter{
		c.delimited(classSpace, behaviorRemoved), c.delimited(classPunctuation, behaviorIsolated),
	}}
	counts := make(map[string]int64)
	for text := range texts {
		split.split(0, normalize(wellFormed(text)), func(word string) {
			if utf8.RuneCountInString(word) <= trainedMaxChars {
				counts[word]++
			}
		})
	}
	return counts
}

// alphabet returns the most frequent characters, in order of code point.
func alphabet(counts map[string]int64, limit int) []rune {
	frequency := make(map[rune]int64)
	for word, n := range counts {
		for _, r := range word {
			frequency[r] += n
		}
	}
	letters := slices.SortedFunc(maps.Keys(frequency), func(a, b rune) int {
		return cmp.Or(cmp.Compare(frequency[b], frequency[a]), cmp.Compare(a, b))
	})
	letters = letters[:min(len(letters), limit)]
	slices.Sort(letters)
	return letters
}

// trainedFile writes the tokenizer.json.
func trainedFile(tokens, special []string, lower bool) []byte {
	quote := func(text string) string {
		quoted, _ := jsontext.AppendQuote(nil, text) // fails on ill-formed text only
		return string(quoted)
	}
	out := []byte("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [")
	for id, token := range special {
		if id > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "\n    {\"id\": %d, \"content\": %s, \"single_word\": false, \"lstrip\": false, "+
			"\"rstrip\": false, \"normalized\": false, \"special\": true}", id, quote(token))
	}
	out = fmt.Appendf(out, `
  ],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": %t},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
    "special_tokens": {
      "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
      "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}
    }
  },
  "decoder": {"type": "WordPiece", "prefix": %q, "cleanup": true},
  "model": {
    "type": "WordPiece",
    "unk_token": %q,
    "continuing_subword_prefix": %q,
    "max_input_chars_per_word": %d,
    "vocab": {`, lower, trainedPrefix, trainedUnknown, trainedPrefix, trainedMaxChars)
	for id, token := range tokens {
		if id > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "\n      %s: %d", quote(token), id)
	}
	return append(out, "\n    }\n  }\n}\n"...)
}
