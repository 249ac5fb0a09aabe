package sweeps

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// rule says what one key accepts.
type rule struct {
	key      string
	allowed  string
	required bool
	// wrong describes the fault of a value, "" if it has none. It is never called
	// for an optional value that is not set.
	wrong func(v reflect.Value) string
	// float32 marks a number that is computed with in float32. It is checked in files and
	// overrides, not in the configurations of runs that there are.
	float32 bool
}

// asRequired marks a key that has no default.
func (r rule) asRequired() rule { r.required = true; return r }

// inFloat32 marks a key whose number is computed with in float32.
func (r rule) inFloat32() rule { r.float32 = true; return r }

// checkFloat32 adds the fault of a number that float32 does not hold.
func (r rule) checkFloat32(file string, v reflect.Value, faults *Faults) {
	if problem := beyondFloat32(v.Float()); problem != "" {
		faults.add(Fault{File: file, Key: r.key, Value: literal(v), Message: problem, Allowed: r.allowed})
	}
}

// beyondFloat32 describes the fault of a number that float32 does not hold, "" if it does.
func beyondFloat32(x float64) string {
	y := float32(x)
	if math.IsInf(float64(y), 0) {
		return "out of range: infinite in float32, in which it is computed with"
	}
	if y == 0 && x != 0 {
		return "out of range: 0 in float32, in which it is computed with"
	}
	return ""
}

// integer accepts lo … hi.
func integer(key string, lo, hi int64, allowed string) rule {
	return rule{key: key, allowed: allowed, wrong: func(v reflect.Value) string {
		switch n := v.Int(); {
		case n < lo:
			return "too small"
		case n > hi:
			return fmt.Sprintf("too large (limit %d)", hi)
		}
		return ""
	}}
}

// number accepts finite values for which ok holds.
func number(key string, ok func(x float64) bool, allowed string) rule {
	return rule{key: key, allowed: allowed, wrong: func(v reflect.Value) string {
		x := v.Float()
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "not a finite number"
		}
		if !ok(x) {
			return "out of range"
		}
		return ""
	}}
}

// choice accepts one of a closed set.
func choice(key string, options ...string) rule {
	return rule{key: key, allowed: quoteAll(options), wrong: func(v reflect.Value) string {
		return notOneOf(v.String(), options)
	}}
}

// choices accepts a list over a closed set, without repetition.
func choices(key string, options ...string) rule {
	return rule{key: key, allowed: "a list of " + quoteAll(options), wrong: func(v reflect.Value) string {
		return wrongItems(v, func(s string) string { return notOneOf(s, options) })
	}}
}

// text accepts a string for which wrong returns "".
func text(key, allowed string, wrong func(string) string) rule {
	return rule{key: key, allowed: allowed, wrong: func(v reflect.Value) string { return wrong(v.String()) }}
}

// texts accepts a list of such strings, without repetition.
func texts(key, allowed string, wrong func(string) string) rule {
	return rule{key: key, allowed: allowed, wrong: func(v reflect.Value) string { return wrongItems(v, wrong) }}
}

// counts accepts a list of integers from 1 on, without repetition.
func counts(key, allowed string) rule {
	return rule{key: key, allowed: allowed, wrong: func(v reflect.Value) string {
		return WrongCounts(v.Interface().([]int))
	}}
}

// WrongCounts describes the fault of a list of numbers of terms, "" if it has none.
func WrongCounts(list []int) string {
	for i, n := range list {
		switch {
		case n < 1:
			return fmt.Sprintf("element %d: %d is too small", i+1, n)
		case n > maxLength:
			return fmt.Sprintf("element %d: %d is too large (limit %d)", i+1, n, maxLength)
		case slices.Contains(list[:i], n):
			return fmt.Sprintf("element %d: %d is there twice", i+1, n)
		}
	}
	return ""
}

// flag accepts true and false.
func flag(key string) rule {
	return rule{key: key, allowed: "true, false", wrong: func(reflect.Value) string { return "" }}
}

func notOneOf(s string, options []string) string {
	for _, option := range options {
		if s == option {
			return ""
		}
	}
	for _, option := range options {
		if strings.EqualFold(s, option) {
			return fmt.Sprintf("%q is not a choice: case matters", s)
		}
	}
	return fmt.Sprintf("%q is not a choice", s)
}

func wrongItems(list reflect.Value, wrong func(string) string) string {
	seen := map[string]bool{}
	for i := range list.Len() {
		item := list.Index(i).String()
		if problem := wrong(item); problem != "" {
			return fmt.Sprintf("element %d: %s", i+1, problem)
		}
		if seen[item] {
			return fmt.Sprintf("element %d: %q is there twice", i+1, item)
		}
		seen[item] = true
	}
	return ""
}

func quoteAll(options []string) string {
	out := make([]string, len(options))
	for i, option := range options {
		out[i] = fmt.Sprintf("%q", option)
	}
	return strings.Join(out, ", ")
}

func positive(x float64) bool       { return x > 0 }
func notNegative(x float64) bool    { return x >= 0 }
func share(x float64) bool          { return x >= 0 && x <= 1 }
func strictlyInside(x float64) bool { return x > 0 && x < 1 }
func belowOne(x float64) bool       { return x >= 0 && x < 1 }
