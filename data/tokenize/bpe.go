package tokenize

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strings"
)

// bpe joins the bytes of a word by the merge of lowest rank, leftmost first, until none applies.
type bpe struct {
	bytes   [256]int32 // the token of a single byte, or -1
	merges  mergeTable
	whole   map[string]int32 // tokens as raw bytes; only with ignore_merges
	unknown int32            // -1: a byte without a token is dropped
	fuse    bool
}

func (r *reader) readBPE(model *modelJSON) (*bpe, error) {
	switch {
	case model.Dropout != nil && *model.Dropout != 0:
		return nil, r.fault("model.dropout", "%v is not implemented; known: null, 0", *model.Dropout)
	case model.Prefix != nil && *model.Prefix != "":
		return nil, r.fault("model.continuing_subword_prefix", "%q is not implemented; known: null", *model.Prefix)
	case model.EndOfWordSuffix != nil && *model.EndOfWordSuffix != "":
		return nil, r.fault("model.end_of_word_suffix", "%q is not implemented; known: null", *model.EndOfWordSuffix)
	case model.ByteFallback:
		return nil, r.fault("model.byte_fallback", "true is not implemented; known: false")
	case model.MaxChars != nil:
		return nil, r.fault("model.max_input_chars_per_word", "does not belong to BPE")
	case model.Merges == nil:
		return nil, r.fault("model.merges", "is missing")
	}
	b := &bpe{unknown: -1, fuse: model.FuseUnk}
	if model.UnkToken != nil {
		id, ok := model.Vocab[*model.UnkToken]
		if !ok {
			return nil, r.fault("model.unk_token", "%q is not in model.vocab", *model.UnkToken)
		}
		b.unknown = int32(id)
	}
	alphabet := newByteAlphabet()
	for value, letter := range alphabet.runes {
		b.bytes[value] = -1
		if id, ok := model.Vocab[string(letter)]; ok {
			b.bytes[value] = int32(id)
		}
	}
	if model.IgnoreMerges {
		b.whole = make(map[string]int32, len(model.Vocab))
		for token, id := range model.Vocab {
			if raw, ok := alphabet.raw(token); ok {
				b.whole[raw] = int32(id)
			}
		}
	}
	pairs, err := r.mergePairs(model.Merges)
	if err != nil {
		return nil, err
	}
	b.merges = newMergeTable(len(pairs))
	for rank, pair := range pairs {
		left, ok1 := model.Vocab[pair[0]]
		right, ok2 := model.Vocab[pair[1]]
		whole, ok3 := model.Vocab[pair[0]+pair[1]]
		if !ok1 || !ok2 || !ok3 {
			missing := pair[0]
			if ok1 {
				missing = pair[1]
			}
			if ok1 && ok2 {
				missing = pair[0] + pair[1]
			}
			return nil, r.fault(element("model.merges", rank), "%q is not in model.vocab", missing)
		}
		b.merges.set(int32(left), int32(right), int32(rank), int32(whole))
	}
	return b, nil
}

// mergePairs reads merges, which may have the form "a b" or ["a","b"].
func (r *reader) mergePairs(value jsontext.Value) ([][2]string, error) {
	var listed []jsontext.Value
	if err := r.decode("model.merges", value, &listed); err != nil {
		return nil, err
	}
	pairs := make([][2]string, 0, len(listed))
	for i, item := range listed {
		field := element("model.merges", i)
		if item.Kind() == '[' {
			var pair []string
			if err := r.decode(field, item, &pair); err != nil {
				return nil, err
			}
			if len(pair) != 2 {
				return nil, r.fault(field, "has %d parts, must have 2", len(pair))
			}
			pairs = append(pairs, [2]string{pair[0], pair[1]})
			continue
		}
		var line string
		if err := json.Unmarshal(item, &line); err != nil {
			return nil, r.wrap(field, err)
		}
		if strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, r.fault(field, "%q must be two tokens with one space between", line)
		}
		pairs = append(pairs, [2]string{left, right})
	}
	return pairs, nil
}

// appendIDs appends the tokens of a word, given as raw bytes.
func (b *bpe) appendIDs(ids []int32, word string, s *mergeScratch) []int32 {
	if id, ok := b.whole[word]; ok {
		return append(ids, id)
	}
	symbols := s.symbols[:0]
	lastUnknown := false
	for _, c := range []byte(word) {
		id := b.bytes[c]
		if id < 0 {
			if b.unknown < 0 || lastUnknown && b.fuse {
				continue
			}
			id = b.unknown
			lastUnknown = true
		} else {
			lastUnknown = false
		}
		symbols = append(symbols, id)
	}
	s.symbols = symbols
	if len(symbols) <= shortWord {
		return append(ids, b.merges.mergeShort(symbols, s)...)
	}
	return b.merges.mergeLong(ids, symbols, s)
}
