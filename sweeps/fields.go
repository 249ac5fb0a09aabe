package sweeps

import (
	"reflect"
	"sync"

	"github.com/BurntSushi/toml"
)

// field is one key of a configuration: a leaf of its struct.
type field struct {
	key   string
	typ   reflect.Type
	index []int
	// identity says when the key enters the id: "" always, "no" never, "stop" where
	// stability.stop is true, "select" where checkpoint.select is "best".
	identity string
}

// of returns the field's value inside a configuration.
func (f field) of(config reflect.Value) reflect.Value { return config.FieldByIndex(f.index) }

// list tells whether the key's value is a list.
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
		if id == "" {
			id = identity
		}
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

// The two lists never change. They are made once because every point of a grid
// walks through them.
var (
	runFields    = sync.OnceValue(func() []field { return fieldsOf(reflect.TypeFor[RunConfig]()) })
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
