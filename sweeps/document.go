package sweeps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	// maxFileBytes bounds a sweep file. Real ones have a few KiB; the time to read a
	// hostile, deeply nested file grows with the square of its size.
	maxFileBytes = 64 << 10
	// maxDepth bounds nesting: the deepest valid key has four parts.
	maxDepth = 6
)

// document is a TOML file as a list of leaves in the file's order. A value stays
// undecoded until the type of its key is known. So each value is decoded by itself
// and gets its own fault, and names keep the spelling of the file, which the
// library's own matching would ignore.
type document struct {
	file   string
	md     toml.MetaData
	leaves []leaf
	// kept is true for a file that a workspace keeps. It may have keys of detectors that no longer exist.
	kept bool
}

// leaf is one value, or an empty table, and its path in the file.
type leaf struct {
	path  []string
	value toml.Primitive
	// table is true for a table, which is a leaf only if it has no keys or is nested too deeply.
	table bool
	keys  int
}

func (l leaf) emptyTable() bool { return l.table && l.keys == 0 }

func (l leaf) key() string { return strings.Join(l.path, ".") }

// dropRetired removes the keys of detectors that no longer exist.
func (d *document) dropRetired() {
	d.leaves = slices.DeleteFunc(d.leaves, func(l leaf) bool { return isRetired(strings.TrimPrefix(l.key(), "grid.")) })
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if target, linkErr := os.Readlink(path); linkErr == nil {
			// Not ErrNotExist: a file that may be absent is there, and cannot be read.
			return nil, fmt.Errorf("read %q: it is a link to %q, which is not there", path, target)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %q: not a regular file", path)
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("read %q: %d bytes; allowed: at most %d", path, info.Size(), maxFileBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return text, nil
}

// readDocument parses the syntax; a syntax error is the only fault found then.
func readDocument(file string, text []byte) (*document, *Fault) {
	if len(text) > maxFileBytes {
		return nil, &Fault{File: file, Message: fmt.Sprintf("%d bytes of TOML", len(text)), Allowed: fmt.Sprintf("at most %d", maxFileBytes)}
	}
	if tooDeep(string(text)) {
		return nil, &Fault{File: file, Message: "nested too deeply", Allowed: fmt.Sprintf("at most %d levels", maxNesting)}
	}
	d := &document{file: file}
	var top map[string]toml.Primitive
	md, err := toml.Decode(string(text), &top)
	if err != nil {
		return nil, syntaxFault(file, text, err)
	}
	d.md = md
	d.flatten(top, nil, d.positions())
	return d, nil
}

func syntaxFault(file string, text []byte, err error) *Fault {
	var syntax toml.ParseError
	if !errors.As(err, &syntax) {
		return &Fault{File: file, Message: "not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
	}
	message := syntax.Message
	if message == "" {
		message = strings.TrimPrefix(syntax.Error(), "toml: ")
	}
	// The line is counted from the offset: the library names the next line for a fault
	// at the end of a line.
	line := 1 + bytes.Count(text[:max(0, min(syntax.Position.Start, len(text)))], []byte("\n"))
	return &Fault{File: fmt.Sprintf("%s:%d", file, line), Message: "not valid TOML: " + message}
}

// positions numbers every key, and every table that a key implies, by its first
// appearance.
func (d *document) positions() map[string]int {
	at := map[string]int{}
	for i, key := range d.md.Keys() {
		for depth := 1; depth <= min(len(key), maxDepth); depth++ {
			name := strings.Join(key[:depth], "\x00")
			if _, seen := at[name]; !seen {
				at[name] = i
			}
		}
	}
	return at
}

func (d *document) flatten(table map[string]toml.Primitive, path []string, at map[string]int) {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	place := func(name string) int { return at[strings.Join(append(path[:len(path):len(path)], name), "\x00")] }
	sort.Slice(names, func(i, j int) bool {
		if a, b := place(names[i]), place(names[j]); a != b {
			return a < b
		}
		return names[i] < names[j]
	})
	for _, name := range names {
		here := append(path[:len(path):len(path)], name)
		var inner map[string]toml.Primitive
		// Decoding anything but a table into a map leaves the map nil.
		err := d.md.PrimitiveDecode(table[name], &inner)
		if err == nil && inner != nil && len(inner) > 0 && len(here) < maxDepth {
			d.flatten(inner, here, at)
			continue
		}
		d.leaves = append(d.leaves, leaf{path: here, value: table[name], table: inner != nil, keys: len(inner)})
	}
}

// any decodes a value without a type, for messages only.
func (d *document) any(p toml.Primitive) any {
	var value any
	if err := d.md.PrimitiveDecode(p, &value); err != nil {
		return map[string]any(nil)
	}
	return value
}

// decode turns a value into the field's type and checks it by the field's rule.
func (d *document) decode(p toml.Primitive, f field, r rule) (reflect.Value, *Fault) {
	v := reflect.New(f.typ)
	target := v
	if f.typ.Kind() == reflect.Pointer {
		v.Elem().Set(reflect.New(f.typ.Elem()))
		target = v.Elem()
	}
	if err := d.md.PrimitiveDecode(p, target.Interface()); err != nil {
		raw := d.any(p)
		return reflect.Value{}, &Fault{File: d.file, Key: f.key, Value: shortText(raw), Allowed: r.allowed, Message: "is " + kindOf(raw)}
	}
	if problem := r.check(v.Elem()); problem != "" {
		return reflect.Value{}, &Fault{File: d.file, Key: f.key, Value: shortText(d.any(p)), Allowed: r.allowed, Message: problem}
	}
	return v.Elem(), nil
}

// check applies a rule to a value, following a pointer.
func (r rule) check(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	return r.wrong(v)
}

// schema is a configuration type's keys and their rules.
type schema struct {
	fields []field
	rules  map[string]rule
}

func newSchema(fields []field, rules []rule) schema {
	s := schema{fields: fields, rules: make(map[string]rule, len(rules))}
	for _, r := range rules {
		s.rules[r.key] = r
	}
	return s
}

func runSchema() schema { return newSchema(runFields(), runRules()) }

func (s schema) field(key string) (field, rule, bool) {
	f, ok := fieldByKey(s.fields, key)
	return f, s.rules[key], ok
}

// hasTable reports whether keys of the schema are in a table.
func (s schema) hasTable(name string) bool {
	for _, f := range s.fields {
		if strings.HasPrefix(f.key, name+".") {
			return true
		}
	}
	return false
}

// unknown returns the fault for a key that the schema lacks. extra lists keys that
// are valid besides those of the schema.
func (s schema) unknown(file, key, value string, extra ...string) Fault {
	if isRetired(key) {
		return Fault{File: file, Key: key, Value: value, Message: "unknown key: a threshold of a detector that is gone", Allowed: "a file without it"}
	}
	valid := append(keysOf(s.fields), extra...)
	near := nearest(key, append(valid, tablesOf(valid)...))
	message := "unknown key"
	if near != "" && strings.EqualFold(near, key) {
		message = "unknown key: case matters"
	}
	for _, v := range valid {
		if strings.HasPrefix(v, key+".") {
			return Fault{File: file, Key: key, Value: value, Message: "is a table, not a value", Allowed: "keys such as " + v}
		}
		if strings.HasPrefix(key, v+".") {
			return Fault{File: file, Key: key, Value: value, Message: fmt.Sprintf("%s is a value, not a table", v)}
		}
	}
	return Fault{File: file, Key: key, Value: value, Message: message, Allowed: siblings(key, valid), Near: near}
}

func tablesOf(keys []string) []string {
	var tables []string
	for _, key := range keys {
		if dot := strings.LastIndexByte(key, '.'); dot > 0 && !contains(tables, key[:dot]) {
			tables = append(tables, key[:dot])
		}
	}
	return tables
}

// siblings lists the keys that are allowed in the place of an unknown key: those of
// its table, or the tables.
func siblings(key string, valid []string) string {
	table := ""
	if dot := strings.LastIndexByte(key, '.'); dot > 0 {
		table = key[:dot+1]
	}
	var within, top []string
	for _, v := range valid {
		head, _, nested := strings.Cut(v, ".")
		if rest, ok := strings.CutPrefix(v, table); ok && table != "" {
			within = append(within, rest)
		}
		if nested {
			head = "[" + head + "]"
		}
		if !contains(top, head) {
			top = append(top, head)
		}
	}
	if len(within) > 0 {
		return "in " + strings.TrimSuffix(table, ".") + ": " + strings.Join(within, ", ")
	}
	return strings.Join(top, ", ")
}
