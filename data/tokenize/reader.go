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

// fileJSON is the file's outermost object. Only the side of truncation is used: the caller sets the length. Padding and
// decoder are not used: texts are encoded one by one, and ids are never turned into text.
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

// readSide reads the side on which texts are cut.
func (r *reader) readSide(value jsontext.Value) (left bool, err error) {
	if isNull(value) {
		return false, nil
	}
	var truncation struct {
		Direction string         `json:"direction"`
		Length    jsontext.Value `json:"max_length"`
		Strategy  jsontext.Value `json:"strategy"`
		Stride    jsontext.Value `json:"stride"`
	}
	if err := r.decode("truncation", value, &truncation); err != nil {
		return false, err
	}
	switch truncation.Direction {
	case "", "Right":
		return false, nil
	case "Left":
		return true, nil
	}
	return false, r.fault("truncation.direction", `%q is not a side; allowed: "Left", "Right"`, truncation.Direction)
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
	// The library's message names Go types; keep the part that the author of the file can use.
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
