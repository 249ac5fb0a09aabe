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
	var b bytes.Buffer
	table := ""
	for _, f := range fields {
		value := literal(f.of(config))
		if value == "" {
			continue
		}
		dot := strings.LastIndexByte(f.key, '.')
		if in := f.key[:max(dot, 0)]; in != table {
			table = in
			fmt.Fprintf(&b, "\n[%s]\n", table)
		}
		fmt.Fprintf(&b, "%s = %s\n", f.key[dot+1:], value)
	}
	return b.Bytes()
}

// ParseRun reads what TOML wrote. It is as strict as a sweep file; a key that
// the text lacks has its default, so that texts of older versions stay readable.
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

// fill decodes every leaf into a configuration and returns the keys it set.
func (d *document) fill(config reflect.Value, schema schema, faults *Faults) map[string]bool {
	found := map[string]bool{}
	for _, l := range d.leaves {
		f, r, ok := schema.field(l.key())
		if !ok {
			faults.add(schema.unknown(d.file, l.key(), shown(d.any(l.value))))
			continue
		}
		if found[f.key] {
			faults.add(Fault{File: d.file, Key: f.key, Message: "is set twice", Allowed: "one of the two"})
			continue
		}
		found[f.key] = true
		v, fault := d.decode(l.value, f, r)
		if fault != nil {
			faults.add(*fault)
			continue
		}
		f.of(config).Set(v)
	}
	return found
}

// JSON writes a run's configuration as nested objects, every key present, in
// the order of Keys; what is not set is null.
func (c RunConfig) JSON() ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, reflect.ValueOf(c)); err != nil {
		return nil, fmt.Errorf("write configuration as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// MarshalJSON makes a configuration usable inside other JSON documents.
func (c RunConfig) MarshalJSON() ([]byte, error) { return c.JSON() }

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
		for i := range v.NumField() {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%q:", v.Type().Field(i).Tag.Get("toml"))
			if err := writeJSON(b, v.Field(i)); err != nil {
				return err
			}
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
