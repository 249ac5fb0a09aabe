package tokenize_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

func TestReaderRefusesWhatItDoesNotKnow(t *testing.T) {
	tests := []struct{ name, base, path, value, want string }{
		{"an unknown member", "wordpiece", "extra", `1`, `extra: unknown member`},
		{"another version", "wordpiece", "version", `"2.0"`, `version: "2.0" is not implemented`},
		{"a normalizer", "wordpiece", "normalizer", `{"type":"Precompiled","precompiled_charsmap":""}`, `normalizer.type: "Precompiled" is not implemented; known: BertNormalizer, Lowercase`},
		{"a normalizer in a sequence", "wordpiece", "normalizer", `{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Nmt"}]}`, `normalizer.normalizers[1].type: "Nmt"`},
		{"a normalizer without a type", "wordpiece", "normalizer", `{"lowercase":true}`, `normalizer.type: ""`},
		{"a normalizer that is a string", "wordpiece", "normalizer", `"NFC"`, `normalizer: must be an object with a type, or null`},
		{"a member of a normalizer", "wordpiece", "normalizer", `{"type":"NFC","x":1}`, `normalizer.x: unknown member`},
		{"a switch that is missing", "wordpiece", "normalizer", `{"type":"BertNormalizer","clean_text":true}`, `normalizer: clean_text, handle_chinese_chars and lowercase must be`},
		{"a switch that is a number", "wordpiece", "normalizer", `{"type":"BertNormalizer","clean_text":1}`, `normalizer.clean_text: a JSON number does not fit bool`},
		{"a regular expression", "wordpiece", "normalizer", `{"type":"Replace","pattern":{"Regex":"a+"},"content":"b"}`, `normalizer.pattern: only a String pattern`},
		{"a replacement of nothing", "wordpiece", "normalizer", `{"type":"Replace","pattern":{"String":""},"content":"b"}`, `normalizer.pattern.String: must not be empty`},
		{"replacements that multiply", "wordpiece", "normalizer", `{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaa"},{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaa"}]}`, `more than 64 times longer`},
		{"a pre-tokenizer", "wordpiece", "pre_tokenizer", `{"type":"Metaspace","replacement":"▁"}`, `pre_tokenizer.type: "Metaspace" is not implemented; known: BertPreTokenizer, ByteLevel`},
		{"a behavior", "wordpiece", "pre_tokenizer", `{"type":"Punctuation","behavior":"MergedWithNext"}`, `pre_tokenizer.behavior: "MergedWithNext" is not implemented`},
		{"something after bytes", "bpe", "pre_tokenizer", `{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},{"type":"WhitespaceSplit"}]}`, `pre_tokenizer.pretokenizers[1]: nothing may follow ByteLevel`},
		{"BPE without bytes", "bpe", "pre_tokenizer", `{"type":"WhitespaceSplit"}`, `pre_tokenizer: a BPE model is implemented with ByteLevel`},
		{"WordPiece on bytes", "wordpiece", "pre_tokenizer", `{"type":"ByteLevel","add_prefix_space":false}`, `pre_tokenizer: ByteLevel does not go with`},
		{"a model", "wordpiece", "model", `{"type":"Unigram","unk_id":0,"vocab":[["a",0.5]]}`, `model.type: "Unigram" is not implemented; known: BPE, WordPiece`},
		{"no model", "wordpiece", "model", `null`, `model: must be an object`},
		{"dropout", "bpe", "model.dropout", `0.1`, `model.dropout: 0.1 is not implemented`},
		{"a byte fallback", "bpe", "model.byte_fallback", `true`, `model.byte_fallback: true is not implemented`},
		{"a suffix", "bpe", "model.end_of_word_suffix", `"</w>"`, `model.end_of_word_suffix: "</w>" is not implemented`},
		{"a post-processor", "wordpiece", "post_processor", `{"type":"Other"}`, `post_processor.type: "Other" is not implemented; known: BertProcessing`},

		{"an empty vocabulary", "wordpiece", "model.vocab", `{}`, `model.unk_token: "[UNK]" is not in model.vocab`},
		{"an id twice", "wordpiece", "model.vocab", `{"[UNK]":1,"a":1}`, `model.vocab.a: id 1 is also the id of "[UNK]"`},
		{"a token twice", "wordpiece", "model.vocab", `{"a":1,"a":2}`, `duplicate object member name "a"`},
		{"a negative id", "wordpiece", "model.vocab", `{"[UNK]":1,"a":-1}`, `model.vocab.a: id -1 is outside 0 …`},
		{"an id beyond all", "wordpiece", "model.vocab", `{"[UNK]":1,"a":4000000000}`, `model.vocab.a: id 4000000000 is outside 0 …`},
		{"an id that is a fraction", "wordpiece", "model.vocab", `{"a":1.5}`, `model.vocab.a`},
		{"no unknown token", "wordpiece", "model.unk_token", `"[NONE]"`, `model.unk_token: "[NONE]" is not in model.vocab`},
		{"words of any length", "wordpiece", "model.max_input_chars_per_word", `100000000000`, `model.max_input_chars_per_word: must be 0 … 10000`},
		{"a merge out of the vocabulary", "bpe", "model.merges", `["zz qq"]`, `model.merges[0]: "zz" is not in model.vocab`},
		{"a merge of three", "bpe", "model.merges", `["a b c"]`, `model.merges[0]: "a b c" must be two tokens`},
		{"a merge of one", "bpe", "model.merges", `[["a"]]`, `model.merges[0]: has 1 parts`},
		{"a merge that is a number", "bpe", "model.merges", `[7]`, `model.merges[0]`},
		{"an added token's other id", "wordpiece", "added_tokens", `[{"id":7,"content":"[UNK]"}]`, `added_tokens[0]: "[UNK]" has id 7, but 1 in model.vocab`},
		{"an added token's taken id", "wordpiece", "added_tokens", `[{"id":3,"content":"new"}]`, `added_tokens[0]: id 3 is also the id of "[SEP]"`},
		{"an added token far away", "wordpiece", "added_tokens", `[{"id":3000000,"content":"new"}]`, `added_tokens[0]: id 3000000 is outside`},
		{"an empty added token", "wordpiece", "added_tokens", `[{"id":600,"content":""}]`, `added_tokens[0].content: must not be empty`},
		{"added tokens that are one", "wordpiece", "added_tokens", `[{"id":600,"content":"NEW","normalized":true},{"id":601,"content":"new","normalized":true}]`, `added_tokens[1].content: "new" cannot be told from "NEW"`},
		{"a template's wrong id", "wordpiece", "post_processor", `{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",2]}`, `post_processor.sep: id 2 is "[CLS]" in the vocabulary, not "[SEP]"`},
		{"a template's id beyond", "wordpiece", "post_processor", `{"type":"BertProcessing","sep":["[SEP]",999999],"cls":["[CLS]",2]}`, `post_processor.sep: id 999999 is outside`},
		{"a template without text", "wordpiece", "post_processor", `{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}`, `post_processor.single: must name sequence A`},
		{"a template of a second text", "wordpiece", "post_processor", `{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B","type_id":0}}],"pair":[],"special_tokens":{}}`, `post_processor.single[0].Sequence.id`},
		{"a template's unlisted token", "wordpiece", "post_processor", `{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[Q]","type_id":0}}],"pair":[],"special_tokens":{}}`, `"[Q]" is not in special_tokens`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := variant{Base: test.base, Changes: map[string]json.RawMessage{test.path: json.RawMessage(test.value)}}
			_, err := tokenize.Parse("tokenizer.json", v.apply(t))
			if err == nil {
				t.Fatal("was read")
			}
			if !strings.HasPrefix(err.Error(), `read tokenizer "tokenizer.json": `) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestReaderRefusesNestingWithoutEnd(t *testing.T) {
	for path, key := range map[string]string{"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors"} {
		deep := strings.Repeat(`{"type":"Sequence","`+key+`":[`, 20) + strings.Repeat(`]}`, 20)
		v := variant{Base: "wordpiece", Changes: map[string]json.RawMessage{path: json.RawMessage(deep)}}
		if _, err := tokenize.Parse("x", v.apply(t)); err == nil || !strings.Contains(err.Error(), "nested deeper than 8") {
			t.Errorf("%s: %v", path, err)
		}
	}
	wide := `{"type":"Sequence","normalizers":[` + strings.Repeat(`{"type":"NFD"},`, 40) + `{"type":"NFD"}]}`
	v := variant{Base: "wordpiece", Changes: map[string]json.RawMessage{"normalizer": json.RawMessage(wide)}}
	if _, err := tokenize.Parse("x", v.apply(t)); err == nil || !strings.Contains(err.Error(), "more than 32 normalizers") {
		t.Errorf("%v", err)
	}
}

func TestDamagedFilesAreErrors(t *testing.T) {
	data := referenceFile(t, "bpe.json")
	for _, size := range []int{0, 1, 10, len(data) / 2, len(data) - 3} {
		if _, err := tokenize.Parse("cut", data[:size]); err == nil {
			t.Errorf("%d of %d bytes were read", size, len(data))
		}
	}
	if _, err := tokenize.Parse("more", append(data[:len(data):len(data)], '{')); err == nil {
		t.Error("a file with something after its end was read")
	}
	folder := t.TempDir()
	missing := filepath.Join(folder, "tokenizer.json")
	if _, err := tokenize.Load(missing); err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := tokenize.Load(folder); err == nil {
		t.Error("a folder was read")
	}
}

// Files from before models and byte-level components wrote all of their members must still load.
func TestOlderFilesLoad(t *testing.T) {
	for _, base := range []string{"wordpiece", "bpe"} {
		var file map[string]json.RawMessage
		if err := json.Unmarshal(referenceFile(t, base+".json"), &file); err != nil {
			t.Fatal(err)
		}
		var model map[string]json.RawMessage
		if err := json.Unmarshal(file["model"], &model); err != nil {
			t.Fatal(err)
		}
		for _, later := range []string{"type", "byte_fallback", "ignore_merges", "dropout"} {
			delete(model, later)
		}
		file["model"] = marshal(t, model)
		delete(file, "truncation")
		tokenizer, err := tokenize.Parse(base, marshal(t, file))
		if err != nil {
			t.Fatal(err)
		}
		g := newGenerator(t)
		g.compare(t, tokenizer, referenceFile(t, base+".digests")[:3000])
	}
}
