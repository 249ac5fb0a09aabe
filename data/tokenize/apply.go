package tokenize

import (
	"cmp"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"reflect"
)

// apply makes a tokenizer with the changes, or returns t if nothing changes.
func (c changes) apply(t *Tokenizer) (*Tokenizer, error) {
	untouched := c
	untouched.parts = nil
	if reflect.DeepEqual(untouched, changes{}) {
		return t, nil
	}
	var file fileJSON
	r := &reader{name: t.name}
	if err := json.Unmarshal(t.file, &file); err != nil {
		return nil, r.wrap("", err)
	}
	var err error
	text := func(value any) jsontext.Value {
		out, e := json.Marshal(value, json.Deterministic(true))
		err = errors.Join(err, e)
		return out
	}
	if c.added != nil {
		file.AddedTokens = c.added
	}
	if c.noNormalizer {
		file.Normalizer = jsontext.Value("null")
	}
	if n := c.normalizer; n != nil {
		file.Normalizer = text(struct {
			Type    string `json:"type"`
			Clean   bool   `json:"clean_text"`
			Chinese bool   `json:"handle_chinese_chars"`
			Accents *bool  `json:"strip_accents"`
			Lower   bool   `json:"lowercase"`
		}{"BertNormalizer", n.clean, n.chinese, c.accents, n.lower})
	}
	if c.lower {
		file.Normalizer = lowercaseFirst(file.Normalizer)
	}
	if c.preTokenizer != "" {
		file.PreTokenizer = jsontext.Value(c.preTokenizer)
	}
	if c.postProcessor != "" {
		file.PostProcessor = jsontext.Value(c.postProcessor)
	}
	if c.side != "" {
		file.Truncation = text(struct {
			Direction string `json:"direction"`
			Length    int    `json:"max_length"`
			Strategy  string `json:"strategy"`
			Stride    int    `json:"stride"`
		}{c.side, 512, "LongestFirst", 0})
	}
	if c.wordPiece != "" || c.byteLevel {
		var model map[string]jsontext.Value
		err = errors.Join(err, json.Unmarshal(file.Model, &model))
		if err == nil && c.wordPiece != "" {
			model["unk_token"], model["continuing_subword_prefix"], model["max_input_chars_per_word"] = text(c.wordPiece), text("##"), text(100)
		}
		if err == nil && c.byteLevel {
			model["unk_token"], model["ignore_merges"] = text(nil), text(false)
		}
		file.Model = text(model)
	}
	file.Version = cmp.Or(file.Version, "1.0")
	for _, part := range []*jsontext.Value{&file.Truncation, &file.Padding, &file.Normalizer, &file.PreTokenizer, &file.PostProcessor, &file.Decoder} {
		if len(*part) == 0 {
			*part = jsontext.Value("null")
		}
	}
	data := text(file)
	if err != nil {
		return nil, r.wrap("", err)
	}
	return Parse(t.name, data)
}

// lowercaseFirst puts lower-casing before a normalizer.
func lowercaseFirst(normalizer jsontext.Value) jsontext.Value {
	const lower = `{"type":"Lowercase"}`
	if isNull(normalizer) {
		return jsontext.Value(lower)
	}
	return jsontext.Value(`{"type":"Sequence","normalizers":[` + lower + `,` + string(normalizer) + `]}`)
}
