package tokenize_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

// FuzzParse: a hostile file is an error or a tokenizer that works, never a panic.
func FuzzParse(f *testing.F) {
	var variants []variant
	if err := json.Unmarshal(referenceFile(f, "variants.json"), &variants); err != nil {
		f.Fatal(err)
	}
	for _, v := range variants {
		// Seeds must be small for the fuzzer to get anywhere; these models keep a few tokens.
		v.Changes["added_tokens"] = json.RawMessage(`[{"id":1,"content":"[UNK]","special":true},{"id":9,"content":"x","lstrip":true,"normalized":true}]`)
		v.Changes["model"] = json.RawMessage(`{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"##a":5,"ab":6}}`)
		if v.Base == "bpe" {
			v.Changes["model"] = json.RawMessage(`{"type":"BPE","fuse_unk":true,"vocab":{"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"b":5,"ab":6,"Ġ":7,"Ġab":8},"merges":["a b",["Ġ","ab"]]}`)
		}
		for path := range v.Changes {
			if strings.HasPrefix(path, "model.") {
				delete(v.Changes, path)
			}
		}
		f.Add(v.apply(f), "The ab  x [UNK] é\u0301中 \xff")
	}
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		tokenizer, err := tokenize.Parse("fuzz", file)
		if err != nil {
			return
		}
		for _, limit := range []int{0, 5} {
			check(t, tokenizer, text, limit)
		}
	})
}

// FuzzEncode: every text has ids of the vocabulary, no more than asked for, and limits only cut the end off.
func FuzzEncode(f *testing.F) {
	g := newGenerator(f)
	for i := range 200 {
		f.Add(g.text(i), i%40)
	}
	tokenizers := []*tokenize.Tokenizer{small(f, "wordpiece"), small(f, "bpe")}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		for _, tokenizer := range tokenizers {
			check(t, tokenizer, text, limit)
		}
	})
}

func check(t *testing.T, tokenizer *tokenize.Tokenizer, text string, limit int) {
	t.Helper()
	limit = max(0, min(limit, 1<<20))
	ids := tokenizer.Encode(text, limit)
	if limit > 0 && len(ids) > limit {
		t.Errorf("%q: %d ids, at most %d were asked for", text, len(ids), limit)
	}
	for _, id := range ids {
		if id < 0 || int(id) >= tokenizer.VocabSize() || tokenizer.Tokens([]int32{id})[0] == "" {
			t.Errorf("%q: id %d is not in the vocabulary", text, id)
		}
	}
	if again := tokenizer.Encode(text, limit); !slices.Equal(ids, again) {
		t.Errorf("%q: %v at first, then %v", text, ids, again)
	}
	whole := tokenizer.Encode(text, 0)
	if limit == 0 || len(whole) <= limit {
		if !slices.Equal(ids, whole) {
			t.Errorf("%q: %v with limit %d, %v without", text, ids, limit, whole)
		}
	}
}
