package event

import (
	"bytes"
	"cmp"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// stepReader decodes steps, which are nearly all lines of a log, token by token: the general decoder takes almost
// three times as long for a log. The names of series, which repeat at every step, are kept.
type stepReader struct {
	names  map[string]string // by their JSON
	object []byte
	in     bytes.Reader
	tokens *jsontext.Decoder
}

func newStepReader() *stepReader {
	return &stepReader{names: map[string]string{}, tokens: jsontext.NewDecoder(bytes.NewReader(nil))}
}

// decode reads the fields of a step, with a comma before the first. Unknown fields are ignored.
func (r *stepReader) decode(fields []byte) (Step, error) {
	r.object = append(r.object[:0], '{')
	r.object = append(r.object, bytes.TrimPrefix(fields, []byte(","))...)
	r.object = append(r.object, '}')
	r.in.Reset(r.object)
	// If a name appears twice, its last value counts, as in the general decoder.
	r.tokens.Reset(&r.in, jsontext.AllowDuplicateNames(true))
	var s Step
	err := r.eachField(func(name string) (err error) {
		switch name {
		case "step":
			text, err := r.tokens.ReadValue()
			if err != nil {
				return err
			}
			s.Step, err = strconv.Atoi(string(text))
			return err
		case "values":
			s.Values = make(map[string]Value, bytes.Count(fields, []byte{','}))
			return r.eachField(func(name string) error {
				text, err := r.tokens.ReadValue()
				if err != nil {
					return err
				}
				var v Value
				err = v.UnmarshalJSON(text)
				s.Values[name] = v
				return err
			})
		}
		return r.tokens.SkipValue()
	})
	if err == nil {
		if _, err = r.tokens.ReadToken(); err == io.EOF {
			return s, nil
		}
		err = cmp.Or(err, errors.New("more follows its fields"))
	}
	return Step{}, fmt.Errorf("decode event %q: %w", KindStep, err)
}

// eachField reads an object or null and calls read for each name, which reads the value.
func (r *stepReader) eachField(read func(name string) error) error {
	start, err := r.tokens.ReadToken()
	switch {
	case err != nil:
		return err
	case start.Kind() == 'n':
		return nil
	case start.Kind() != '{':
		return fmt.Errorf("want an object, there is a %s", start.Kind())
	}
	for r.tokens.PeekKind() != '}' {
		quoted, err := r.tokens.ReadValue()
		if err != nil {
			return err
		}
		name, ok := r.names[string(quoted)]
		if !ok {
			text, err := jsontext.AppendUnquote(nil, quoted)
			if err != nil {
				return err
			}
			name = string(text)
			r.names[string(quoted)] = name
		}
		if err := read(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = r.tokens.ReadToken()
	return err
}
