package tokenize

import (
	"cmp"
	"slices"
)

// vocabulary is the model's tokens and the added ones, by id and by content.
type vocabulary struct {
	tokens []string // "" where no token has the id
	ids    map[string]int32
}

// maxHoles is how many ids of a vocabulary may be missing; real files miss at most a few.
const maxHoles = 1 << 16

// readVocabulary checks the model's vocabulary and joins the added tokens to it. Unlike the reference, which renumbers
// an added token that the model lacks, the file's id stands: it is the row of the checkpoint's embeddings.
func (r *reader) readVocabulary(model map[string]int64, added []addedJSON) (*vocabulary, error) {
	type entry struct {
		token string
		id    int64
		field string
	}
	entries := make([]entry, 0, len(model)+len(added))
	for token, id := range model {
		entries = append(entries, entry{token, id, "model.vocab." + token})
	}
	for i, a := range added {
		if id, known := model[a.Content]; known {
			if id != a.ID {
				return nil, r.fault(element("added_tokens", i), "%q has id %d, but %d in model.vocab", a.Content, a.ID, id)
			}
			continue
		}
		entries = append(entries, entry{a.Content, a.ID, element("added_tokens", i)})
	}
	if len(entries) == 0 {
		return nil, r.fault("model.vocab", "is empty")
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.token, b.token))
	})
	bound := int64(len(entries) + maxHoles)
	v := &vocabulary{ids: make(map[string]int32, len(entries))}
	for i, e := range entries {
		if e.id < 0 || e.id >= bound {
			return nil, r.fault(e.field, "id %d is outside 0 … %d", e.id, bound-1)
		}
		if i > 0 && entries[i-1].id == e.id {
			return nil, r.fault(e.field, "id %d is also the id of %q", e.id, entries[i-1].token)
		}
		if _, twice := v.ids[e.token]; twice {
			return nil, r.fault(e.field, "%q is listed twice", e.token)
		}
		v.ids[e.token] = int32(e.id)
	}
	v.tokens = make([]string, entries[len(entries)-1].id+1)
	for _, e := range entries {
		v.tokens[e.id] = e.token
	}
	return v, nil
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
