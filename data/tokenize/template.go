package tokenize

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
)

// template is the ids around a single text.
type template struct{ before, after []int32 }

func (r *reader) readTemplate(field string, value jsontext.Value, v *vocabulary, into *template, depth int) error {
	if isNull(value) {
		return nil
	}
	kind, err := r.kindOf(field, value)
	if err != nil {
		return err
	}
	switch kind {
	case "Sequence":
		var parts struct {
			typed
			Processors []jsontext.Value `json:"processors"`
		}
		if err := r.decode(field, value, &parts); err != nil {
			return err
		}
		if depth == maxNesting {
			return r.fault(field, "sequences are nested deeper than %d", maxNesting)
		}
		for i, part := range parts.Processors {
			if err := r.readTemplate(element(field+".processors", i), part, v, into, depth+1); err != nil {
				return err
			}
		}
		return nil
	case "ByteLevel": // it changes offsets only
		return r.decode(field, value, new(struct {
			typed
			Prefix  bool `json:"add_prefix_space"`
			Trim    bool `json:"trim_offsets"`
			Pattern bool `json:"use_regex"`
		}))
	case "BertProcessing", "RobertaProcessing":
		var spec struct {
			typed
			Sep    tokenAndID `json:"sep"`
			Cls    tokenAndID `json:"cls"`
			Trim   bool       `json:"trim_offsets"`
			Prefix bool       `json:"add_prefix_space"`
		}
		if err := r.decode(field, value, &spec); err != nil {
			return err
		}
		cls, err := r.checkID(field+".cls", spec.Cls.Token, spec.Cls.ID, v)
		if err != nil {
			return err
		}
		sep, err := r.checkID(field+".sep", spec.Sep.Token, spec.Sep.ID, v)
		if err != nil {
			return err
		}
		return r.wrapTemplate(field, into, []int32{cls}, []int32{sep})
	case "TemplateProcessing":
		return r.readPieces(field, value, v, into)
	}
	return r.unknown(field, kind, "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing")
}

type pieceJSON struct {
	Sequence *struct {
		ID     string `json:"id"`
		TypeID int64  `json:"type_id"`
	} `json:"Sequence"`
	SpecialToken *struct {
		ID     string `json:"id"`
		TypeID int64  `json:"type_id"`
	} `json:"SpecialToken"`
}

func (r *reader) readPieces(field string, value jsontext.Value, v *vocabulary, into *template) error {
	var spec struct {
		typed
		Single        []pieceJSON `json:"single"`
		Pair          []pieceJSON `json:"pair"` // pairs of texts are not encoded here
		SpecialTokens map[string]struct {
			ID     string   `json:"id"`
			IDs    []int64  `json:"ids"`
			Tokens []string `json:"tokens"`
		} `json:"special_tokens"`
	}
	if err := r.decode(field, value, &spec); err != nil {
		return err
	}
	var around [2][]int32
	side := 0
	for i, piece := range spec.Single {
		at := element(field+".single", i)
		switch {
		case piece.Sequence != nil && piece.SpecialToken == nil:
			if piece.Sequence.ID != "A" || side == 1 {
				return r.fault(at+".Sequence.id", "a single text is sequence A, once; have %q", piece.Sequence.ID)
			}
			side = 1
		case piece.SpecialToken != nil && piece.Sequence == nil:
			token, ok := spec.SpecialTokens[piece.SpecialToken.ID]
			if !ok {
				return r.fault(at+".SpecialToken.id", "%q is not in special_tokens", piece.SpecialToken.ID)
			}
			listed := field + ".special_tokens." + piece.SpecialToken.ID
			if len(token.IDs) != len(token.Tokens) {
				return r.fault(listed, "has %d ids and %d tokens", len(token.IDs), len(token.Tokens))
			}
			for k := range token.IDs {
				id, err := r.checkID(listed, token.Tokens[k], token.IDs[k], v)
				if err != nil {
					return err
				}
				around[side] = append(around[side], id)
			}
			if len(around[side]) > maxAdded {
				return r.fault(field+".single", "adds more than %d tokens", maxAdded)
			}
		default:
			return r.fault(at, "must be one Sequence or one SpecialToken")
		}
	}
	if side == 0 {
		return r.fault(field+".single", "must name sequence A")
	}
	return r.wrapTemplate(field, into, around[0], around[1])
}

// wrapTemplate puts ids around those that earlier processors of a sequence have put around the text.
func (r *reader) wrapTemplate(field string, into *template, before, after []int32) error {
	into.before = append(before, into.before...)
	into.after = append(into.after, after...)
	if len(into.before)+len(into.after) > 2*maxAdded {
		return r.fault(field, "adds more than %d tokens", 2*maxAdded)
	}
	return nil
}

// checkID refuses an id that the vocabulary gives to another token or to none.
func (r *reader) checkID(field, token string, id int64, v *vocabulary) (int32, error) {
	if id < 0 || id >= int64(len(v.tokens)) {
		return 0, r.fault(field, "id %d is outside 0 … %d", id, len(v.tokens)-1)
	}
	if v.tokens[id] != token {
		return 0, r.fault(field, "id %d is %q in the vocabulary, not %q", id, v.tokens[id], token)
	}
	return int32(id), nil
}

// tokenAndID is the pair ["[SEP]", 102].
type tokenAndID struct {
	Token string
	ID    int64
}

// UnmarshalJSONFrom reads the pair.
func (t *tokenAndID) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var pair []jsontext.Value
	if err := json.UnmarshalDecode(dec, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return errors.New(`must be a pair ["token", id]`)
	}
	if err := json.Unmarshal(pair[0], &t.Token); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &t.ID)
}
