package sweeps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// TOML writes a run's configuration whole, every effective value included;
// ParseRun reads it back to the same configuration.
func (c RunConfig) TOML() []byte { return tomlText(reflect.ValueOf(c), runFields()) }

// tomlText writes a configuration: keys of the top level first, then one table
// each, in the order of the struct. A value that is not set is left out.
func tomlText(config reflect.Value, fields []field) []byte {
	var top, tables bytes.Buffer
	table := ""
	for _, f := range fields {
		value := literal(f.of(config))
		if value == "" || value == `""` {
			continue
		}
		dot := strings.LastIndexByte(f.key, '.')
		if dot < 0 {
			fmt.Fprintf(&top, "%s = %s\n", f.key, value)
			continue
		}
		if f.key[:dot] != table {
			table = f.key[:dot]
			fmt.Fprintf(&tables, "\n[%s]\n", table)
		}
		fmt.Fprintf(&tables, "%s = %s\n", f.key[dot+1:], value)
	}
	return append(top.Bytes(), tables.Bytes()...)
}

// ParseRun reads the output of TOML, as strictly as a sweep file. A key that the text
// lacks has its default, so that texts of older versions stay readable.
func ParseRun(text []byte) (RunConfig, error) {
	const file = "config.toml"
	doc, syntax := readDocument(file, text)
	if syntax != nil {
		return RunConfig{}, Faults{*syntax}
	}
	c := Defaults()
	var faults Faults
	doc.fill(reflect.ValueOf(&c).Elem(), runSchema(), &faults)
	if len(faults) == 0 {
		if err := Validate(file, c); err != nil {
			return RunConfig{}, err
		}
	}
	return c, faults.orNil()
}

// keysRead are the keys that a document sets, and among them those with a refused
// value.
type keysRead struct{ found, refused map[string]bool }

// fill decodes every leaf into a configuration.
func (d *document) fill(config reflect.Value, schema schema, faults *Faults) keysRead {
	read := keysRead{found: map[string]bool{}, refused: map[string]bool{}}
	for _, l := range d.leaves {
		if faults.full() {
			break
		}
		if l.emptyTable() && schema.hasTable(l.key()) {
			continue
		}
		f, r, ok := schema.field(l.key())
		if !ok && isRetired(l.key()) {
			continue
		}
		if !ok {
			faults.add(schema.unknown(d.file, l.key(), shortText(d.any(l.value))))
			continue
		}
		if read.found[f.key] {
			faults.add(Fault{File: d.file, Key: f.key, Message: "is set twice", Allowed: "one of the two"})
			continue
		}
		read.found[f.key] = true
		v, fault := d.decode(l.value, f, r)
		if fault != nil {
			read.refused[f.key] = true
			faults.add(*fault)
			continue
		}
		f.of(config).Set(v)
	}
	return read
}

// JSON writes a run's configuration as nested objects, every key present, in
// the order of Keys; a key that is not set is null.
func (c RunConfig) JSON() ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, reflect.ValueOf(c)); err != nil {
		return nil, fmt.Errorf("write configuration as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// MarshalJSON makes a configuration usable inside other JSON documents.
func (c RunConfig) MarshalJSON() ([]byte, error) { return c.JSON() }

// UnmarshalJSON reads the output of JSON. A key that the text lacks has its default; a key
// that this version does not know is ignored.
func (c *RunConfig) UnmarshalJSON(text []byte) error {
	read := Defaults()
	if err := readJSON(text, reflect.ValueOf(&read).Elem()); err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	*c = read
	return nil
}

func readJSON(text []byte, into reflect.Value) error {
	if r, ok := into.Addr().Interface().(*Rescale); ok {
		*r = Rescale{}
		if text[0] == '"' {
			return json.Unmarshal(text, &r.Auto)
		}
		return json.Unmarshal(text, &r.K)
	}
	if into.Kind() != reflect.Struct {
		return json.Unmarshal(text, into.Addr().Interface())
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	for i := range into.NumField() {
		if into.Type().Field(i).Anonymous {
			if err := readJSON(text, into.Field(i)); err != nil {
				return err
			}
			continue
		}
		name := into.Type().Field(i).Tag.Get("toml")
		if member, ok := members[name]; ok {
			if err := readJSON(member, into.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func writeJSON(b *bytes.Buffer, v reflect.Value) error {
	if r, ok := v.Interface().(Rescale); ok {
		if r.Auto == "" {
			return writeJSON(b, reflect.ValueOf(r.K))
		}
		return writeJSON(b, reflect.ValueOf(r.Auto))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("null")
			return nil
		}
		return writeJSON(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		if err := writeMembers(b, v); err != nil {
			return err
		}
		b.WriteByte('}')
		return nil
	case reflect.Slice:
		if v.IsNil() {
			b.WriteString("[]")
			return nil
		}
	case reflect.Float64:
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("a number is %v", x)
		}
	}
	text, err := json.Marshal(v.Interface())
	b.Write(text)
	return err
}

// writeMembers writes the fields of a struct; those of an embedded one are its own.
func writeMembers(b *bytes.Buffer, v reflect.Value) error {
	for i := range v.NumField() {
		if i > 0 {
			b.WriteByte(',')
		}
		f := v.Type().Field(i)
		var err error
		if f.Anonymous {
			err = writeMembers(b, v.Field(i))
		} else {
			fmt.Fprintf(b, "%q:", f.Tag.Get("toml"))
			err = writeJSON(b, v.Field(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
