package tokenize

import (
	"cmp"
	"maps"
	"slices"
)

// vocabulary holds the model's tokens and the added ones, by id and by content.
type vocabulary struct {
	tokens    []string // "" if no token has the id
	ids       map[string]int32
	model     int             // number of the model's own tokens
	onlyAdded map[string]bool // added tokens that the model's vocabulary lacks
}

// maxHoles is the number of ids that a vocabulary may lack; real files lack at most a few.
const maxHoles = 1 << 16

// readVocabulary checks the model's vocabulary and joins the added tokens to it. An added token that the model lacks
// keeps the id of the file, because that is its row in the checkpoint's embeddings; the reference library renumbers it.
func (r *reader) readVocabulary(model map[string]int64, added []addedJSON) (*vocabulary, error) {
	if len(model)+len(added) == 0 {
		return nil, r.fault("model.vocab", "is empty")
	}
	bound := int64(len(model) + len(added) + maxHoles)
	v := &vocabulary{tokens: make([]string, bound), ids: make(map[string]int32, len(model)+len(added)), model: len(model), onlyAdded: map[string]bool{}}
	taken := make([]bool, bound)
	last, sound := int64(0), true
	for token, id := range model {
		if id < 0 || id >= bound || taken[id] {
			sound = false
			break
		}
		taken[id], v.tokens[id], v.ids[token], last = true, token, int32(id), max(last, id)
	}
	if !sound {
		return nil, r.vocabularyFault(model, bound)
	}
	for i, a := range added {
		field := element("added_tokens", i)
		id, inModel := model[a.Content]
		switch {
		case inModel && id != a.ID:
			return nil, r.fault(field, "%q has id %d, but %d in model.vocab", a.Content, a.ID, id)
		case inModel:
			continue
		case a.ID < 0 || a.ID >= bound:
			return nil, r.fault(field, "id %d is outside 0 … %d", a.ID, bound-1)
		case taken[a.ID]:
			return nil, r.fault(field, "id %d is also the id of %q", a.ID, v.tokens[a.ID])
		}
		if _, twice := v.ids[a.Content]; twice {
			return nil, r.fault(field, "%q is listed twice", a.Content)
		}
		v.onlyAdded[a.Content] = true
		taken[a.ID], v.tokens[a.ID], v.ids[a.Content], last = true, a.Content, int32(a.ID), max(last, a.ID)
	}
	v.tokens = slices.Clip(v.tokens[:last+1])
	return v, nil
}

// vocabularyFault names the first token, by id, that is out of bounds or has the id of another token.
func (r *reader) vocabularyFault(model map[string]int64, bound int64) error {
	tokens := slices.SortedFunc(maps.Keys(model), func(a, b string) int {
		return cmp.Or(cmp.Compare(model[a], model[b]), cmp.Compare(a, b))
	})
	for i, token := range tokens {
		if id := model[token]; id < 0 || id >= bound {
			return r.fault("model.vocab."+token, "id %d is outside 0 … %d", id, bound-1)
		} else if i > 0 && model[tokens[i-1]] == id {
			return r.fault("model.vocab."+token, "id %d is also the id of %q", id, tokens[i-1])
		}
	}
	return r.fault("model.vocab", "is not a numbering of tokens")
}

// first returns the id of the first of contents that the vocabulary has, else -1.
func (v *vocabulary) first(contents ...string) int32 {
	for _, content := range contents {
		if id, ok := v.ids[content]; ok && content != "" {
			return id
		}
	}
	return -1
}
