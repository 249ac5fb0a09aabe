package tokenize

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// settings holds the settings of the files next to a tokenizer.json: tokenizer_config.json, special_tokens_map.json and
// added_tokens.json, joined by the rules of transformers 5.
type settings struct {
	path  string // of tokenizer_config.json, for messages
	class string // tokenizer_class without "Fast"; "" if no file names one
	lower bool   // do_lower_case
	// accents and Chinese characters of BERT's normalizer
	accents *bool
	chinese bool
	prefix  bool // add_prefix_space
	left    *bool
	limit   int // model_max_length; 0: none

	named  map[string]addedJSON // special tokens by their role's key
	own    []addedJSON          // special tokens without a role here
	listed []addedJSON          // tokens of added_tokens_decoder or added_tokens.json, by id
	hides  bool                 // there is an added_tokens_decoder, so the list of tokenizer.json does not count
	notes  []string
}

// roleKeys are the special tokens with a role, in transformers' order.
func roleKeys() []string {
	return []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}
}

// harmlessKeys are keys of tokenizer_config.json that change no id of a single text.
func harmlessKeys() []string {
	return []string{
		"_commit_hash", "add_bos_token", "add_eos_token", "backend", "chat_template", "clean_text", "clean_up_tokenization_spaces",
		"deprecation_warnings", "errors", "extra_ids", "full_tokenizer_file", "init_inputs", "is_local", "local_files_only", "mask_id", "max_length",
		"model_input_names", "name_or_path", "never_split", "pad_to_multiple_of", "pad_token_id", "pad_token_type_id", "processor_class",
		"return_token_type_ids", "special_tokens_map_file", "stride", "tokenizer_file", "trim_offsets", "truncation_strategy",
		"use_fast", "verbose", "vocab_file", "vocab_size",
	}
}

// readSettings reads the files beside a tokenizer.json of a folder.
func readSettings(folder string) (*settings, error) {
	s := &settings{path: filepath.Join(folder, "tokenizer_config.json"), lower: true, chinese: true, named: map[string]addedJSON{}}
	keys, err := readObject(s.path)
	if err != nil {
		return nil, err
	}
	r := &reader{name: s.path}
	if err := s.readKeys(r, keys); err != nil {
		return nil, err
	}
	if s.hides {
		return s, nil
	}
	mapped := &reader{name: filepath.Join(folder, "special_tokens_map.json")}
	keys, err = readObject(mapped.name)
	if err == nil {
		err = s.readSpecial(mapped, keys, true)
	}
	if err != nil {
		return nil, err
	}
	return s, s.readAddedFile(filepath.Join(folder, "added_tokens.json"))
}

// readObject reads a file with a JSON object. A missing file gives no members.
func readObject(path string) (map[string]jsontext.Value, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	var keys map[string]jsontext.Value
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, (&reader{name: path}).wrap("", err)
	}
	return keys, nil
}

func (s *settings) readKeys(r *reader, keys map[string]jsontext.Value) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		value := keys[key]
		if isNull(value) {
			continue
		}
		var err error
		switch key {
		case "tokenizer_class":
			err = r.decode(key, value, &s.class)
			s.class = strings.TrimSuffix(s.class, "Fast")
		case "do_lower_case":
			err = r.flag(key, value, &s.lower)
		case "tokenize_chinese_chars":
			err = r.flag(key, value, &s.chinese)
		case "strip_accents":
			s.accents = new(bool)
			err = r.flag(key, value, s.accents)
		case "add_prefix_space":
			err = r.flag(key, value, &s.prefix)
		case "truncation_side":
			s.left, err = r.side(key, value)
		case "padding_side":
			var left *bool
			if left, err = r.side(key, value); left != nil && *left {
				s.notes = append(s.notes, fmt.Sprintf("%s: padding_side \"left\" is not needed: texts are encoded as if each were alone", r.name))
			}
		case "model_max_length":
			s.limit, err = r.length(key, value)
		case "split_special_tokens":
			var split bool
			if err = r.flag(key, value, &split); split {
				err = r.fault(key, "true is not implemented; allowed: false")
			}
		case "do_basic_tokenize":
			basic := true
			if err = r.flag(key, value, &basic); !basic {
				s.notes = append(s.notes, fmt.Sprintf("%s: do_basic_tokenize false is ignored, as transformers 5 does", r.name))
			}
		case "auto_map", "fast_tokenizer_files":
			err = r.fault(key, "is not implemented: the tokenizer is some other file or code; allowed: no such key")
		case "added_tokens_decoder":
			s.hides = true
			err = s.readDecoder(r, value)
		default:
			if key != "additional_special_tokens" && key != "extra_special_tokens" && !strings.HasSuffix(key, "_token") && !slices.Contains(harmlessKeys(), key) {
				s.notes = append(s.notes, fmt.Sprintf("%s: key %q is not known and not obeyed", r.name, key))
			}
		}
		if err != nil {
			return err
		}
	}
	return s.readSpecial(r, keys, false)
}

