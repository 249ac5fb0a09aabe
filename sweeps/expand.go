package sweeps

import (
	"reflect"
	"strings"
)

// Expand lists the sweep's runs, defaults applied: the product of the axes in
// the order of the file, the last axis fastest.
func (s *Spec) Expand() ([]RunConfig, error) {
	var faults Faults
	s.validate(&faults)
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	var runs []RunConfig
	s.points(func(c RunConfig) { runs = append(runs, c) })
	return runs, nil
}

// points visits every point. Axes that lost all their values to faults are
// passed over, so that the rest can still be judged.
func (s *Spec) points(visit func(RunConfig)) {
	base := Defaults()
	var axes []assignment
	for _, a := range s.assigned {
		if a.axis && len(a.values) > 0 {
			axes = append(axes, a)
		} else if len(a.values) == 1 {
			set(&base, a.key, a.values[0])
		}
	}
	at := make([]int, len(axes))
	for {
		c := base.clone()
		for i, a := range axes {
			set(&c, a.key, a.values[at[i]])
		}
		visit(c)
		i := len(axes) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < len(axes[i].values) {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

func set(c *RunConfig, key string, v reflect.Value) {
	if f, ok := fieldByKey(runFields(), key); ok {
		f.of(reflect.ValueOf(c).Elem()).Set(clone(v))
	}
}

// clone copies a leaf so that no two runs share memory.
func clone(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		return p
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		return list
	}
	return v
}

func (c RunConfig) clone() RunConfig {
	out := c
	from, to := reflect.ValueOf(c), reflect.ValueOf(&out).Elem()
	for _, f := range runFields() {
		f.of(to).Set(clone(f.of(from)))
	}
	return out
}

// describe says where a point lies on the axes.
func (s *Spec) describe(c RunConfig) string {
	v := reflect.ValueOf(c)
	var parts []string
	for _, a := range s.assigned {
		if f, ok := fieldByKey(runFields(), a.key); ok && a.axis {
			parts = append(parts, a.key+" = "+literal(f.of(v)))
		}
	}
	if len(parts) == 0 {
		return "the only point"
	}
	return strings.Join(parts, ", ")
}
