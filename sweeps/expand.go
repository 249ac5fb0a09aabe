package sweeps

import (
	"reflect"
	"slices"
	"strings"
)

// Expand lists the sweep's runs, defaults applied. First comes the product of the axes
// and then of the zips, each in the order of the file, the last fastest, without the
// excluded points; then come the included points in the order of the file.
func (s *Spec) Expand() ([]RunConfig, error) {
	points, err := s.Points()
	if err != nil {
		return nil, err
	}
	runs := make([]RunConfig, len(points))
	for i, p := range points {
		runs[i] = p.Config
	}
	return runs, nil
}

// points visits every point.
func (s *Spec) points(visit func(point)) {
	if s.hasGrid() {
		axes := s.dimensions()
		expand(s.assigned, axes, func(c RunConfig, at []int) bool {
			for _, e := range s.exclusions {
				if e.matches(c) {
					return true
				}
			}
			visit(point{config: c, axes: axes, at: slices.Clone(at)})
			return true
		})
	}
	for i, in := range s.inclusions {
		list := s.withFixed(in)
		var axes []dimension
		for _, a := range list {
			if a.axis && len(a.values) > 0 {
				axes = append(axes, dimension{a})
			}
		}
		expand(list, axes, func(c RunConfig, at []int) bool {
			visit(point{config: c, axes: axes, at: slices.Clone(at), include: i + 1})
			return true
		})
	}
}

// hasGrid reports whether there are points besides the included ones. A file that only
// lists points has no others.
func (s *Spec) hasGrid() bool { return len(s.inclusions) == 0 || len(s.dimensions()) > 0 }

// expand visits the product of the axes over the fixed values, the last axis
// fastest, until visit returns false. at holds the number of the point's value on
// every axis; it is valid during the visit only.
func expand(assigned []assignment, axes []dimension, visit func(c RunConfig, at []int) bool) {
	base := Defaults()
	for _, a := range assigned {
		if !a.axis && len(a.values) == 1 {
			set(&base, a.key, a.values[0])
		}
	}
	fields := make([][]field, len(axes))
	for i, axis := range axes {
		for _, a := range axis {
			f, _ := fieldByKey(runFields(), a.key)
			fields[i] = append(fields[i], f)
		}
	}
	at := make([]int, len(axes))
	for {
		c := base.clone()
		for i, axis := range axes {
			for j, a := range axis {
				fields[i][j].of(reflect.ValueOf(&c).Elem()).Set(clone(a.values[at[i]]))
			}
		}
		if !visit(c, at) {
			return
		}
		i := len(axes) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < axes[i].length() {
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
		p.Elem().Set(clone(v.Elem()))
		return p
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		return list
	}
	return v
}

func (c RunConfig) clone() RunConfig {
	to := reflect.ValueOf(&c).Elem()
	for _, f := range runFields() {
		if f.shares() {
			f.of(to).Set(clone(f.of(to)))
		}
	}
	return c
}

// describe says where a point lies on the axes.
func (s *Spec) describe(c RunConfig) string {
	v := reflect.ValueOf(c)
	var keys, parts []string
	for _, a := range s.assigned {
		if a.axis {
			keys = append(keys, a.key)
		}
	}
	for _, in := range s.inclusions {
		for _, a := range in.assigned {
			if !contains(keys, a.key) {
				keys = append(keys, a.key)
			}
		}
	}
	for _, key := range keys {
		if f, ok := fieldByKey(runFields(), key); ok {
			parts = append(parts, key+" = "+literal(f.of(v)))
		}
	}
	if len(parts) == 0 {
		return "the only point"
	}
	return strings.Join(parts, ", ")
}