// readSpecial reads the special tokens of tokenizer_config.json, or of special_tokens_map.json, which takes precedence.
func (s *settings) readSpecial(r *reader, keys map[string]jsontext.Value, mapped bool) error {
	for _, key := range roleKeys() {
		if value, ok := keys[key]; ok && !isNull(value) {
			t, err := r.specialToken(key, value)
			if err != nil {
				return err
			}
			s.named[key] = t
		}
	}
	if value := keys["extra_special_tokens"]; !isNull(value) {
		return s.readExtra(r, "extra_special_tokens", value)
	}
	if value := keys["additional_special_tokens"]; !isNull(value) {
		if err := s.readExtra(r, "additional_special_tokens", value); err != nil {
			return err
		}
	}
	if mapped {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		// A text under an unknown key is a special token of the model.
		if strings.HasSuffix(key, "_token") && !slices.Contains(roleKeys(), key) && keys[key].Kind() == '"' {
			t, err := r.specialToken(key, keys[key])
			if err != nil {
				return err
			}
			s.own = append(s.own, t)
		}
	}
	return nil
}

// readExtra reads special tokens without a role: a list, or an object of names and tokens.
func (s *settings) readExtra(r *reader, key string, value jsontext.Value) error {
	var list []jsontext.Value
	if value.Kind() == '{' {
		var byName map[string]jsontext.Value
		if err := r.decode(key, value, &byName); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			list = append(list, byName[name])
		}
	} else if err := r.decode(key, value, &list); err != nil {
		return err
	}
	for i, item := range list {
		t, err := r.specialToken(element(key, i), item)
		if err != nil {
			return err
		}
		s.own = append(s.own, t)
	}
	return nil
}

// readDecoder reads added_tokens_decoder: tokens by their ids.
func (s *settings) readDecoder(r *reader, value jsontext.Value) error {
	var byID map[string]jsontext.Value
	if err := r.decode("added_tokens_decoder", value, &byID); err != nil {
		return err
	}
	for text, value := range byID {
		field := "added_tokens_decoder." + text
		id, err := strconv.ParseInt(text, 10, 32)
		if err != nil || id < 0 {
			return r.fault(field, "must be a token id, 0 or more")
		}
		t, err := r.addedToken(field, value)
		if err != nil {
			return err
		}
		t.ID = id
		s.listed = append(s.listed, t)
	}
	s.sortListed()
	return nil
}

// readAddedFile reads added_tokens.json: ids by token.
func (s *settings) readAddedFile(path string) error {
	keys, err := readObject(path)
	if err != nil {
		return err
	}
	r := &reader{name: path}
	special := map[string]bool{}
	for _, t := range s.named {
		special[t.Content] = true
	}
	for _, t := range s.own {
		special[t.Content] = true
	}
	for content, value := range keys {
		t := addedJSON{Content: content, Special: special[content], Normalized: !special[content]}
		if err := r.decode(content, value, &t.ID); err != nil {
			return err
		}
		s.listed = append(s.listed, t)
	}
	s.sortListed()
	return nil
}

func (s *settings) sortListed() {
	slices.SortFunc(s.listed, func(a, b addedJSON) int { return int(a.ID - b.ID) })
}

func (r *reader) flag(field string, value jsontext.Value, into *bool) error {
	if value.Kind() != 't' && value.Kind() != 'f' {
		return r.fault(field, "must be true or false")
	}
	*into = value.Kind() == 't'
	return nil
}

func (r *reader) side(field string, value jsontext.Value) (left *bool, err error) {
	var side string
	if err := r.decode(field, value, &side); err != nil {
		return nil, err
	}
	if side != "left" && side != "right" {
		return nil, r.fault(field, `%q is not a side; allowed: "left", "right"`, side)
	}
	is := side == "left"
	return &is, nil
}

// length reads the number of tokens that a text may have; tokenizers without a limit write 1e30.
func (r *reader) length(field string, value jsontext.Value) (int, error) {
	var n float64
	if err := r.decode(field, value, &n); err != nil {
		return 0, err
	}
	switch {
	case n < 1:
		return 0, r.fault(field, "%v is not a length; allowed: 1 or more", n)
	case n > maxLength:
		return 0, nil
	}
	return int(n), nil
}

// maxLength bounds the lengths that count as limits: more than any model takes.
const maxLength = 1 << 24

// addedToken reads a token with its flags.
func (r *reader) addedToken(field string, value jsontext.Value) (addedJSON, error) {
	var spec struct {
		Type       string  `json:"__type"`
		Content    *string `json:"content"`
		SingleWord bool    `json:"single_word"`
		Lstrip     bool    `json:"lstrip"`
		Rstrip     bool    `json:"rstrip"`
		Normalized *bool   `json:"normalized"`
		Special    bool    `json:"special"`
	}
	if err := r.decode(field, value, &spec); err != nil {
		return addedJSON{}, err
	}
	if spec.Content == nil || *spec.Content == "" {
		return addedJSON{}, r.fault(field+".content", "is missing or empty")
	}
	t := addedJSON{Content: *spec.Content, SingleWord: spec.SingleWord, Lstrip: spec.Lstrip, Rstrip: spec.Rstrip, Special: spec.Special, Normalized: !spec.Special}
	if spec.Normalized != nil {
		t.Normalized = *spec.Normalized
	}
	return t, nil
}

// specialToken reads a special token: a text, or a token with its flags.
func (r *reader) specialToken(field string, value jsontext.Value) (addedJSON, error) {
	if value.Kind() == '"' {
		var content string
		err := r.decode(field, value, &content)
		if err == nil && content == "" {
			err = r.fault(field, "must not be empty")
		}
		return addedJSON{Content: content, Special: true}, err
	}
	t, err := r.addedToken(field, value)
	t.Special = true
	return t, err
}
