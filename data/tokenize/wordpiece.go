package tokenize

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"unicode/utf8"
)

// wordPiece cuts a word into the longest pieces of its vocabulary, from the left. If a rest of the word has no piece, the
// whole word is unknown.
type wordPiece struct {
	trie     *trie
	start    int32 // the trie's node for the prefix of a continuing piece
	canStart bool  // false: no piece can continue a word
	unknown  int32
	maxChars int
	prefix   string
}

// modelJSON holds the members of all kinds of models; the reader checks which belong to which kind.
type modelJSON struct {
	Type            *string          `json:"type"`
	UnkToken        *string          `json:"unk_token"`
	Prefix          *string          `json:"continuing_subword_prefix"`
	MaxChars        *int64           `json:"max_input_chars_per_word"`
	Dropout         *float64         `json:"dropout"`
	EndOfWordSuffix *string          `json:"end_of_word_suffix"`
	FuseUnk         bool             `json:"fuse_unk"`
	ByteFallback    bool             `json:"byte_fallback"`
	IgnoreMerges    bool             `json:"ignore_merges"`
	Vocab           map[string]int64 `json:"vocab"`
	Merges          jsontext.Value   `json:"merges"`
}

func (r *reader) readModel(value jsontext.Value) (*modelJSON, string, error) {
	if value.Kind() != '{' {
		return nil, "", r.fault("model", "must be an object")
	}
	var head struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return nil, "", r.wrap("model", err)
	}
	// Other models have other members; the message should name the type and not these.
	if head.Type != nil && *head.Type != "WordPiece" && *head.Type != "BPE" {
		return nil, "", r.unknown("model", *head.Type, "BPE", "WordPiece")
	}
	var model modelJSON
	if err := r.decode("model", value, &model); err != nil {
		return nil, "", err
	}
	switch {
	case model.Type != nil:
		return &model, *model.Type, nil
	case model.Merges != nil: // files from before the type was written
		return &model, "BPE", nil
	case model.MaxChars != nil:
		return &model, "WordPiece", nil
	}
	return nil, "", r.fault("model.type", "is missing; known: BPE, WordPiece")
}

func (r *reader) readWordPiece(model *modelJSON) (*wordPiece, error) {
	switch {
	case model.UnkToken == nil:
		return nil, r.fault("model.unk_token", "is missing")
	case model.Prefix == nil:
		return nil, r.fault("model.continuing_subword_prefix", "is missing")
	case model.MaxChars == nil || *model.MaxChars < 0 || *model.MaxChars > maxWordChars:
		return nil, r.fault("model.max_input_chars_per_word", "must be 0 … %d", maxWordChars)
	case model.Merges != nil:
		return nil, r.fault("model.merges", "does not belong to WordPiece")
	}
	unknown, ok := model.Vocab[*model.UnkToken]
	if !ok {
		return nil, r.fault("model.unk_token", "%q is not in model.vocab", *model.UnkToken)
	}
	keys := make([]trieKey, 0, len(model.Vocab))
	for token, id := range model.Vocab {
		keys = append(keys, trieKey{token, int32(id)})
	}
	w := &wordPiece{trie: newTrie(keys), unknown: int32(unknown), maxChars: int(*model.MaxChars), prefix: *model.Prefix}
	w.start, w.canStart = w.trie.walk(*model.Prefix)
	return w, nil
}

// maxWordChars bounds max_input_chars_per_word, and with it the time that one word can take.
const maxWordChars = 10_000

// appendIDs appends the pieces of word, which is not empty.
func (w *wordPiece) appendIDs(ids []int32, word string) []int32 {
	if len(word) > w.maxChars && utf8.RuneCountInString(word) > w.maxChars {
		return append(ids, w.unknown)
	}
	before := len(ids)
	node := trieRoot
	for len(word) > 0 {
		n, id := w.trie.longest(node, word)
		if n == 0 {
			return append(ids[:before], w.unknown)
		}
		ids = append(ids, id)
		word = word[n:]
		if node = w.start; !w.canStart {
			node = trieRoot
			if len(word) > 0 {
				return append(ids[:before], w.unknown)
			}
		}
	}
	return ids
}
