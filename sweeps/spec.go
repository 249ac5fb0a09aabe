package sweeps

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// Spec is a sweep file without faults.
type Spec struct {
	// Name names the sweep in the workspace.
	Name string
	// Question is the question that the sweep answers; its report shows it.
	Question string
	// Claims is the file of claims that the sweep tests, as written; "" for none.
	Claims string
	// Path is the file's name as given.
	Path string
	// Text is the file as read. Overrides are not in it, see Overridden.
	Text []byte
	// Slurm is the [slurm] table: where to run, never what.
	Slurm Slurm

	assigned   []assignment
	exclusions []exclusion
	inclusions []inclusion
	overrides  []string
	kept       bool    // read from a workspace, by ParseKept
	sound      []point // what validate has seen, nil if it found faults
}

// assignment is one key that a file or an override sets, to one value or, as an axis,
// to several.
type assignment struct {
	key, file string
	axis      bool
	zip       int // axes with the same number above 0 move together
	values    []reflect.Value
}

// Axis is a key that varies, with its values as TOML literals in the order of
// the file.
type Axis struct {
	Key    string
	Values []string
}

// Axes lists the axes, slowest first.
func (s *Spec) Axes() []Axis {
	var axes []Axis
	for _, a := range s.assigned {
		if !a.axis {
			continue
		}
		axis := Axis{Key: a.key}
		for _, v := range a.values {
			axis.Values = append(axis.Values, literal(v))
		}
		axes = append(axes, axis)
	}
	return axes
}

// SourceOf returns what sets a key: the sweep's file, a site's file or "command line". A key
// that nothing sets could be set in the sweep's file.
func (s *Spec) SourceOf(key string) string {
	for _, a := range s.assigned {
		if a.key == key {
			return a.file
		}
	}
	return s.Path
}

// Overridden lists the overrides of the spec, as given.
func (s *Spec) Overridden() []string { return append([]string(nil), s.overrides...) }

// Load reads a sweep file and applies overrides before it looks for missing keys. Its
// error is Faults, or says why the file cannot be read.
func Load(path string, overrides ...string) (*Spec, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text, overrides...)
}

// Parse is Load for a text at hand; name stands for the file in messages.
func Parse(name string, text []byte, overrides ...string) (*Spec, error) {
	return parse(name, text, false, overrides)
}

// ParseKept is Parse for a text that a workspace keeps. An older program may have written keys of detectors that no
// longer exist; they are ignored, as in a run's config.toml.
func ParseKept(name string, text []byte, overrides ...string) (*Spec, error) {
	return parse(name, text, true, overrides)
}

func parse(name string, text []byte, kept bool, overrides []string) (*Spec, error) {
	doc, syntax := readDocument(name, text)
	if syntax != nil {
		return nil, Faults{*syntax}
	}
	if doc.kept = kept; kept {
		doc.dropRetired()
	}
	s := &Spec{Path: name, Text: append([]byte(nil), text...), kept: kept}
	var faults Faults
	s.read(doc, &faults)
	s.override(overrides, &faults)
	s.validate(&faults)
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return s, nil
}

// read reads every leaf of the file into its place in the spec.
func (s *Spec) read(doc *document, faults *Faults) {
	schema := runSchema()
	named := false
	for _, l := range doc.leaves {
		if faults.full() {
			break
		}
		switch root := l.path[0]; {
		case len(l.path) == 1 && root == "name":
			named = true
			s.Name = doc.string(l, "letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit", wrongName, faults)
		case len(l.path) == 1 && root == "question":
			s.Question = doc.string(l, "a text", func(string) string { return "" }, faults)
		case len(l.path) == 1 && root == "claims":
			s.Claims = doc.string(l, "a TOML file of claims", notEmpty, faults)
		case root == "slurm":
			s.Slurm.read(doc, l, faults)
		case root == "alerts":
			faults.add(Fault{File: doc.file, Key: l.key(), Message: "is not allowed in a sweep's file", Allowed: "[alerts] in " + SiteFile + ", beside the sweep or in the workspace"})
		case root == "zip":
			s.readZips(doc, l, schema, faults)
		case root == "exclude":
			s.readExclusions(doc, l, schema, faults)
		case root == "include":
			s.readInclusions(doc, l, schema, faults)
		case root == "grid":
			s.readAxis(doc, l, schema, faults)
		default:
			s.readFixed(doc, l, schema, faults)
		}
	}
	if !named {
		faults.add(Fault{File: doc.file, Key: "name", Message: "is missing", Allowed: "a name for the sweep"})
	}
}

