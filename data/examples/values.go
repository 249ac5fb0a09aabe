package examples

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"strings"
)

// readValue reads the value of a member: a text, a number, a list of either or, with systems, an object of
// lists, which it joins to one list in their order.
func readValue(d *jsontext.Decoder, systems bool) (value, error) {
	switch d.PeekKind() {
	case '"', '0':
		token, err := d.ReadToken()
		if err != nil {
			return value{}, err
		}
		return single(token), nil
	case '[':
		return readList(d)
	case '{':
		if systems {
			return readSystems(d)
		}
	}
	token, err := d.ReadToken()
	if err != nil {
		return value{}, fmt.Errorf("not JSON: %w", err)
	}
	return value{}, fmt.Errorf("%s; a text, a number or a list of them is allowed", token.Kind())
}

func single(token jsontext.Token) value {
	v := value{kind: kindText, text: token.String()}
	if token.Kind() == '0' {
		v.kind = kindInteger
		if strings.ContainsAny(v.text, ".eE") {
			v.kind = kindNumber
		}
	}
	return v
}

// readList reads a list of texts or of numbers. An empty list counts as a list of texts.
func readList(d *jsontext.Decoder) (value, error) {
	if _, err := d.ReadToken(); err != nil {
		return value{}, err
	}
	v := value{kind: kindTexts}
	for d.PeekKind() == '"' || d.PeekKind() == '0' {
		token, err := d.ReadToken()
		if err != nil {
			return value{}, fmt.Errorf("not JSON: %w", err)
		}
		one := single(token)
		of := one.kind + kindTexts - kindText
		if len(v.list) == 0 {
			v.kind = of
		}
		switch {
		case v.kind == of:
		case v.kind == kindIntegers && of == kindNumbers, v.kind == kindNumbers && of == kindIntegers:
			v.kind = kindNumbers
		default:
			return value{}, errors.New("a list with texts and numbers; a list of texts or a list of numbers is allowed")
		}
		v.list = append(v.list, one.text)
	}
	token, err := d.ReadToken()
	if err != nil {
		return value{}, fmt.Errorf("not JSON: %w", err)
	}
	if token.Kind() != ']' {
		return value{}, fmt.Errorf("%s in a list; texts or numbers are allowed", token.Kind())
	}
	return v, nil
}

// readSystems reads {"system": [id, …], …}.
func readSystems(d *jsontext.Decoder) (value, error) {
	if _, err := d.ReadToken(); err != nil {
		return value{}, err
	}
	all := value{kind: kindTexts}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return value{}, fmt.Errorf("not JSON: %w", err)
		}
		system := name.String()
		if k := d.PeekKind(); k != '[' {
			if _, err := d.ReadToken(); err != nil {
				return value{}, fmt.Errorf("not JSON: %w", err)
			}
			return value{}, fmt.Errorf("system %q: %s; a list of ids is allowed", system, k)
		}
		list, err := readList(d)
		if err != nil {
			return value{}, fmt.Errorf("system %q: %w", system, err)
		}
		if len(list.list) == 0 {
			continue
		}
		if len(all.list) > 0 && all.kind != list.kind {
			return value{}, fmt.Errorf("system %q has %s, those before %s", system, list.kind, all.kind)
		}
		all.kind, all.list = list.kind, append(all.list, list.list...)
	}
	if _, err := d.ReadToken(); err != nil {
		return value{}, fmt.Errorf("not JSON: %w", err)
	}
	return all, nil
}

// parseList reads a list in a cell.
func parseList(cell string) (value, error) {
	d := jsontext.NewDecoder(bytes.NewBufferString(cell))
	if k := d.PeekKind(); k != '[' {
		return value{}, fmt.Errorf("%.40q; a list is written as JSON: [1.5, 2] or [\"a\", \"b\"]", cell)
	}
	v, err := readList(d)
	if err == nil && strings.TrimSpace(cell[d.InputOffset():]) != "" {
		err = fmt.Errorf("%.40q: a list and more", cell)
	}
	return v, err
}
