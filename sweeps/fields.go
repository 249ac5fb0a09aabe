package sweeps

import (
	"cmp"
	"math"
	"reflect"
	"sync"

	"github.com/BurntSushi/toml"
)

// field is one key of a configuration: a leaf of its struct.
type field struct {
	key   string
	typ   reflect.Type
	index []int
	// identity says when the key enters the id: "" always, "no" never, "stop" if
	// stability.stop is true, "select" if checkpoint.select is "best".
	identity string
}

// of returns the field's value inside a configuration.
func (f field) of(config reflect.Value) reflect.Value { return config.FieldByIndex(f.index) }

// same reports whether two configurations, as reflect.ValueOf gives them, have one value
// of the key: one literal, that is. Most keys are compared without writing it.
func (f field) same(a, b reflect.Value) bool {
	x, y := f.of(a), f.of(b)
	switch x.Kind() {
	case reflect.String:
		return x.String() == y.String()
	case reflect.Bool:
		return x.Bool() == y.Bool()
	case reflect.Int, reflect.Int64:
		return x.Int() == y.Int()
	case reflect.Float64:
		if math.Float64bits(x.Float()) == math.Float64bits(y.Float()) {
			return true
		}
	case reflect.Pointer:
		if x.IsNil() || y.IsNil() {
			return x.IsNil() && y.IsNil()
		}
	case reflect.Slice:
		if x.Len() != y.Len() {
			return false
		}
		if x.Type().Elem().Kind() == reflect.String {
			for i := range x.Len() {
				if x.Index(i).String() != y.Index(i).String() {
					return false
				}
			}
			return true
		}
	}
	return literal(x) == literal(y)
}

// shares reports whether a copy of the key's value has memory in common with it.
func (f field) shares() bool { return f.typ.Kind() == reflect.Pointer || f.typ.Kind() == reflect.Slice }

// list reports whether the key's value is a list.
func (f field) list() bool {
	return f.typ.Kind() == reflect.Slice || f.typ.Kind() == reflect.Pointer && f.typ.Elem().Kind() == reflect.Slice
}

// fieldsOf lists the leaves of a configuration type in the order of its
// declaration: dotted TOML keys come from the struct's tags, so that the two
// cannot drift apart.
func fieldsOf(t reflect.Type) []field { return appendFields(nil, t, "", nil, "") }

func appendFields(list []field, t reflect.Type, prefix string, index []int, identity string) []field {
	unmarshaler := reflect.TypeFor[toml.Unmarshaler]()
	for i := range t.NumField() {
		f := t.Field(i)
		key, at := prefix+f.Tag.Get("toml"), append(append([]int(nil), index...), i)
		id := f.Tag.Get("id")
		id = cmp.Or(id, identity)
		if f.Anonymous {
			list = appendFields(list, f.Type, prefix, at, id)
			continue
		}
		if f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(unmarshaler) {
			list = appendFields(list, f.Type, key+".", at, id)
			continue
		}
		list = append(list, field{key: key, typ: f.Type, index: at, identity: id})
	}
	return list
}

// The lists of fields never change; they are made once, because every point of a grid reads them.
var (
	runFields    = sync.OnceValue(func() []field { return fieldsOf(reflect.TypeFor[RunConfig]()) })
	runDefaults  = sync.OnceValue(func() reflect.Value { return reflect.ValueOf(Defaults()) })
	recipeFields = sync.OnceValue(func() []field { return fieldsOf(reflect.TypeFor[Recipe]()) })
)

func fieldByKey(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// Keys lists every key of a run's configuration, in the order in which a run's
// config.toml writes them.
func Keys() []string { return keysOf(runFields()) }

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}
