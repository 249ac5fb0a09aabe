package tokenize

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"
)

// reader turns a tokenizer.json into a Tokenizer. It is strict: a member, a component or a value that it does not
// know is an error, since guessing would give ids that no model was trained with.
type reader struct {
	name    string // for messages
	classes *classes
	forms   *forms
}

// fileJSON is the file's outermost object. Truncation and padding are read and not used: the caller says how long a
// text may be.
type fileJSON struct {
	Version       string         `json:"version"`
	Truncation    jsontext.Value `json:"truncation"`
	Padding       jsontext.Value `json:"padding"`
	AddedTokens   []addedJSON    `json:"added_tokens"`
	Normalizer    jsontext.Value `json:"normalizer"`
	PreTokenizer  jsontext.Value `json:"pre_tokenizer"`
	PostProcessor jsontext.Value `json:"post_processor"`
	Decoder       jsontext.Value `json:"decoder"`
	Model         jsontext.Value `json:"model"`
}

// typed is embedded in every component.
type typed struct {
	Type string `json:"type"`
}

func isNull(value jsontext.Value) bool { return len(value) == 0 || value.Kind() == 'n' }

func element(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }

// kindOf returns the type that a component names.
func (r *reader) kindOf(field string, value jsontext.Value) (string, error) {
	var head typed
	if value.Kind() != '{' {
		return "", r.fault(field, "must be an object with a type, or null")
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return "", r.wrap(field, err)
	}
	return head.Type, nil
}

// decode fills target and refuses members that it does not have.
func (r *reader) decode(field string, value jsontext.Value, target any) error {
	if err := json.Unmarshal(value, target, json.RejectUnknownMembers(true)); err != nil {
		return r.wrap(field, err)
	}
	return nil
}

func (r *reader) wrap(field string, err error) error {
	// The library's own text names Go types; keep what a reader of the file can use.
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		at := strings.ReplaceAll(strings.Trim(string(semantic.JSONPointer), "/"), "/", ".")
		if at != "" {
			field = strings.TrimPrefix(field+"."+at, ".")
		}
		if errors.Is(err, json.ErrUnknownName) {
			return r.fault(field, "unknown member")
		}
		if semantic.GoType != nil && field == "" {
			return fmt.Errorf("read tokenizer %q: its value begins with %s; an object is allowed", r.name, semantic.JSONKind)
		}
		if semantic.GoType != nil {
			return r.fault(field, "a JSON %s does not fit %s", semantic.JSONKind, semantic.GoType)
		}
	}
	if field == "" {
		return fmt.Errorf("read tokenizer %q: %w", r.name, err)
	}
	return fmt.Errorf("read tokenizer %q: %s: %w", r.name, field, err)
}

func (r *reader) fault(field, format string, args ...any) error {
	return fmt.Errorf("read tokenizer %q: %s: %s", r.name, field, fmt.Sprintf(format, args...))
}

func (r *reader) unknown(field, kind string, known ...string) error {
	return r.fault(field+".type", "%q is not implemented; known: %s", kind, strings.Join(known, ", "))
}

// checkDecoder accepts the decoders that belong to the models here. None is used: ids are never turned into text.
func (r *reader) checkDecoder(value jsontext.Value) error {
	if isNull(value) {
		return nil
	}
	kind, err := r.kindOf("decoder", value)
	if err != nil {
		return err
	}
	switch kind {
	case "WordPiece":
		return r.decode("decoder", value, new(struct {
			typed
			Prefix  string `json:"prefix"`
			Cleanup bool   `json:"cleanup"`
		}))
	case "ByteLevel":
		return r.decode("decoder", value, new(struct {
			typed
			Prefix  bool `json:"add_prefix_space"`
			Trim    bool `json:"trim_offsets"`
			Pattern bool `json:"use_regex"`
		}))
	}
	return r.unknown("decoder", kind, "ByteLevel", "WordPiece")
}
