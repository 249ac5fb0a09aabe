package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// required marks a number without a default. No field allows a negative number, so it cannot be a default.
const required = -1

// fields reads the members of one JSON object by exact name and gathers faults. A getter returns a usable value, or
// records a fault and returns zero; so one pass finds every fault of a file.
type fields struct {
	file   string
	path   string // of this object inside the file, with a dot at the end
	values map[string]json.RawMessage
	asked  map[string]bool // members that a getter has looked at
	inner  []*fields       // objects in it that object has opened
	faults *[]error
}

// readFields splits a JSON object into its fields. Keys are compared exactly and may not repeat: the standard decoder
// would match any letter case and let the last one win.
func readFields(file string, data []byte) (*fields, error) {
	values, err := members(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return &fields{file: file, values: values, asked: map[string]bool{}, faults: new([]error)}, nil
}

// members splits a JSON object into its members.
func members(data []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	t, err := dec.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("is not a JSON object")
	}
	values := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		key, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("expected a key, found %v", t)
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("field %q occurs twice", key)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("field %q: %w", key, notJSON(err))
		}
		values[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("continues after its closing brace")
	}
	return values, nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("ends in the middle of its JSON")
	}
	return fmt.Errorf("is not valid JSON: %w", err)
}

// err joins the faults found so far.
func (f *fields) err() error { return errors.Join(*f.faults...) }

func (f *fields) fault(field, problem, allowed string) {
	*f.faults = append(*f.faults, fmt.Errorf("read %s: field %q: %s (allowed: %s)", f.file, f.path+field, problem, allowed))
}

func (f *fields) addMissing(field, hint string) {
	if hint != "" {
		hint = " (" + hint + ")"
	}
	*f.faults = append(*f.faults, fmt.Errorf("read %s: field %q is missing%s", f.file, f.path+field, hint))
}

// has reports whether the field is there and not null.
func (f *fields) has(field string) bool {
	v, ok := f.values[field]
	f.asked[field] = true
	return ok && string(v) != "null"
}

// isAbsent reports whether a field is left out. A null does not count as left out: no reader of these files takes its
// default for null.
func (f *fields) isAbsent(field string) bool {
	v, ok := f.values[field]
	f.asked[field] = true
	if ok && string(v) == "null" {
		f.fault(field, "is null", "a value, or no such field")
	}
	return !ok || string(v) == "null"
}

// decode stores the value of a required field in *into.
func (f *fields) decode(field, kind string, into any) bool {
	if !f.has(field) {
		f.addMissing(field, kind)
		return false
	}
	raw := f.values[field]
	if err := json.Unmarshal(raw, into); err != nil {
		f.fault(field, fmt.Sprintf("%s is not %s", shorten(raw), kind), kind)
		return false
	}
	return true
}

// shorten keeps a value in a message to one short line.
func shorten(raw json.RawMessage) string {
	const limit = 60
	s := strings.Join(strings.Fields(string(raw)), " ")
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// text reads a required string, which may be empty.
func (f *fields) text(field string) string {
	var s string
	f.decode(field, "a string", &s)
	return s
}

// word reads a required string that may not be empty; "" means that a fault was recorded.
func (f *fields) word(field string) string {
	var s string
	if f.decode(field, "a string", &s) && s == "" {
		f.fault(field, "is empty", "a name")
	}
	return s
}

// integer reads a required whole number.
func (f *fields) integer(field string, low, high int) int {
	var n int64
	if !f.decode(field, "a whole number", &n) {
		return 0
	}
	if n < int64(low) || n > int64(high) {
		f.fault(field, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("%d to %d", low, high))
		return 0
	}
	return int(n)
}

// integerOr reads a whole number, or returns otherwise if the field is absent.
func (f *fields) integerOr(field string, otherwise, low, high int) int {
	if f.isAbsent(field) {
		return otherwise
	}
	return f.integer(field, low, high)
}

// optionalID reads a token id: otherwise if the field is absent, -1 if it is null.
func (f *fields) optionalID(field string, otherwise int) int {
	raw, ok := f.values[field]
	f.asked[field] = true
	if !ok {
		return otherwise
	}
	if string(raw) == "null" {
		return -1
	}
	return f.integer(field, 0, maxVocab)
}

// number reads a finite number, or returns otherwise if the field is absent. With otherwise = required an absent
// field is a fault.
func (f *fields) number(field string, otherwise, low, high float64) float64 {
	if otherwise != required && f.isAbsent(field) {
		return otherwise
	}
	var x float64
	if !f.decode(field, "a number", &x) {
		return 0
	}
	if !(x >= low && x <= high) || math.IsInf(x, 0) {
		f.fault(field, fmt.Sprintf("%v is out of range", x), fmt.Sprintf("%v to %v", low, high))
		return 0
	}
	return x
}

func (f *fields) dropout(field string, otherwise float64) float64 {
	x := f.number(field, otherwise, 0, 1)
	if x == 1 {
		f.fault(field, "1 would drop everything", "0 ≤ x < 1")
	}
	return x
}

func (f *fields) boolean(field string, otherwise bool) bool {
	if f.isAbsent(field) {
		return otherwise
	}
	var b bool
	f.decode(field, "true or false", &b)
	return b
}

// activation reads the name of an activation function, or returns otherwise if the field is absent.
func (f *fields) activation(field, otherwise string) string {
	if f.isAbsent(field) {
		return otherwise
	}
	name := f.word(field)
	switch name {
	case GELU, "gelu_python":
		return GELU
	case GELUTanh, "gelu_pytorch_tanh", "gelu_python_tanh":
		return GELUTanh
	case ReLU:
		return ReLU
	case SiLU, "swish":
		return SiLU
	case "":
		return ""
	}
	f.fault(field, fmt.Sprintf("%q is not a known activation", name), strings.Join([]string{
		GELU, GELUTanh, "gelu_pytorch_tanh", ReLU, SiLU}, ", "))
	return ""
}

// object is the object under a field, nil if the field is absent or null.
func (f *fields) object(field string) *fields {
	if !f.has(field) {
		return nil
	}
	values, err := members(f.values[field])
	if err != nil {
		f.fault(field, err.Error(), "an object")
		values = map[string]json.RawMessage{}
	}
	o := &fields{file: f.file, path: f.path + field + ".", values: values, asked: map[string]bool{}, faults: f.faults}
	f.inner = append(f.inner, o)
	return o
}

// texts is a list of strings, nil if the field is absent or null.
func (f *fields) texts(field string) []string {
	if !f.has(field) {
		return nil
	}
	out := []string{}
	f.decode(field, "a list of strings", &out)
	return out
}

// requireValue accepts an absent field or this one value.
func (f *fields) requireValue(field, want string) {
	if !f.has(field) {
		return
	}
	if got := f.word(field); got != want && got != "" {
		f.fault(field, fmt.Sprintf("%q is not supported", got), fmt.Sprintf("%q", want))
	}
}

func (f *fields) requireFalse(field string) {
	if f.has(field) && f.boolean(field, false) {
		f.fault(field, "true is not supported", "false")
	}
}

// refuse accepts only an absent field or null.
func (f *fields) refuse(field, why string) {
	if f.has(field) {
		f.fault(field, why, "no such field")
	}
}

func (f *fields) checkHeads(hiddenField string, hidden int, headsField string, heads int) bool {
	if hidden == 0 || heads == 0 {
		return false
	}
	if hidden%heads != 0 {
		f.fault(headsField, fmt.Sprintf("%d does not divide %s %d", heads, hiddenField, hidden), "a divisor")
		return false
	}
	return true
}
