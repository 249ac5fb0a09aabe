package synthetic

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"headroom/data/tokenize"
)

// fullVocabulary is a size at which all words of the world become whole tokens.
const fullVocabulary = 10000

// Tokenizer trains a WordPiece vocabulary on texts of this world until every word is one token, and then removes the
// pieces that are no longer used. Special tokens and single characters stay, so that other texts of these characters
// still have tokens: an unknown word is split into letters.
func Tokenizer(texts []string) (*tokenize.Tokenizer, error) {
	trained, err := tokenize.TrainWordPiece(slices.Values(texts), tokenize.TrainOptions{VocabSize: fullVocabulary, Lowercase: true})
	if err != nil {
		return nil, err
	}
	used := map[int32]bool{}
	for _, text := range texts {
		for _, id := range trained.Encode(text, 0) {
			used[id] = true
		}
	}
	pruned, err := prune(trained.Bytes(), used)
	if err != nil {
		return nil, fmt.Errorf("prune vocabulary: %w", err)
	}
	return tokenize.Parse("built-in vocabulary", pruned)
}

// prune removes the tokens of a tokenizer.json that are neither used, nor a single character, nor a special token. The
// others keep their order.
func prune(file []byte, used map[int32]bool) ([]byte, error) {
	var whole map[string]jsontext.Value
	if err := json.Unmarshal(file, &whole); err != nil {
		return nil, err
	}
	var model map[string]jsontext.Value
	if err := json.Unmarshal(whole["model"], &model); err != nil {
		return nil, err
	}
	var vocabulary map[string]int32
	if err := json.Unmarshal(model["vocab"], &vocabulary); err != nil {
		return nil, err
	}
	var added []struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal(whole["added_tokens"], &added); err != nil {
		return nil, err
	}
	special := map[string]bool{}
	for _, token := range added {
		special[token.Content] = true
	}
	tokens := make([]string, len(vocabulary))
	for token, id := range vocabulary {
		if id < 0 || int(id) >= len(tokens) {
			return nil, fmt.Errorf("token %q: id %d of %d tokens", token, id, len(tokens))
		}
		tokens[id] = token
	}
	var kept []string
	for id, token := range tokens {
		if special[token] && len(kept) != id {
			return nil, fmt.Errorf("special token %q: id %d comes after other tokens", token, id)
		}
		if used[int32(id)] || special[token] || single(token) {
			kept = append(kept, token)
		}
	}
	return rebuild(whole, model, kept)
}

// single reports whether a token is one character, at the start of a word or within it.
func single(token string) bool {
	return utf8.RuneCountInString(strings.TrimPrefix(token, "##")) == 1
}

// rebuild puts a vocabulary in place of the model's own, with ids in the order of the tokens.
func rebuild(whole, model map[string]jsontext.Value, tokens []string) ([]byte, error) {
	vocabulary := []byte{'{'}
	for id, token := range tokens {
		quoted, err := jsontext.AppendQuote(nil, token)
		if err != nil {
			return nil, err
		}
		if id > 0 {
			vocabulary = append(vocabulary, ',')
		}
		vocabulary = fmt.Appendf(vocabulary, "%s:%d", quoted, id)
	}
	model["vocab"] = append(vocabulary, '}')
	var err error
	if whole["model"], err = json.Marshal(model, json.Deterministic(true)); err != nil {
		return nil, err
	}
	return json.Marshal(whole, json.Deterministic(true), jsontext.WithIndent(" "))
}
