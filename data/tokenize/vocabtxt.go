package tokenize

import (
	"encoding/json/v2"
	"fmt"
	"strings"
)

// fromVocab makes BERT's tokenizer.json from a vocab.txt: one token per line; the line's number is its id. As in
// transformers, the last line counts for a token that occurs twice.
func (s *settings) fromVocab(path string, data []byte) (*Tokenizer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("read tokenizer %q: has %d bytes, more than %d", path, len(data), maxFile)
	}
	vocab := map[string]int{}
	text := strings.TrimSuffix(string(data), "\n")
	for i, line := range strings.Split(text, "\n") {
		vocab[strings.TrimRight(line, " \t\r")] = i
	}
	roles := s.roles(kindBERT, func(content string) bool { _, ok := vocab[content]; return ok })
	unknown := roles["unk_token"].Content
	for _, key := range []string{"unk_token", "cls_token", "sep_token"} {
		token := defaultRoles(kindBERT)[key]
		if named, ok := s.named[key]; ok {
			token = named.Content
		}
		if _, ok := vocab[token]; !ok {
			return nil, fmt.Errorf("read tokenizer %q: no line is %q, the %s; allowed: one token per line, that one among them", path, token, key)
		}
	}
	file, err := json.Marshal(map[string]any{
		"version": "1.0", "added_tokens": []addedJSON{}, "truncation": nil, "padding": nil, "post_processor": nil,
		"normalizer": map[string]any{
			"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": s.chinese, "strip_accents": s.accents, "lowercase": s.lower,
		},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
		"decoder":       map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": map[string]any{
			"type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab,
		},
	}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %q: %w", path, err)
	}
	return Parse(path, file)
}
