package event

import (
	"fmt"
	"math"
	"strconv"
)

// Value is a float64 that survives JSON: NaN and the infinities are written as the
// strings "nan", "+inf" and "-inf", everything else as the shortest number that
// reads back to the same bits.
type Value float64

// Words for the values that are not finite.
const (
	wordNaN         = "nan"
	wordPositiveInf = "+inf"
	wordNegativeInf = "-inf"
)

// NonFinite is "nan", "+inf" or "-inf", and empty for a finite value.
func (v Value) NonFinite() string {
	f := float64(v)
	switch {
	case math.IsNaN(f):
		return wordNaN
	case math.IsInf(f, 1):
		return wordPositiveInf
	case math.IsInf(f, -1):
		return wordNegativeInf
	}
	return ""
}

// MarshalJSON writes the value as the package comment says.
func (v Value) MarshalJSON() ([]byte, error) { return v.append(nil), nil }

func (v Value) append(b []byte) []byte {
	if word := v.NonFinite(); word != "" {
		b = append(b, '"')
		b = append(b, word...)
		return append(b, '"')
	}
	return strconv.AppendFloat(b, float64(v), 'g', -1, 64)
}

// UnmarshalJSON reads a JSON number or one of the three words.
func (v *Value) UnmarshalJSON(text []byte) error {
	parsed, ok := parseValue(text)
	if !ok {
		return fmt.Errorf(`value %s: want a number, "nan", "+inf" or "-inf"`, text)
	}
	*v = parsed
	return nil
}

// parseValue reads one valid JSON token: what strconv accepts beyond that is no JSON.
func parseValue(text []byte) (Value, bool) {
	switch string(text) {
	case `"` + wordNaN + `"`:
		return Value(math.NaN()), true
	case `"` + wordPositiveInf + `"`:
		return Value(math.Inf(1)), true
	case `"` + wordNegativeInf + `"`:
		return Value(math.Inf(-1)), true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return Value(f), err == nil
}