func (s *Spec) readFixed(doc *document, l leaf, schema schema, faults *Faults) {
	if l.emptyTable() && schema.hasTable(l.key()) {
		return
	}
	f, r, ok := schema.field(l.key())
	if !ok {
		faults.add(schema.unknown(doc.file, l.key(), shortText(doc.any(l.value)), "name", "question", "claims", "grid", "zip", "exclude", "include"))
		return
	}
	v, fault := doc.decode(l.value, f, r)
	if fault != nil {
		faults.add(*fault)
		// The key is noted without a value, so that it is not reported as missing too.
		s.assign(assignment{key: f.key, file: doc.file}, faults)
		return
	}
	s.assign(assignment{key: f.key, file: doc.file, values: []reflect.Value{v}}, faults)
}

func (s *Spec) readAxis(doc *document, l leaf, schema schema, faults *Faults) {
	key := leaf{path: l.path[1:]}.key()
	if key == "" {
		if !l.table {
			faults.add(Fault{File: doc.file, Key: "grid", Value: shortText(doc.any(l.value)), Message: "is not a table", Allowed: `[grid] with lines such as "model.rescale" = [1, 4]`})
		}
		return
	}
	f, r, ok := schema.field(key)
	if !ok {
		faults.add(schema.unknown(doc.file, key, shortText(doc.any(l.value))))
		return
	}
	if f.identity == "no" {
		faults.add(notAnAxis(doc.file, key))
		return
	}
	var items []toml.Primitive
	if err := doc.md.PrimitiveDecode(l.value, &items); err != nil || l.table {
		raw := doc.any(l.value)
		faults.add(Fault{File: doc.file, Key: key, Value: shortText(raw), Message: "an axis is " + kindOf(raw), Allowed: "an array of: " + r.allowed})
		items = nil
	} else if len(items) == 0 {
		faults.add(Fault{File: doc.file, Key: key, Value: "[]", Message: "an axis without values", Allowed: "an array of at least one of: " + r.allowed})
	}
	s.assign(assignment{key: key, file: doc.file, axis: true, values: doc.axisValues(items, f, r, faults)}, faults)
}

func notAnAxis(file, key string) Fault {
	return Fault{File: file, Key: key, Allowed: "a fixed value",
		Message: "does not change a run's result, so it cannot be an axis: every point would be the same run"}
}

// axisValues decodes an axis's items one by one; those that fail become faults.
func (d *document) axisValues(items []toml.Primitive, f field, r rule, faults *Faults) []reflect.Value {
	var values []reflect.Value
	seen := map[string]bool{}
	for _, item := range items {
		v, fault := d.decode(item, f, r)
		if fault != nil {
			faults.add(*fault)
			continue
		}
		if text := literal(v); seen[text] {
			faults.add(Fault{File: d.file, Key: f.key, Value: text, Message: "is on the axis twice"})
			continue
		} else {
			seen[text] = true
		}
		values = append(values, v)
	}
	return values
}

// assign notes the value of a key; a second value is a fault.
func (s *Spec) assign(a assignment, faults *Faults) {
	for _, known := range s.assigned {
		if known.key != a.key {
			continue
		}
		message := "is set twice"
		if known.axis != a.axis {
			message = "is both fixed and an axis"
		}
		faults.add(Fault{File: a.file, Key: a.key, Message: message, Allowed: "one of the two"})
		return
	}
	s.assigned = append(s.assigned, a)
}

// string decodes a leaf that must be a string.
func (d *document) string(l leaf, allowed string, wrong func(string) string, faults *Faults) string {
	var text string
	if err := d.md.PrimitiveDecode(l.value, &text); err != nil {
		raw := d.any(l.value)
		faults.add(Fault{File: d.file, Key: l.key(), Value: shortText(raw), Allowed: allowed, Message: "is " + kindOf(raw)})
		return ""
	}
	if problem := wrong(text); problem != "" {
		faults.add(Fault{File: d.file, Key: l.key(), Value: shortText(text), Allowed: allowed, Message: problem})
	}
	return text
}

// wrongName guards names that become folders.
func wrongName(name string) string {
	if name == "" {
		return "empty"
	}
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`).MatchString(name) {
		return fmt.Sprintf("%q cannot name a folder", name)
	}
	return ""
}

func notEmpty(text string) string {
	if strings.TrimSpace(text) == "" {
		return "is empty"
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}
