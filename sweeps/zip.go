package sweeps

import (
	"fmt"
	"reflect"

	"github.com/BurntSushi/toml"
)

// tables reads an array of tables such as [[zip]]. Each table has its keys as leaves,
// and messages name it by its number.
func (d *document) tables(l leaf, faults *Faults) []*document {
	name := l.path[0]
	wrong := Fault{File: d.file, Key: name, Value: shortText(d.any(l.value)), Message: "is not an array of tables", Allowed: "[[" + name + "]] with lines below it"}
	var list []map[string]toml.Primitive
	if len(l.path) > 1 || l.table || d.md.PrimitiveDecode(l.value, &list) != nil {
		wrong.Value = ""
		faults.add(wrong)
		return nil
	}
	out := make([]*document, 0, len(list))
	for i, table := range list {
		t := &document{file: fmt.Sprintf("%s: [[%s]] %d", d.file, name, i+1), md: d.md}
		t.flatten(table, nil, nil)
		if d.kept && len(t.leaves) > 0 {
			if t.dropRetired(); len(t.leaves) == 0 {
				continue
			}
		}
		if len(t.leaves) == 0 {
			faults.add(Fault{File: t.file, Message: "is empty", Allowed: "a line for each key"})
		}
		out = append(out, t)
	}
	return out
}

// field finds a leaf's key in the schema; an unknown key is a fault.
func (d *document) field(l leaf, schema schema, faults *Faults) (field, rule, bool) {
	if l.emptyTable() && schema.hasTable(l.key()) {
		return field{}, rule{}, false
	}
	f, r, ok := schema.field(l.key())
	if !ok {
		faults.add(schema.unknown(d.file, l.key(), shortText(d.any(l.value))))
	}
	return f, r, ok
}

// readZips reads [[zip]]: axes of one length that move together.
func (s *Spec) readZips(doc *document, l leaf, schema schema, faults *Faults) {
	for i, t := range doc.tables(l, faults) {
		lengths := map[int]string{}
		longest := 0
		for _, l := range t.leaves {
			f, r, ok := t.field(l, schema, faults)
			if !ok {
				continue
			}
			if f.identity == "no" {
				faults.add(notAnAxis(t.file, f.key))
				continue
			}
			var items []toml.Primitive
			if err := t.md.PrimitiveDecode(l.value, &items); err != nil || l.table || len(items) == 0 {
				raw := t.any(l.value)
				faults.add(Fault{File: t.file, Key: f.key, Value: shortText(raw), Message: "an axis is " + kindOf(raw), Allowed: "an array of at least one of: " + r.allowed})
				continue
			}
			values := t.zipValues(items, f, r, faults)
			lengths[len(items)] = fmt.Sprintf("%s has %d", f.key, len(items))
			longest = max(longest, len(items))
			s.assign(assignment{key: f.key, file: t.file, axis: true, zip: i + 1, values: values}, faults)
		}
		for n := range longest {
			if has, other := lengths[n]; other {
				faults.add(Fault{File: t.file, Message: fmt.Sprintf("its axes are not of one length: %s values, %s", has, lengths[longest]), Allowed: "axes of one length, which move together"})
			}
		}
	}
}

// zipValues decodes an axis on which a value may occur twice.
func (d *document) zipValues(items []toml.Primitive, f field, r rule, faults *Faults) []reflect.Value {
	var values []reflect.Value
	for _, item := range items {
		v, fault := d.decode(item, f, r)
		if fault != nil {
			faults.add(*fault)
			continue
		}
		values = append(values, v)
	}
	return values
}

// dimension is one axis, or several that move together.
type dimension []assignment

func (d dimension) length() int { return len(d[0].values) }

// dimensions returns the grid's axes in the order of the file and then the zips, the
// last the fastest. An axis that has lost values to faults is left out, so that the
// others can still be judged.
func (s *Spec) dimensions() []dimension {
	var grid []dimension
	var zips []dimension
	at := map[int]int{}
	for _, a := range s.assigned {
		switch {
		case !a.axis || len(a.values) == 0:
		case a.zip == 0:
			grid = append(grid, dimension{a})
		default:
			i, known := at[a.zip]
			if !known {
				i = len(zips)
				at[a.zip] = i
				zips = append(zips, nil)
			}
			if len(zips[i]) == 0 || len(a.values) == zips[i].length() {
				zips[i] = append(zips[i], a)
			}
		}
	}
	return append(grid, zips...)
}
