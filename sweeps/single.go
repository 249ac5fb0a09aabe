package sweeps

import (
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// exclusion removes the points of grid × zip for which every condition holds.
type exclusion struct {
	file       string
	conditions []term
	// replaced is true if an override has replaced one of its keys. Then it need not
	// match any point.
	replaced bool
}

func (e exclusion) matches(c RunConfig) bool { return Filter{terms: e.conditions}.Match(c) }

// readExclusions reads [[exclude]]: keys with a value, or with an array of which any value matches.
func (s *Spec) readExclusions(doc *document, l leaf, schema schema, faults *Faults) {
	for _, t := range doc.tables(l, faults) {
		e := exclusion{file: t.file}
		for _, l := range t.leaves {
			f, r, ok := t.field(l, schema, faults)
			if !ok {
				continue
			}
			condition := term{field: f}
			for _, v := range t.oneOrSeveral(l, f, r, faults) {
				condition.literals = append(condition.literals, literal(v))
			}
			e.conditions = append(e.conditions, condition)
		}
		if len(e.conditions) > 0 {
			s.exclusions = append(s.exclusions, e)
		}
	}
}

// inclusion is a small grid of its own besides grid × zip.
type inclusion struct {
	file     string
	assigned []assignment
}

// readInclusions reads [[include]]: keys with a value, or an array that makes an axis.
func (s *Spec) readInclusions(doc *document, l leaf, schema schema, faults *Faults) {
	for _, t := range doc.tables(l, faults) {
		in := inclusion{file: t.file}
		for _, l := range t.leaves {
			f, r, ok := t.field(l, schema, faults)
			if !ok {
				continue
			}
			if f.identity == "no" {
				faults.add(Fault{File: t.file, Key: f.key, Allowed: "outside [[include]], for all points",
					Message: "does not change a run's result, so a point cannot have its own"})
				continue
			}
			values := t.oneOrSeveral(l, f, r, faults)
			in.assigned = append(in.assigned, assignment{key: f.key, file: t.file, axis: len(values) > 1, values: values})
		}
		if len(t.leaves) > 0 {
			s.inclusions = append(s.inclusions, in)
		}
	}
}

// oneOrSeveral decodes a value, or the items of an array for a key that takes no list.
func (d *document) oneOrSeveral(l leaf, f field, r rule, faults *Faults) []reflect.Value {
	raw := d.any(l.value)
	if list, isList := raw.([]any); isList && (!f.list() || allLists(list)) {
		var items []toml.Primitive
		if err := d.md.PrimitiveDecode(l.value, &items); err != nil || len(items) == 0 {
			faults.add(Fault{File: d.file, Key: f.key, Value: shortText(raw), Message: "is an empty array", Allowed: "a value, or an array of at least one of: " + r.allowed})
			return nil
		}
		return d.axisValues(items, f, r, faults)
	}
	v, fault := d.decode(l.value, f, r)
	if fault != nil {
		faults.add(*fault)
		return nil
	}
	return []reflect.Value{v}
}

// withFixed returns all values of an inclusion. Its own keys take precedence over the
// fixed keys of the file, and single values of the command line over both.
func (s *Spec) withFixed(in inclusion) []assignment {
	var list []assignment
	for _, a := range s.assigned {
		if !a.axis && (a.file == commandLine || !sets(in.assigned, a.key) && !setsAlternative(in.assigned, a.key)) {
			list = append(list, a)
		}
	}
	for _, a := range in.assigned {
		if !sets(list, a.key) && !setsAlternative(s.commandLineValues(), a.key) {
			list = append(list, a)
		}
	}
	return list
}

// commandLineValues returns the single values of the command line.
func (s *Spec) commandLineValues() []assignment {
	var list []assignment
	for _, a := range s.assigned {
		if a.file == commandLine && !a.axis {
			list = append(list, a)
		}
	}
	return list
}

// setsAlternative reports whether the list sets the alternative of a key.
func setsAlternative(list []assignment, key string) bool {
	for _, a := range list {
		if areAlternatives(a.key, key) {
			return true
		}
	}
	return false
}

// judgeInclusions finds keys that an inclusion leaves open.
func (s *Spec) judgeInclusions(faults *Faults) {
	for _, in := range s.inclusions {
		list := s.withFixed(in)
		for _, r := range runRules() {
			if r.required && !sets(list, r.key) {
				faults.add(missingFault(in.file, r))
			}
		}
		for _, a := range s.assigned {
			if a.axis && !sets(list, a.key) {
				faults.add(Fault{File: in.file, Key: a.key, Message: "is missing: it is on an axis, and this point has to say its own", Allowed: runSchema().rules[a.key].allowed})
			}
		}
		for _, pair := range alternatives() {
			if sets(list, pair[0]) && sets(list, pair[1]) {
				faults.add(Fault{File: in.file, Key: pair[0], Message: "is set beside " + pair[1], Allowed: "one of the two"})
			}
		}
	}
}

func sets(list []assignment, key string) bool {
	for _, a := range list {
		if a.key == key {
			return true
		}
	}
	return false
}

// judgeExclusions finds exclusions without effect among the points of grid × zip.
func (s *Spec) judgeExclusions(faults *Faults) {
	for _, e := range s.exclusions {
		if e.replaced {
			continue
		}
		matched := false
		expand(s.assigned, s.dimensions(), func(c RunConfig, _ []int) bool {
			matched = e.matches(c)
			return !matched
		})
		if !matched {
			var keys []string
			for _, c := range e.conditions {
				keys = append(keys, c.field.key+" = "+strings.Join(c.literals, " or "))
			}
			faults.add(Fault{File: e.file, Message: "matches no point: " + strings.Join(keys, ", "), Allowed: "values that a point of [grid] × [[zip]] has"})
		}
	}
}
