package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// Nearly all lines of a log are steps, so they have their own encoder and decoder. The
// decoder reads only the form that the encoder writes; other JSON is left to the general
// decoder.

// appendStep writes the fields of a step, series in the order of their names.
func appendStep(b []byte, s Step) []byte {
	b = append(b, `,"step":`...)
	b = strconv.AppendInt(b, int64(s.Step), 10)
	b = append(b, `,"values":{`...)
	order := make([]string, 0, len(s.Values))
	for name := range s.Values {
		order = append(order, name)
	}
	slices.Sort(order)
	for i, name := range order {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendName(b, name)
		b = append(b, ':')
		b = s.Values[name].append(b)
	}
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	for i := 0; i < len(name); i++ {
		if !plain(name[i]) {
			quoted, err := json.Marshal(name)
			if err != nil { // a string always has a JSON form
				return strconv.AppendQuoteToASCII(b, name)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"')
}

// plain reports whether a character needs no escape in a JSON string.
func plain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// parseStep reads what appendStep wrote. It returns false for any other form, which the
// caller gives to the general decoder.
func parseStep(fields []byte, known names) (Step, bool) {
	rest, ok := bytes.CutPrefix(fields, []byte(`,"step":`))
	if !ok {
		return Step{}, false
	}
	text, rest, ok := bytes.Cut(rest, []byte(`,"values":{`))
	if !ok || len(text) == 0 || text[0] == '+' || !isNumber(text) {
		return Step{}, false
	}
	step, err := strconv.Atoi(string(text))
	if err != nil || len(rest) == 0 || rest[len(rest)-1] != '}' {
		return Step{}, false
	}
	rest = rest[:len(rest)-1]
	s := Step{Step: step, Values: make(map[string]Value, bytes.Count(rest, []byte{','})+1)}
	for len(rest) > 0 {
		if rest[0] != '"' {
			return Step{}, false
		}
		end := bytes.IndexByte(rest[1:], '"') + 1
		if end == 0 || end+1 >= len(rest) || rest[end+1] != ':' {
			return Step{}, false
		}
		name := rest[1:end]
		for _, c := range name {
			if !plain(c) {
				return Step{}, false
			}
		}
		rest = rest[end+2:]
		token := rest
		if comma := bytes.IndexByte(rest, ','); comma >= 0 {
			token, rest = rest[:comma], rest[comma+1:]
			if len(rest) == 0 {
				return Step{}, false
			}
		} else {
			rest = nil
		}
		value, ok := parseValue(token)
		if !ok {
			return Step{}, false
		}
		if _, double := s.Values[string(name)]; double {
			return Step{}, false
		}
		s.Values[known.get(name)] = value
	}
	return s, true
}
