package sweeps

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

const commandLine = "command line"

// Override applies KEY=VALUE arguments. VALUE is written as in TOML; a key that
// takes a string also accepts a bare word; an array makes an axis of a key that is
// not itself a list. Each argument replaces the fixed value or the axis that the
// file gives its key. On an error the Spec is unchanged.
func (s *Spec) Override(args []string) error {
	next := *s
	next.assigned = append([]assignment(nil), s.assigned...)
	next.exclusions = append([]exclusion(nil), s.exclusions...)
	next.overrides = s.Overridden()
	var faults Faults
	next.override(args, &faults)
	next.validate(&faults)
	if err := faults.orNil(); err != nil {
		return err
	}
	*s = next
	return nil
}

func (s *Spec) override(args []string, faults *Faults) {
	schema := runSchema()
	given := map[string]bool{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			faults.add(Fault{File: commandLine, Message: "cannot read override " + quote(arg), Allowed: "KEY=VALUE, such as train.steps=100"})
			continue
		}
		f, r, known := schema.field(key)
		if !known {
			faults.add(schema.unknown(commandLine, key, shortText(value)))
			continue
		}
		if given[key] {
			faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: "is overridden twice"})
			continue
		}
		given[key] = true
		if a, ok := readOverride(f, r, value, faults); ok {
			if a.axis && s.isZipped(key) {
				faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: "moves together with other keys in a [[zip]]", Allowed: "one value, or another file"})
				continue
			}
			s.replace(a)
			s.overrides = append(s.overrides, arg)
		}
	}
}

// readOverride decodes one override's value.
func readOverride(f field, r rule, value string, faults *Faults) (assignment, bool) {
	a := assignment{key: f.key, file: commandLine}
	doc, item, ok := overrideValue(f, value)
	if !ok {
		faults.add(Fault{File: commandLine, Key: f.key, Value: shortText(value), Message: notTOML(value), Allowed: r.allowed})
		return a, false
	}
	before := len(*faults)
	if list, isList := doc.any(item).([]any); isList && (!f.list() || allLists(list)) {
		if f.identity == "no" {
			faults.add(notAnAxis(commandLine, f.key))
			return a, false
		}
		var items []toml.Primitive
		if err := doc.md.PrimitiveDecode(item, &items); err != nil || len(items) == 0 {
			faults.add(Fault{File: commandLine, Key: f.key, Value: value, Message: "an axis without values", Allowed: "an array of at least one of: " + r.allowed})
		}
		a.axis = true
		a.values = doc.axisValues(items, f, r, faults)
		return a, len(*faults) == before
	}
	v, fault := doc.decode(item, f, r)
	if fault != nil {
		faults.add(*fault)
		return a, false
	}
	a.values = []reflect.Value{v}
	return a, true
}

// notTOML says why a text is no TOML value: a number may only be too large for one.
func notTOML(text string) string {
	digits := strings.ReplaceAll(text, "_", "")
	if _, err := strconv.ParseInt(digits, 10, 64); errors.Is(err, strconv.ErrRange) {
		return "is an integer beyond 64 bits"
	}
	if _, err := strconv.ParseFloat(digits, 64); errors.Is(err, strconv.ErrRange) {
		return "is a number beyond float64"
	}
	return "is not a TOML value"
}

func allLists(list []any) bool {
	for _, item := range list {
		if _, ok := item.([]any); !ok {
			return false
		}
	}
	return len(list) > 0
}

// overrideValue reads VALUE as TOML, or as a bare word if the key takes one.
func overrideValue(f field, value string) (*document, toml.Primitive, bool) {
	if value == "" || !utf8.ValidString(value) || strings.ContainsAny(value, "\n\r") || len(value) > maxFileBytes {
		return nil, toml.Primitive{}, false
	}
	wordy := f.typ.Kind() == reflect.String || f.typ == reflect.TypeFor[Rescale]()
	doc, item, ok := parseValue(value)
	if f.typ.Kind() == reflect.String && ok {
		// A word such as true, or a hub name made of digits, is still a word.
		switch doc.any(item).(type) {
		case string, []any:
		default:
			ok = false
		}
	}
	if !ok && wordy && !strings.ContainsAny(value[:1], `"'[{`) {
		return parseValue(quote(value))
	}
	return doc, item, ok
}

func parseValue(text string) (*document, toml.Primitive, bool) {
	doc, syntax := readDocument(commandLine, []byte("value = "+text))
	if syntax != nil || len(doc.leaves) != 1 || len(doc.leaves[0].path) != 1 {
		return nil, toml.Primitive{}, false
	}
	return doc, doc.leaves[0].value, true
}

// replace puts an override in the place of the file's value, and drops the key that is
// an alternative to it.
func (s *Spec) replace(a assignment) {
	kept := s.assigned[:0:0]
	placed := false
	for _, old := range s.assigned {
		if old.key == a.key {
			kept = append(kept, a)
			placed = true
			continue
		}
		if areAlternatives(old.key, a.key) && old.file != commandLine {
			continue
		}
		kept = append(kept, old)
	}
	if !placed {
		kept = append(kept, a)
	}
	s.assigned = kept
	for i := range s.exclusions {
		for _, c := range s.exclusions[i].conditions {
			s.exclusions[i].replaced = s.exclusions[i].replaced || c.field.key == a.key
		}
	}
}

func (s *Spec) isZipped(key string) bool {
	for _, a := range s.assigned {
		if a.key == key && a.zip > 0 {
			return true
		}
	}
	return false
}

func areAlternatives(a, b string) bool {
	for _, pair := range alternatives() {
		if (pair[0] == a && pair[1] == b) || (pair[0] == b && pair[1] == a) {
			return true
		}
	}
	return false
}
